"""The sign-in forms for browsers. Failures count per address and name, like those of the API."""

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from accounts.throttling import SignInAttempt
from medianest.api.exceptions import RateLimitExceeded

_RETRY_AFTER = "accounts.retry_after"


class LimitedForm(AuthenticationForm):
    """The sign-in form of the browsable API, which is limited before any password is hashed."""

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


class LimitedAdminForm(LimitedForm, AdminAuthenticationForm):
    """The sign-in form of the admin, which only lets staff in."""


def set_refusal(request: HttpRequest, response: HttpResponse) -> None:
    """Make this the response 429 if the form has refused the attempt."""
    if retry_after := request.META.get(_RETRY_AFTER):
        response.status_code = 429
        response["Retry-After"] = retry_after
