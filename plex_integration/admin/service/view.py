"""The status of the service: what its template shows, and the view that refreshes it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from medianest import store
from medianest.monitoring import processes, recent_errors
from plex_integration.admin.service import banner, dependencies, machine, plex_check
from plex_integration.admin.service.database import facts, pending_migrations
from plex_integration.admin.service.suspicious import suspicious_settings
from plex_integration.caching import invalidation
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Connection

PERMISSION = "plex_integration.view_cachestatus"
REFRESH_SECONDS = 10


def may_see(request: HttpRequest) -> bool:
    """Tell whether this user may see the status."""
    return bool(request.user.is_staff and request.user.has_perm(PERMISSION))


def status(request: HttpRequest) -> dict[str, Any]:
    """Return what the templates of the status show. Raises DatabaseError."""
    connection, is_known = _connection()
    checked = plex_check.refresh(connection) if connection else None
    overview = store.current().overview(connection.server if connection else "", invalidation.KEY)
    running, database = processes.running(overview.reports), facts()
    lines = [
        dependencies.plex(connection, checked, overview) if is_known else dependencies.UNKNOWN,
        *dependencies.redis(),
        dependencies.database(database),
        dependencies.migrations(pending_migrations()),
        dependencies.listener(overview.values[0]),
        machine.workers(running, overview),
        machine.pictures(),
        machine.clocks(redis=overview.clock, database=database.clock),
        suspicious_settings(request, connection, running),
        machine.versions(),
    ]
    return {
        "lines": [line for line in lines if line],
        "processes": running,
        "errors": recent_errors.summary(),
        "now": timezone.now(),
        "refresh_seconds": REFRESH_SECONDS,
    }


def _connection() -> tuple[Connection | None, bool]:
    """Return the connection, and whether the database could tell."""
    try:
        return runtime.current().connection, True
    except DatabaseError:
        return None, False


def parts_view(request: HttpRequest) -> HttpResponse:
    """Return the banner and the status alone, which the script puts in place of the old ones."""
    if not may_see(request):
        raise PermissionDenied
    about = {"problems": banner.problems(request.user), **status(request)}
    context = {**admin.site.each_context(request), **about}
    return render(request, "admin/plex_integration/service/parts.html", context)
