"""Expired tokens, sessions and locks are deleted, by a command and by the listener."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import tokens
from plex_integration.management import expired
from plex_integration.writing import locks
from plex_integration.writing.locks import WriteLock
from tests.conftest import Client


def save(user: Any, age: timedelta) -> None:
    """Save a used token and a session that expired so long ago, or expire later."""
    at = timezone.now() - age
    token = OutstandingToken.objects.create(
        user=user, jti=f"jti-{age}", token="", created_at=at, expires_at=at
    )
    BlacklistedToken.objects.create(token=token)
    session = SessionStore()
    session.set_expiry(at)
    session.save()


def stored() -> list[int]:
    """Count the saved tokens, used tokens, sessions and locks."""
    return [
        OutstandingToken.objects.filter(jti__startswith="jti-").count(),
        BlacklistedToken.objects.count(),
        Session.objects.count(),
        WriteLock.objects.count(),
    ]


def test_the_command_deletes_what_has_expired_and_nothing_else(user: Any) -> None:
    save(user, timedelta(seconds=1))
    save(user, timedelta(days=-1))
    assert locks.lock("expired", "holder", -1)
    assert locks.lock("held", "holder", 60)
    assert stored() == [2, 2, 2, 2]
    call_command("delete_expired")
    assert stored() == [1, 1, 1, 1]
    assert WriteLock.objects.get().name == "held"


def test_a_token_that_is_still_valid_works_after_the_command(user: Any, anonymous: Client) -> None:
    pair = tokens.issue(user)
    call_command("delete_expired")
    refresh = anonymous.post("/auth/token/refresh", json={"refresh": pair.refresh})
    assert refresh.status_code == 200


def test_an_attempt_says_when_the_next_one_is_due(
    user: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    save(user, timedelta(seconds=1))
    assert expired.attempt() == expired.DAY_SECONDS == 24 * 3600
    assert stored() == [0, 0, 0, 0]

    def fail(*_: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(expired, "delete_expired", fail)
    assert expired.attempt() == expired.RETRY_SECONDS < expired.DAY_SECONDS
    assert "expired tokens and sessions are not deleted: OperationalError" in caplog.text
