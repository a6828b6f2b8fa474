"""The admin's site: its name, and its sign-in."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.forms import LimitedAdminForm, set_refusal

_first_pages: list[Callable[[HttpRequest], str]] = []


def add_first_page(first_page: Callable[[HttpRequest], str]) -> None:
    """Let a function say which page a user must see first after signing in, "" for none."""
    _first_pages.append(first_page)


class Site(AdminSite):
    """The admin's site."""

    site_header = site_title = "MediaNest"
    index_title = "Administration"
    site_url = "/api/v1/docs"
    login_form = LimitedAdminForm

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Sign in; respond with 429 after too many failed attempts.

        Whoever wanted no other page than the index goes to what must be done first, if anything.
        """
        response = super().login(request, extra_context)
        if response.status_code == 302 and response["Location"] == reverse("admin:index"):
            pages = (first_page(request) for first_page in _first_pages)
            return HttpResponseRedirect(next(filter(None, pages), response["Location"]))
        set_refusal(request, response)
        return response
