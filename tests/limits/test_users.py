"""How long a process may remember a user who is no longer welcome."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import identity_cache, tokens
from accounts.models import User


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create(username="ada", password="!")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Move the clock by which users are remembered."""
    moved = [0.0]
    real = identity_cache.time

    class Clock:
        time = staticmethod(real.time)

        @staticmethod
        def monotonic() -> float:
            return real.monotonic() + moved[0]

    monkeypatch.setattr(identity_cache, "time", Clock)

    def move(seconds: float) -> None:
        moved[0] += seconds

    return move


def test_a_user_is_remembered_for_less_than_thirty_seconds() -> None:
    assert identity_cache.USER_SECONDS < 30


def test_a_token_seen_before_asks_the_database_nothing(user: User) -> None:
    access = tokens.issue(user).access
    identity_cache.signed_in(access)
    with CaptureQueriesContext(connection) as seen:
        found, _ = identity_cache.signed_in(access)
    assert (found.pk, len(seen)) == (user.pk, 0)


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
def test_a_user_who_is_no_longer_welcome_is_refused_within_thirty_seconds(
    user: User, change: Any, later: Any
) -> None:
    access = tokens.issue(user).access
    identity_cache.signed_in(access)
    change(user)
    later(29.9)
    for _ in range(2):
        with pytest.raises(tokens.TokenRefused):
            identity_cache.signed_in(access)


def test_being_seen_again_and_again_prolongs_nothing(user: User, later: Any) -> None:
    access = tokens.issue(user).access
    identity_cache.signed_in(access)
    deactivate(user)
    for _ in range(5):
        later(3.9)
        identity_cache.signed_in(access)
    later(3.9)
    with pytest.raises(tokens.TokenRefused):
        identity_cache.signed_in(access)


def test_an_old_token_is_refused_as_soon_as_a_new_one_was_seen(user: User) -> None:
    old = tokens.issue(user).access
    identity_cache.signed_in(old)
    change_password(user)
    identity_cache.signed_in(tokens.issue(user).access)
    with pytest.raises(tokens.TokenRefused):
        identity_cache.signed_in(old)


def test_a_token_that_ended_is_refused_though_it_was_seen(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = tokens.issue(user).access
    _, token = identity_cache.signed_in(access)
    monkeypatch.setattr(identity_cache.time, "time", lambda: token["exp"] + 0.0)
    with pytest.raises(tokens.TokenRefused):
        identity_cache.signed_in(access)


def test_a_token_that_was_refused_is_not_remembered(user: User) -> None:
    for number in range(50):
        with pytest.raises(tokens.TokenRefused):
            identity_cache.signed_in(f"not.a.token-{number}")
    assert len(identity_cache._tokens) == 0
