"""DRF authentication: an access token in the header, or a browser's session for HTML pages."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import tokens, verified_tokens
from accounts.models import User
from accounts.throttling import count_bad_token
from medianest.api.exceptions import CHALLENGE

HTML = "text/html"


class BearerAuthentication(BaseAuthentication):
    """Accept a valid access token as `Authorization: Bearer <token>`; the scheme in any case."""

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        scheme, _, raw = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            token = verified_tokens.verified(raw.strip())
            return tokens.bearer(token), token
        except tokens.TokenRefused:
            count_bad_token(request._request)
            raise AuthenticationFailed from None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class BrowserSession(BaseAuthentication):
    """Accept a session for reading HTML pages; the sign-in page and the admin begin one.

    JSON responses and every request that changes something need a token, so that no other site can
    use the cookie.
    """

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        renderer = getattr(request, "accepted_renderer", None)
        if request.method not in ("GET", "HEAD") or getattr(renderer, "media_type", "") != HTML:
            return None
        user = getattr(request._request, "user", None)
        return (user, None) if isinstance(user, User) and user.is_active else None
