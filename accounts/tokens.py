"""Issue, read, rotate and revoke tokens. Nothing here knows HTTP.

A token is valid if its signature is valid, it has not expired, its claims have the right types, its
user is active, and its stamp is the user's current one (`User.token_stamp`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone
from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.utils import datetime_from_epoch

from accounts import stamps
from accounts.models import User

# 9999-12-31: a datetime cannot hold a later `exp`.
_LAST_EPOCH_SECOND = 253402300799


class TokenRefused(Exception):
    """The token is not valid: forged, expired, of the wrong type, revoked or malformed."""


class _Claims:
    """Refuse signed tokens whose claims do not have the types that this service writes."""

    payload: dict[str, Any]

    def verify(self) -> None:
        claims = self.payload
        is_valid = (
            type(claims.get("exp")) is int
            and 0 <= claims["exp"] <= _LAST_EPOCH_SECOND
            and isinstance(claims.get("jti"), str)
            and 0 < len(claims["jti"]) <= 64
            and isinstance(claims.get("user_id"), str)
            and len(claims["user_id"]) <= 18
            and claims["user_id"].isascii()
            and claims["user_id"].isdigit()
            and isinstance(claims.get("stamp"), str)
            and "aud" not in claims
        )
        if not is_valid:
            raise TokenError("Token has malformed claims")
        super().verify()  # type: ignore[misc]


class AccessToken(_Claims, simplejwt.AccessToken):
    """The token that requests send. It lives for 15 minutes."""


class RefreshToken(_Claims, simplejwt.RefreshToken):
    """The token that gets a new pair, once. It lives for 7 days."""

    access_token_class = AccessToken

    @classmethod
    def for_user(cls, user: User) -> Self:  # type: ignore[override]
        """Issue a token and store its id; the token itself is never stored."""
        token = cls()
        token["user_id"] = str(user.pk)
        token["stamp"] = user.token_stamp()
        OutstandingToken.objects.create(
            user=user,
            jti=token["jti"],
            token="",
            created_at=token.current_time,
            expires_at=datetime_from_epoch(token["exp"]),
        )
        return token


@dataclass(frozen=True)
class TokenPair:
    """An access and a refresh token; `expiresIn` is the access token's lifetime in seconds."""

    access: str
    refresh: str
    expiresIn: int


def sign_in(user: User) -> TokenPair:
    """Return a pair of tokens for a user who has just signed in, and record when that was."""
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())
    return issue(user)


def issue(user: User) -> TokenPair:
    """Return a new pair of tokens for a user."""
    refresh = RefreshToken.for_user(user)
    stamps.publish_new(user)
    lifetime: timedelta = settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"]  # type: ignore[assignment]
    return TokenPair(str(refresh.access_token), str(refresh), int(lifetime.total_seconds()))


def read(raw: str | bytes, kind: type[AccessToken] | type[RefreshToken]) -> Any:
    """Return the verified token. Raises TokenRefused.

    A signed token can contain any JSON, and for some of it the libraries raise other errors than
    their own. Those refuse the token as well.
    """
    try:
        return kind(raw)  # type: ignore[arg-type]
    except (TokenError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise TokenRefused from error


def bearer(token: Any) -> User:
    """Return the active user of a verified token. Raises TokenRefused if it has been revoked."""
    users = get_user_model().objects.select_related("plex_link")
    try:
        # `first()` would sort the one row, and spend a third of the query's time on that.
        user: User = users.get(pk=int(token["user_id"]))
    except User.DoesNotExist:
        raise TokenRefused from None
    if not user.is_active or user.token_stamp() != token["stamp"]:
        raise TokenRefused
    return user


def rotate(raw: str) -> TokenPair:
    """Exchange a refresh token for a new pair. Raises TokenRefused; the old token is used up."""
    token = read(raw, RefreshToken)
    user = bearer(token)
    _use_up(token)
    return issue(user)


def revoke(raw: str) -> None:
    """Revoke a refresh token. Raises TokenRefused if it is not valid."""
    token = read(raw, RefreshToken)
    bearer(token)
    _use_up(token)


def expires_at(token: Any) -> datetime:
    """Return when a verified token expires."""
    return datetime_from_epoch(token["exp"])


def _use_up(token: Any) -> None:
    # The blacklist has one row per token: of two requests with one token, only one creates it.
    outstanding = OutstandingToken.objects.filter(jti=token["jti"]).first()
    if outstanding is None:
        raise TokenRefused
    _, is_first = BlacklistedToken.objects.get_or_create(token=outstanding)
    if not is_first:
        raise TokenRefused
