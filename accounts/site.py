"""The admin's site: its name, and a sign-in that is limited before any password is hashed."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from accounts.throttling import SignInAttempt
from medianest.api.exceptions import RateLimitExceeded

_RETRY_AFTER = "accounts.retry_after"


class LimitedForm(AdminAuthenticationForm):
    """The admin's sign-in form. Failures count per address and per name, like those of the API."""

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        if self.request is None or not username or not self.cleaned_data.get("password"):
            return super().clean()
        attempt = SignInAttempt(self.request, username)
        try:
            attempt.begin()
        except RateLimitExceeded as refused:
            self.request.META[_RETRY_AFTER] = refused.headers["Retry-After"]
            raise ValidationError("Too many failed attempts. Try again in a minute.") from None
        is_failed = True
        try:
            cleaned = super().clean()
            is_failed = False
        finally:
            attempt.end(failed=is_failed)
        return cleaned


class Site(AdminSite):
    """The admin's site."""

    site_header = site_title = "MediaNest"
    index_title = "Administration"
    site_url = "/api/v1/docs"
    login_form = LimitedForm

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Sign in; respond with 429 after too many failed attempts."""
        response = super().login(request, extra_context)
        if retry_after := request.META.get(_RETRY_AFTER):
            response.status_code = 429
            response["Retry-After"] = retry_after
        return response
