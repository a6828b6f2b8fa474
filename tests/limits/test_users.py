"""How long a process may remember a user who must be refused."""

import time
from datetime import timedelta
from typing import Any

import pytest
from cachetools import TTLCache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import identity_cache, tokens
from accounts.models import User


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create(username="ada", password="!")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Move the clock of the cache of users."""
    users, moved = identity_cache._users, [0.0]

    def now() -> float:
        return time.monotonic() + moved[0]

    def move(seconds: float) -> None:
        moved[0] += seconds

    monkeypatch.setattr(identity_cache, "_users", TTLCache(users.maxsize, users.ttl, timer=now))
    return move


def test_a_user_is_remembered_for_less_than_thirty_seconds() -> None:
    assert identity_cache.USER_SECONDS < 30


def test_a_remembered_token_needs_no_query(user: User) -> None:
    access = tokens.issue(user).access
    identity_cache.signed_in(access)
    with CaptureQueriesContext(connection) as queries:
        found, _ = identity_cache.signed_in(access)
    assert (found.pk, len(queries)) == (user.pk, 0)


def deactivate(user: User) -> None:
    user.is_active = False
    user.save()


def change_password(user: User) -> None:
    user.set_password("another-password")
    user.save()


@pytest.mark.parametrize(
    "change",
    [deactivate, change_password, User.revoke_tokens, User.delete],
    ids=["deactivated", "password changed", "tokens revoked", "deleted"],
)
def test_a_changed_user_is_refused_within_thirty_seconds(
    user: User, change: Any, later: Any
) -> None:
    access = tokens.issue(user).access
    identity_cache.signed_in(access)
    change(user)
    later(29.9)
    for _ in range(2):
        with pytest.raises(tokens.TokenRefused):
            identity_cache.signed_in(access)


def test_repeated_requests_do_not_extend_the_time(user: User, later: Any) -> None:
    access = tokens.issue(user).access
    identity_cache.signed_in(access)
    deactivate(user)
    for _ in range(5):
        later(3.9)
        identity_cache.signed_in(access)
    later(3.9)
    with pytest.raises(tokens.TokenRefused):
        identity_cache.signed_in(access)


def test_an_old_token_is_refused_as_soon_as_a_new_one_was_used(user: User) -> None:
    old = tokens.issue(user).access
    identity_cache.signed_in(old)
    change_password(user)
    identity_cache.signed_in(tokens.issue(user).access)
    with pytest.raises(tokens.TokenRefused):
        identity_cache.signed_in(old)


def test_a_remembered_token_is_refused_once_it_has_expired(user: User) -> None:
    token = tokens.RefreshToken.for_user(user).access_token
    token.set_exp(lifetime=timedelta(seconds=2))
    access = str(token)
    identity_cache.signed_in(access)
    time.sleep(token["exp"] - time.time())
    with pytest.raises(tokens.TokenRefused):
        identity_cache.signed_in(access)


def test_a_refused_token_is_not_remembered(user: User) -> None:
    for number in range(50):
        with pytest.raises(tokens.TokenRefused):
            identity_cache.signed_in(f"not.a.token-{number}")
    assert len(identity_cache._tokens) == 0
