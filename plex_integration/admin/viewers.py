"""How users get their own view of Plex: one row of settings, for superusers."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from plex_integration.admin import importing
from plex_integration.admin.importing import ImportFailed
from plex_integration.admin.single_row import SingleRowAdmin
from plex_integration.configuration.models import ViewerSettings
from plex_integration.plex.ids import is_id

_NAME = "plex_integration_viewersettings"


class ViewersForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """Edit the settings; each says what it does."""

    class Meta:
        model = ViewerSettings
        fields = ["plex_sign_in", "create_users", "unlinked"]
        widgets = {"unlinked": forms.RadioSelect}
        help_texts = {
            "plex_sign_in": "Users can sign in with their Plex account instead of a password. "
            "If off, signed-in users can still link an account.",
            "create_users": "Someone whose Plex account has access to this server, and who is not "
            "a user here, becomes one at the first sign-in: without a password and without rights.",
        }


@admin.register(ViewerSettings)
class ViewersAdmin(SingleRowAdmin):
    """Show the only row at once."""

    form = ViewersForm
    saved = "Settings saved. Take effect within 2 seconds."

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name=f"{_NAME}_import"), *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """List who has access to Plex; with POST, create users for those who were chosen."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        try:
            if request.method == "POST":
                return self._import(request)
            candidates = importing.read_candidates()
        except ImportFailed as failure:
            messages.error(request, str(failure))
            return HttpResponseRedirect(self.page())
        context = {
            **self.admin_site.each_context(request),
            "title": "Import users from Plex",
            "opts": self.opts,
            "candidates": candidates,
            "back": self.page(),
        }
        return TemplateResponse(
            request, "admin/plex_integration/viewersettings/import.html", context
        )

    def _import(self, request: HttpRequest) -> HttpResponse:
        chosen = {int(each) for each in request.POST.getlist("account") if is_id(each)}
        users = importing.import_users(chosen)
        for user in users:
            self.log_addition(request, user, "Imported from Plex.")
        count = "1 user" if len(users) == 1 else f"{len(users)} users"
        messages.success(request, f"{count} imported. The next step is to sign in with Plex.")
        return HttpResponseRedirect(reverse(f"admin:{_NAME}_import"))
