"""The admin's page of all changes: searched and filtered, but never edited."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince

from accounts.audit import AuditEntry
from accounts.read_only_admin import ReadOnlyListAdmin


@admin.register(AuditEntry)
class AuditEntriesAdmin(ReadOnlyListAdmin):
    """The changes, newest first."""

    list_display = ("time", "user_name", "change", "origin")
    list_filter = ("action", "kind", "at")
    list_per_page = 50
    search_fields = ("user_name", "object_name", "description", "address", "request_id")

    @admin.display(description="Time (UTC)", ordering="at")
    def time(self, entry: AuditEntry) -> str:
        """Return when it happened, and how long ago that is."""
        return f"{entry.at:%Y-%m-%d %H:%M:%S} ({timesince(entry.at, timezone.now(), depth=1)} ago)"

    @admin.display(description="Change", ordering="kind")
    def change(self, entry: AuditEntry) -> str:
        """Return what happened to which object, and the old and new values."""
        return format_html("{}<br>{}", entry, entry.description)

    @admin.display(description="Address and request id", ordering="address")
    def origin(self, entry: AuditEntry) -> str:
        """Return where the request came from, and its id, which finds its lines in the log."""
        return format_html("{}<br><small>{}</small>", entry.address or "-", entry.request_id)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, under its own name."""
        return super().changelist_view(request, {"title": "Changes", **(extra_context or {})})
