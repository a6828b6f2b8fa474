"""PINs that somebody signs in to Plex with, in the database: all workers share them.

A PIN belongs to whoever has its secret. One that links a signed-in user also belongs to this user,
so nobody can make somebody else finish it.
"""

import secrets as random
import time
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Case, Min, Q, Value, When

from accounts.models import User
from medianest import secrets
from medianest.api.exceptions import AccessDenied, Problem
from plex_integration.errors import (
    LinkReason,
    PinNotFound,
    PlexAccountLinked,
    PlexLinkRequired,
)
from plex_integration.plex.plextv.http import UnsupportedToken
from plex_integration.plex.plextv.pins import Pin

POLL_SECONDS = 2.5
"""How often plex.tv is asked for a PIN, by all workers together."""
LEASE_SECONDS = 30.0
"""How long a worker may take to ask for a PIN before another one does."""
SPACING_SECONDS = 1.0
"""How often plex.tv is asked for any PIN: it documents one request a second."""
MAX_PAUSE_SECONDS = 30.0
"""The longest pause after plex.tv limited the requests and did not say for how long."""
MAX_RETRY_AFTER = 3600
CLIENT_SECONDS = 10.0
"""A PIN whose client asked within this time comes first."""
OVERDUE_SECONDS = 30.0
"""A PIN that nobody asks for comes first as well when it was due so long ago."""
CLAIM_SECONDS = 3600.0
"""How long after a PIN expired its token is still tried, if plex.tv is unavailable meanwhile."""


class Failure(models.TextChoices):
    """Why a sign-in ended without a result."""

    NOT_ALLOWED = "not-allowed"
    NO_ACCESS = "no-access"
    REVOKED = "revoked"
    LINKED = "linked"
    UNSUPPORTED = "unsupported"


class PlexPin(models.Model):
    """A PIN: waiting for somebody to sign in, claimed (its token is known), or at its end.

    `user` is who links an account; for a sign-in, who is signed in at its end. `secret_digest` is
    the SHA-256 of the secret that the creator was given. Times are seconds since the epoch.
    """

    class State(models.TextChoices):
        """How far the PIN is."""

        WAITING = "waiting"
        CLAIMED = "claimed"
        COMPLETE = "complete"
        FAILED = "failed"
        USED = "used"

    plex_id = models.BigIntegerField()
    secret_digest = models.CharField(max_length=64)
    is_sign_in = models.BooleanField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    failure = models.CharField(max_length=12, choices=Failure.choices, blank=True)
    encrypted_token = models.TextField(blank=True)
    expires_at = models.FloatField()
    asked_at = models.FloatField()
    next_poll_at = models.FloatField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"PIN {self.pk}"

    @property
    def token(self) -> str | None:
        """The account's token, once the PIN is claimed; None if it cannot be decrypted."""
        return secrets.decrypted(self.encrypted_token)

    @property
    def seconds_left(self) -> int:
        """The seconds until the PIN expires."""
        return max(0, int(self.expires_at - time.time()))

    @property
    def is_open(self) -> bool:
        """Tell whether the PIN, as it was read, may still be finished."""
        seconds = CLAIM_SECONDS if self.state == self.State.CLAIMED else 0.0
        is_waiting = self.state in (self.State.WAITING, self.State.CLAIMED)
        return is_waiting and self.expires_at + seconds > time.time()

    def change(self, **values: Any) -> bool:
        """Change the PIN if its state is still the one that was read; tell whether it was."""
        same = PlexPin.objects.filter(pk=self.pk, state=self.state)
        if not same.update(**values):
            return False
        for name, value in values.items():
            setattr(self, name, value)
        return True

    def claim(self, token: str) -> None:
        """Store the token that plex.tv issued for the PIN."""
        self.change(state=self.State.CLAIMED, encrypted_token=secrets.encrypted(token))

    def fail(self, failure: Failure) -> None:
        """End the PIN without a result, unless another worker has finished it."""
        self.change(state=self.State.FAILED, failure=failure, encrypted_token="")

    def problem(self) -> Problem:
        """Return the error of a PIN that failed."""
        match self.failure:
            case Failure.NO_ACCESS:
                return PlexLinkRequired.because(LinkReason.NO_ACCESS)
            case Failure.REVOKED:
                return PlexLinkRequired.because(LinkReason.REVOKED)
            case Failure.LINKED:
                return PlexAccountLinked()
            case Failure.UNSUPPORTED:
                return UnsupportedToken()
        return AccessDenied("This Plex account may not sign in here.")


class PollSchedule(models.Model):
    """The only row: when plex.tv may be asked for a PIN again, by any worker."""

    next_at = models.FloatField(default=0)
    pause = models.FloatField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return "Poll schedule"


