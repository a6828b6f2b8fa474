"""DRF's door: turn an `Authorization: Bearer` header into a user."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import memory, tokens
from accounts.models import User
from plex_integration import throttles
from plex_integration.errors import CHALLENGE


class BearerAuthentication(BaseAuthentication):
    """Accept a good access token as `Authorization: Bearer <token>`; the scheme in any case."""

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        scheme, _, raw = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return memory.signed_in(raw.strip())
        except tokens.TokenRefused:
            throttles.bad_token(request._request)
            raise AuthenticationFailed from None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE
