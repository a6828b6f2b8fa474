"""Signing in to the browsable API: a session that opens its pages, for every active user."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.views import View

from accounts.forms import LimitedForm, set_refusal
from medianest.api.error_views import refusal
from medianest.api.exceptions import MethodNotAllowed


class RefusingOtherMethods(View):
    """A page that refuses a method as the endpoints do."""

    def http_method_not_allowed(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Respond with METHOD_NOT_ALLOWED and the methods of the page."""
        allowed = ", ".join(name.upper() for name in self.http_method_names if hasattr(self, name))
        return refusal(request, MethodNotAllowed(headers={"Allow": allowed}))


class SignInPage(RefusingOtherMethods, LoginView):
    """`/auth/sign-in`. `next` is the page to open then; one of another host is ignored."""

    http_method_names = ["get", "head", "post", "options"]
    template_name = "plex_integration/sign_in.html"
    authentication_form = LimitedForm
    next_page = "plex-index"
    extra_context = {"title": "Sign in"}

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the form again; respond with 429 after too many failed attempts."""
        response = super().form_invalid(form)
        set_refusal(self.request, response)
        return response


class SignOutPage(RefusingOtherMethods, LogoutView):
    """`/auth/sign-out`. It needs POST: a link of another site must not sign anybody out."""

    next_page = "plex-index"
