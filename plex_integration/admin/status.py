"""How the cache does: numbers of all workers, the state of what it leans on, and clearing it."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from plex_integration.caching import response_cache, metrics, entry, invalidation
from plex_integration.configuration import connection
from medianest import store
from plex_integration.caching.metrics import Counted
from plex_integration.plex import Trial, try_out
from plex_integration.reading.catalog import LISTS
from plex_integration.configuration.models import CacheStatus
from plex_integration.policies import ENDPOINTS

log = logging.getLogger(__name__)

# The charts show so many hours.
HOURS = 6
BARS = HOURS * 3600 // metrics.SLICE
HEIGHT = 20
# What is looked at of the kept answers: so many at most, and the beginning of each.
MOST_ENTRIES = 2000
HEAD = 8192
# The most seconds that this page waits for Plex.
PATIENCE = 2.0

NAMES = (*(each.name for each in ENDPOINTS), LISTS.name)

# Django's own is generic for type checkers alone.
if TYPE_CHECKING:
    Admin = admin.ModelAdmin[CacheStatus]
else:
    Admin = admin.ModelAdmin


@dataclass
class Kept:
    """What is kept of one policy: how many answers, their bytes, and their ages in seconds."""

    entries: int = 0
    size: int = 0
    oldest: int | None = None
    newest: int | None = None

    def note(self, size: int, age: int | None) -> None:
        """Add one entry."""
        self.entries += 1
        self.size += size
        if age is not None:
            self.oldest = max(age, age if self.oldest is None else self.oldest)
            self.newest = min(age, age if self.newest is None else self.newest)


@dataclass(frozen=True)
class Bar:
    """One slice of a chart: hits stand on what was no hit."""

    x: int
    hits: float
    hits_y: float
    others: float
    others_y: float


@dataclass(frozen=True)
class Chart:
    """Answers of a policy over the last hours, as bars of 5 minutes."""

    name: str
    total: int
    most: int
    bars: Sequence[Bar]


class Clearing(forms.Form):
    """What is to be cleared."""

    what = forms.CharField(max_length=64)

    def clean_what(self) -> str:
        what: str = self.cleaned_data["what"]
        kind, _, name = what.partition(":")
        is_library = kind == "library" and name.isascii() and name.isdigit() and len(name) <= 10
        if what == "everything" or (kind == "endpoint" and name in NAMES) or is_library:
            return what
        raise forms.ValidationError("There is no such thing to clear.")


@admin.register(CacheStatus)
class StatusAdmin(Admin):
    """One page, and a button that asks again before it clears."""

    def get_urls(self) -> list[URLPattern]:
        clear = require_POST(self.admin_site.admin_view(self.clear_view))
        return [
            path("", self.admin_site.admin_view(self.changelist_view), name=f"{_NAME}_changelist"),
            path("clear/", clear, name=f"{_NAME}_clear"),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_clear_permission(self, request: HttpRequest) -> bool:
        """Tell whether the cache may be cleared."""
        return request.user.has_perm("plex_integration.clear_cache")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show how the cache does."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        trial = _plex()
        slices = metrics.slices(metrics.SLICES)
        total = metrics.together(slices)
        kept, is_all = _kept()
        rows = [_row(name, total.get(name, Counted()), kept.get(name, Kept())) for name in NAMES]
        context = {
            "rows": rows,
            "most": None if is_all else MOST_ENTRIES,
            "charts": list(_charts(slices[-BARS:])),
            "hours": HOURS,
            "bars": BARS,
            "height": HEIGHT,
            "plex": trial,
            "redis": _redis(),
            "breaker": _breaker(),
            "listener": _listener(),
            "endpoints": NAMES,
            "libraries": trial.libraries,
            "may_clear": self.has_clear_permission(request),
        }
        return self._page(request, "page", "Cache status", context)

    def clear_view(self, request: HttpRequest) -> HttpResponse:
        """Ask whether it is meant; then make what is kept a miss. Limits stay as they are."""
        if not self.has_clear_permission(request):
            raise PermissionDenied
        form = Clearing(request.POST)
        if not form.is_valid():
            messages.error(request, "There is no such thing to clear.")
            return HttpResponseRedirect(_page())
        what = form.cleaned_data["what"]
        title = _titled(what)
        if request.POST.get("confirmed") != "yes":
            return self._page(request, "clear", f"Clear {title}?", {"what": what, "name": title})
        is_heard = _clear(what)
        self.log_change(request, CacheStatus(), f"Cleared {title}.")
        log.info("%s was cleared in the admin by user %s", title, request.user.pk)
        if is_heard:
            messages.success(request, f"Cleared {title}: what is asked next is asked of Plex.")
        else:
            messages.warning(request, "Redis is away: it will be told when it is back.")
        return HttpResponseRedirect(_page())

    def _page(
        self, request: HttpRequest, template: str, title: str, context: Mapping[str, Any]
    ) -> HttpResponse:
        about = {**self.admin_site.each_context(request), "title": title, "opts": self.opts}
        name = f"admin/plex_integration/cachestatus/{template}.html"
        return TemplateResponse(request, name, {**about, **context})


_NAME = "plex_integration_cachestatus"


def _page() -> str:
    return reverse(f"admin:{_NAME}_changelist")


def _titled(what: str) -> str:
    kind, _, name = what.partition(":")
    return {"endpoint": f"endpoint {name}", "library": f"library {name}"}.get(kind, "everything")


def _clear(what: str) -> bool:
    kind, _, name = what.partition(":")
    if kind == "endpoint":
        return response_cache.drop([response_cache.policy_tag(name)])
    if kind == "library":
        return response_cache.library_changed(name)
    return response_cache.drop([response_cache.EVERYTHING])


def _row(name: str, counted: Counted, kept: Kept) -> dict[str, Any]:
    answers = {each.lower(): counted.answers.get(each, 0) for each in metrics.OUTCOMES}
    return {
        "name": name,
        **answers,
        "hit_rate": counted.hit_rate,
        "p50": counted.percentile(50),
        "p95": counted.percentile(95),
        "kept": kept,
    }


def _kept() -> tuple[Mapping[str, Kept], bool]:
    """Look at what is kept and still holds; tell also whether that was all."""
    versions = response_cache.parsed(store.current().look(None).versions)
    now = time.time()
    found: dict[str, Kept] = {}
    seen = store.current().glance(f"{response_cache.SHAPE}:", MOST_ENTRIES, HEAD)
    for name, beginning, size in seen:
        policy = name.split(":")[1]
        head = entry.glanced(beginning)
        if head is None or entry.is_current(head, versions):
            age = None if head is None else max(0, int(now - head.at))
            found.setdefault(policy, Kept()).note(size, age)
    return found, len(seen) < MOST_ENTRIES


def _charts(slices: Sequence[Mapping[str, Counted]]) -> Iterable[Chart]:
    for name in NAMES:
        counted = [each.get(name, Counted()) for each in slices]
        most = max((each.answered for each in counted), default=0)
        if most:
            yield Chart(name, sum(each.answered for each in counted), most, _bars(counted, most))


def _bars(counted: Sequence[Counted], most: int) -> list[Bar]:
    bars = []
    for x, each in enumerate(counted):
        hits = round(HEIGHT * each.answers.get(metrics.HIT, 0) / most, 2)
        others = round(HEIGHT * each.answered / most - hits, 2)
        bars.append(Bar(x, hits, round(HEIGHT - others - hits, 2), others, HEIGHT - others))
    return bars


def _plex() -> Trial:
    to = connection.current()
    if to is None:
        return Trial(False, "No Plex server is configured.")
    return try_out(to, PATIENCE)


def _redis() -> str:
    if not settings.REDIS_URL:
        return "Not used: this process keeps answers and limits alone."
    began = time.perf_counter()
    if not store.current().is_up():
        return "Away: answers are not cached, limits count per process."
    return f"Up: answered in {(time.perf_counter() - began) * 1000:.1f} ms."


def _breaker() -> str:
    failures = store.current().failures()
    if failures < response_cache.FAILURES:
        return f"Closed: Plex is asked. Failures in a row: {failures}."
    return (
        f"Open after {failures} failures in a row: "
        f"Plex is asked once in {response_cache.PAUSE:g} seconds until it answers."
    )


def _listener() -> str:
    status = invalidation.status()
    if status is None:
        return "Not running: answers are kept as long as their times to live say."
    if status.problem:
        return f"Not listening since {_moment(status.since)}: {status.problem}."
    changed = f"; last change heard {_moment(status.changed)}" if status.changed else ""
    return f"Listening since {_moment(status.since)}{changed}."


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