@dataclass(frozen=True)
class NewPin:
    """A PIN that was just created, and its secret, which is not stored."""

    row: PlexPin
    secret: str = field(repr=False)


def create(pin: Pin, user: User | None) -> NewPin:
    """Store a PIN that plex.tv created: to link a user, or without one to sign in."""
    now, secret = time.time(), random.token_urlsafe(32)
    row = PlexPin.objects.create(
        plex_id=pin.id,
        secret_digest=_digest(secret),
        is_sign_in=user is None,
        user=user,
        expires_at=now + pin.seconds,
        asked_at=now,
        next_poll_at=now + POLL_SECONDS,
    )
    return NewPin(row, secret)


def find(pin_id: str, secret: str, user: User | None) -> PlexPin:
    """Return the PIN with this secret; one that links a user only for this user.

    Raises PinNotFound, always the same.
    """
    is_id = pin_id.isascii() and pin_id.isdigit() and len(pin_id) <= 18
    pins = PlexPin.objects.exclude(_old(time.time()) | Q(state=PlexPin.State.USED))
    pin = pins.select_related("user").filter(pk=int(pin_id)).first() if is_id else None
    if pin is None or not compare_digest(pin.secret_digest, _digest(secret)):
        raise PinNotFound
    if not pin.is_sign_in and (pin.user is None or pin.user != user):
        raise PinNotFound
    return pin


def note_client(pin: PlexPin) -> None:
    """Note that the client of a PIN waits for it: such PINs come first."""
    now = time.time()
    if now - pin.asked_at >= 1:
        PlexPin.objects.filter(pk=pin.pk).update(asked_at=now)


def seconds_until_due() -> float | None:
    """Return in how many seconds the next open PIN is due; None if there is no open PIN."""
    now = time.time()
    due_at = PlexPin.objects.filter(_open(now)).aggregate(at=Min("next_poll_at"))["at"]
    return None if due_at is None else max(0.0, due_at - now)


def take_next() -> PlexPin | None:
    """Return an open PIN that this worker alone asks for now; None if none is due.

    Those whose client waits come first, and those that have waited for too long.
    """
    now = time.time()
    is_first = Q(asked_at__gte=now - CLIENT_SECONDS) | Q(next_poll_at__lte=now - OVERDUE_SECONDS)
    rank = Case(When(is_first, then=Value(0)), default=Value(1))
    due = PlexPin.objects.filter(_open(now), next_poll_at__lte=now)
    pin = due.order_by(rank, "next_poll_at").first()
    if pin is None:
        return None
    taken = PlexPin.objects.filter(pk=pin.pk, next_poll_at=pin.next_poll_at)
    return pin if taken.update(next_poll_at=now + LEASE_SECONDS) else None


def release(pin: PlexPin) -> None:
    """Let any worker ask for a PIN again."""
    PlexPin.objects.filter(pk=pin.pk).update(next_poll_at=time.time() + POLL_SECONDS)


def seconds_until_reserved() -> float:
    """Reserve the next request about a PIN: 0 if it may be sent now, else the seconds to wait."""
    now = time.time()
    schedule, _ = PollSchedule.objects.get_or_create(pk=1)
    if schedule.next_at > now:
        return float(schedule.next_at - now)
    reserved = PollSchedule.objects.filter(pk=1, next_at=schedule.next_at)
    return 0.0 if reserved.update(next_at=now + SPACING_SECONDS) else SPACING_SECONDS


def pause(after: int | None) -> None:
    """Stop asking for so many seconds; without a number for twice as long as the last time."""
    schedule, _ = PollSchedule.objects.get_or_create(pk=1)
    schedule.pause = min(MAX_PAUSE_SECONDS, schedule.pause * 2 or 1.0)
    seconds = schedule.pause if after is None else min(after, MAX_RETRY_AFTER)
    schedule.next_at = time.time() + max(seconds, SPACING_SECONDS)
    schedule.save()


def resume() -> None:
    """Forget the pauses: plex.tv answers again."""
    PollSchedule.objects.filter(pk=1, pause__gt=0).update(pause=0)


def expire(pin: PlexPin) -> None:
    """End a PIN that plex.tv does not know any more."""
    pin.change(expires_at=time.time())


def delete_expired() -> None:
    """Delete the PINs that can no longer be finished."""
    PlexPin.objects.filter(_old(time.time())).delete()


def _open(now: float) -> Q:
    waiting = Q(state=PlexPin.State.WAITING, expires_at__gt=now)
    return waiting | Q(state=PlexPin.State.CLAIMED, expires_at__gt=now - CLAIM_SECONDS)


def _old(now: float) -> Q:
    return Q(expires_at__lt=now - CLAIM_SECONDS)


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
