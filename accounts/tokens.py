"""Issue, read, rotate and revoke tokens. Nothing here knows HTTP.

A token is good while its signature and time are good, its claims have the right shape, its user
is active and its stamp is the user's present one (`User.token_stamp`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.contrib.auth import get_user_model
from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.utils import datetime_from_epoch

from accounts.models import User

# 9999-12-31, the last moment a datetime can hold: a later `exp` is no time.
_LAST_EPOCH_SECOND = 253402300799


class TokenRefused(Exception):
    """The token is not good: forged, expired, of the wrong type, revoked or malformed."""


class _Claims:
    """Refuse signed tokens whose claims are not of the shape this service writes."""

    payload: dict[str, Any]

    def verify(self) -> None:
        claims = self.payload
        good = (
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
        if not good:
            raise TokenError("Token has malformed claims")
        super().verify()  # type: ignore[misc]


class AccessToken(_Claims, simplejwt.AccessToken):
    """What a request carries: 15 minutes."""


class RefreshToken(_Claims, simplejwt.RefreshToken):
    """What renews the access token, once: 7 days."""

    access_token_class = AccessToken

    @classmethod
    def for_user(cls, user: User) -> Self:  # type: ignore[override]
        """Issue a token and note its id; the token itself is never stored."""
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
    """An access token, the refresh token that renews it, and the access token's life in seconds."""

    access: str
    refresh: str
    expiresIn: int


def issue(user: User) -> TokenPair:
    """Sign a user in: return a fresh pair."""
    refresh = RefreshToken.for_user(user)
    lifetime: timedelta = settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"]  # type: ignore[assignment]
    return TokenPair(str(refresh.access_token), str(refresh), int(lifetime.total_seconds()))


def read(raw: str | bytes, kind: type[AccessToken] | type[RefreshToken]) -> Any:
    """Return the verified token; raise TokenRefused for anything that is none.

    A signed token can still hold any JSON, and the libraries below raise more than their own
    errors on it: whatever they trip over, the token is refused.
    """
    try:
        return kind(raw)  # type: ignore[arg-type]
    except (TokenError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise TokenRefused from error


def bearer(token: Any) -> User:
    """Return the active user a verified token is of; raise TokenRefused where it is revoked."""
    user = get_user_model().objects.filter(pk=int(token["user_id"])).first()
    if user is None or not user.is_active or user.token_stamp() != token["stamp"]:
        raise TokenRefused
    return user


def rotate(raw: str) -> TokenPair:
    """Trade a refresh token for a fresh pair; the old one is refused from then on."""
    token = read(raw, RefreshToken)
    user = bearer(token)
    _spend(token)
    return issue(user)


def revoke(raw: str) -> None:
    """Refuse a refresh token from now on."""
    token = read(raw, RefreshToken)
    bearer(token)
    _spend(token)


def expires_at(token: Any) -> datetime:
    """Return when a verified token ends."""
    return datetime_from_epoch(token["exp"])


def _spend(token: Any) -> None:
    # The blacklist's unique row decides: of two requests with one token, one alone creates it.
    outstanding = OutstandingToken.objects.filter(jti=token["jti"]).first()
    if outstanding is None:
        raise TokenRefused
    _, first = BlacklistedToken.objects.get_or_create(token=outstanding)
    if not first:
        raise TokenRefused
