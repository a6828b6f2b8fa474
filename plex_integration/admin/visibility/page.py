"""The page that says why a user does not see an item or a library: for staff who may see users."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.validators import RegexValidator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.models import User
from plex_integration.admin.visibility.explanation import Explanation, Subject, explain
from plex_integration.configuration.models import VisibilityCheck

MAX_NAMES = 1000
"""How many user names a browser can complete; others are typed."""

_ITEM, _LIBRARY = "item", "library"
_KINDS = [(_ITEM, "Item, by its rating key"), (_LIBRARY, "Library, by its key")]


class VisibilityForm(forms.Form):
    """Ask for a user and what the user does not see."""

    user = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"list": "user-names"}))
    kind = forms.ChoiceField(label="Does not see", choices=_KINDS)
    key = forms.CharField(
        max_length=10,
        validators=[RegexValidator(r"\A[0-9]{1,10}\Z", "A key consists of 1 to 10 digits.")],
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def clean_user(self) -> User:
        name: str = self.cleaned_data["user"]
        user: User | None = User.objects.filter(username=name).first()
        if user is None:
            raise forms.ValidationError("There is no user with this name.")
        return user

    def explanation(self) -> Explanation:
        """Answer a valid form."""
        subject = Subject(self.cleaned_data["kind"] == _ITEM, self.cleaned_data["key"])
        return explain(self.cleaned_data["user"], subject)


@admin.register(VisibilityCheck)
class VisibilityAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """One page: a form, and below it the answer and its steps. Nothing is saved."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_staff and request.user.has_perm("accounts.view_user"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) or self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the form, and the answer to one that was sent."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = VisibilityForm(request.GET if "key" in request.GET else None, initial=request.GET)
        context = {
            **self.admin_site.each_context(request),
            "title": "Why can this user not see this?",
            "opts": self.opts,
            "form": form,
            "names": User.objects.order_by("username").values_list("username", flat=True)[
                :MAX_NAMES
            ],
            "explanation": form.explanation() if form.is_valid() else None,
        }
        template = "admin/plex_integration/visibilitycheck/page.html"
        return TemplateResponse(request, template, context)
