"""Lists in the admin that only show: no row has a page, and none is added, changed or deleted."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest


class ReadOnlyListAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """A list without actions and without links to pages of its rows."""

    actions = None
    list_display_links = None

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is None and super().has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
