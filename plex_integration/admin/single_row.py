"""What the pages of models with one row share: only superusers see them, and nobody deletes it."""

from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.audited_admin import AuditedAdmin


class SingleRowAdmin(AuditedAdmin):
    """Show the only row at once, and stay on its page. `saved` is the message for a saved row."""

    saved: ClassVar[str]
    actions = None

    def page(self) -> str:
        """Return the address of the row's page, or of the form that adds it."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        row = self.model._default_manager.first()
        return reverse(f"{name}_change", args=[row.pk]) if row else reverse(f"{name}_add")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Go to the row, or to the form that adds it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(self.page())

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_view_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        # Other staff may see the app too: it also has the pages of the cache.
        return super().has_module_permission(request) or self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and not self.model._default_manager.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        """Stay on the page: it is the only row."""
        return self._stay(request)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Stay on the page."""
        return self._stay(request)

    def _stay(self, request: HttpRequest) -> HttpResponse:
        messages.success(request, self.saved)
        return HttpResponseRedirect(self.page())
