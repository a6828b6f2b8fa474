"""Limits on signing in: failed attempts per address and per name, bad tokens per address."""

from uuid import uuid4

from django.http import HttpRequest

from medianest import store
from medianest.api.exceptions import RateLimitExceeded
from medianest.api.limits import (
    WINDOW,
    Limit,
    address_hit,
    client_address,
    hashed,
    requests_allowed,
)
from medianest.store import Attempt

FAILED_SIGN_INS = Limit("sign-in", 10)
"""Per address and per name; only failed attempts count."""
BAD_TOKENS = Limit("bad-token", 30)
"""Per address."""

LIMITS = (FAILED_SIGN_INS, BAD_TOKENS)
"""Every limit of this app that an operator can change."""


def count_bad_token(request: HttpRequest) -> None:
    """Count a bad token of an address. Raises RateLimitExceeded beyond the limit."""
    verdict = store.current().rate_windows.hit(address_hit(request, BAD_TOKENS, prefix=""))
    if not verdict.is_allowed:
        raise RateLimitExceeded(verdict.limit, WINDOW, verdict.retry_after)


class SignInAttempt:
    """An attempt to sign in. It counts per address and per name, unless it succeeds.

    Attempts that have not ended yet count as well. No thread waits for them: while they fill the
    limit, another attempt is refused and may come again after a second.
    """

    def __init__(self, request: HttpRequest, username: str) -> None:
        self._keys = [
            f"{FAILED_SIGN_INS.scope}:{kind}:{hashed(value)}"
            for kind, value in (
                ("address", client_address(request)),
                ("name", username.casefold()),
            )
        ]
        self._id = uuid4().hex
        self._begun: list[str] = []

    def begin(self) -> None:
        """Count the attempt before any password is checked. Raises RateLimitExceeded."""
        limit, windows = requests_allowed(FAILED_SIGN_INS), store.current().rate_windows
        for key in self._keys:
            outcome, wait = windows.begin_attempt(key, limit, WINDOW, self._id)
            if outcome is not Attempt.BEGUN:
                self.end(failed=False)
                raise RateLimitExceeded(limit, WINDOW, max(1, wait))
            self._begun.append(key)

    def end(self, *, failed: bool) -> None:
        """Keep the attempt counted if it failed; otherwise remove it."""
        for key in self._begun:
            store.current().rate_windows.end_attempt(key, self._id, failed=failed)
