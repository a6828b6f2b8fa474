"""The cache's page: numbers of all workers, the state of what it depends on, and clearing."""

import logging
import socket
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.audited_admin import AuditedAdmin
from plex_integration.admin import charts, states
from plex_integration.admin.clearing import Clearing, find_clearing
from plex_integration.admin.labels import ENDPOINT_LABELS
from plex_integration.admin.service.view import parts_view
from plex_integration.admin.stored import MAX_ENTRIES, StoredEntries, stored_entries
from plex_integration.caching import metrics
from plex_integration.caching.metrics import Counted
from plex_integration.configuration.models import CacheStatus
from plex_integration.images import disk_cache
from plex_integration.policies import CATALOG, ENDPOINTS, IMAGE_PATHS

log = logging.getLogger(__name__)

NAMES = (*(each.name for each in ENDPOINTS), CATALOG.name)
"""The policies in the order of the page's tables."""

REFRESH_SECONDS = 30
PARTS = "admin/plex_integration/parts.html"

_NAME = "plex_integration_cachestatus"


@admin.register(CacheStatus)
class StatusAdmin(AuditedAdmin):
    """One page, and buttons that ask for a confirmation before they clear."""

    def get_urls(self) -> list[URLPattern]:
        clear = require_POST(self.admin_site.admin_view(self.clear_view))
        return [
            path("", self.admin_site.admin_view(self.changelist_view), name=f"{_NAME}_changelist"),
            path("clear/", clear, name=f"{_NAME}_clear"),
            # Part of the admin's first page.
            path("service/", self.admin_site.admin_view(parts_view), name=f"{_NAME}_service"),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_clear_permission(self, request: HttpRequest) -> bool:
        """Tell whether this user may clear the cache."""
        return request.user.has_perm("plex_integration.clear_cache")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the cache's status."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = _states() | _numbers() | {"may_clear": self.has_clear_permission(request)}
        # A script requests the parts alone, without the messages that wait for the next page.
        base = PARTS if "parts" in request.GET else "admin/base_site.html"
        return self._page(request, "page", "Cache status", {"base": base, **context})

    def clear_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a confirmation; then clear. Rate limits are not affected."""
        if not self.has_clear_permission(request):
            raise PermissionDenied
        what = request.POST.get("what", "")
        clearing = find_clearing(what)
        if clearing is None:
            messages.error(request, "There is no such thing to clear.")
        elif request.POST.get("confirmed") != "yes":
            context = {"what": what, "clearing": clearing}
            return self._page(request, "clear", f"Clear {clearing.object}?", context)
        else:
            self._clear(request, clearing)
        return HttpResponseRedirect(reverse(f"admin:{_NAME}_changelist"))

    def _clear(self, request: HttpRequest, clearing: Clearing) -> None:
        failure = clearing.run()
        self.log_change(request, CacheStatus(), f"Cleared {clearing.object}.")
        log.info("user %s cleared %s in the admin", request.user.pk, clearing.object)
        if failure:
            messages.warning(request, failure)
        else:
            messages.success(request, f"{clearing.name} cleared.")

    def _page(
        self, request: HttpRequest, template: str, title: str, context: Mapping[str, Any]
    ) -> HttpResponse:
        about = {**self.admin_site.each_context(request), "title": title, "opts": self.opts}
        name = f"admin/plex_integration/cachestatus/{template}.html"
        return TemplateResponse(request, name, {**about, **context})


def _states() -> dict[str, Any]:
    diagnosis = states.plex()
    return {
        "plex": diagnosis.message,
        "breaker": states.breaker(),
        "redis": states.redis(),
        "listener": states.listener(),
        "libraries": diagnosis.libraries,
    }


def _numbers() -> dict[str, Any]:
    slices, end = metrics.slices(metrics.SLICES), metrics.end_of_last_slice()
    counted, (stored, is_all) = metrics.total(slices), stored_entries()
    rows = [
        _row(name, counted.get(name, Counted()), stored.get(name, StoredEntries()))
        for name in NAMES
    ]
    return {
        "rows": rows,
        "total": _total(counted.values(), stored.values()),
        "most": None if is_all else MAX_ENTRIES,
        "charts": list(charts.charts(NAMES, slices[-charts.BARS :], end)),
        "drawing": charts,
        "pictures": _pictures(counted.get(IMAGE_PATHS.name, Counted())),
        "now": timezone.now(),
        "refresh_seconds": REFRESH_SECONDS,
    }


def _row(name: str, counted: Counted, stored: StoredEntries) -> dict[str, Any]:
    return {"name": name, "label": ENDPOINT_LABELS[name], **_cells(counted), "stored": stored}


def _total(counted: Iterable[Counted], stored: Iterable[StoredEntries]) -> dict[str, Any]:
    all_counted, all_stored = Counted(), StoredEntries()
    for each in counted:
        all_counted.add(each)
    for one in stored:
        all_stored.merge(one)
    return {**_cells(all_counted), "stored": all_stored}


def _cells(counted: Counted) -> dict[str, Any]:
    return {
        **{each.lower(): counted.responses.get(each, 0) for each in metrics.OUTCOMES},
        "hit_rate": counted.hit_rate,
        "p50": counted.percentile(50),
        "p95": counted.percentile(95),
    }


def _pictures(counted: Counted) -> dict[str, Any]:
    cache = disk_cache.current()
    return {
        "machine": socket.gethostname(),
        "count": cache.count(),
        "used": cache.used(),
        "max_bytes": cache.max_bytes,
        "free": cache.space().free,
        "hit_rate": counted.hit_rate,
    }
