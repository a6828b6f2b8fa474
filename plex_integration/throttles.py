"""Who has asked too often: users at the endpoints, addresses and names at the door.

Counting is the store's: exact over all workers, one script each. Here is what is counted.
"""

import time
from hashlib import blake2b
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from plex_integration import in_force, store
from plex_integration.errors import RateLimitExceeded
from plex_integration.policies import BAD_TOKENS, FAILED_SIGN_INS, WINDOW, Limit
from plex_integration.store import Attempt, Take, Verdict

# An attempt that finds only open ones before it waits for them to end, in these steps, so long.
WAIT_STEP = 0.05
WAITS = 60


class Turn:
    """One request's turn at its user's limit, taken once."""

    def __init__(self, user: str, limit: Limit, *, is_kept: bool = True) -> None:
        self._take: Take | None = Take(
            f"{limit.scope}:{user}", in_force.requests(limit), WINDOW, is_kept=is_kept
        )
        self.verdict: Verdict | None = None

    def pending(self) -> Take | None:
        """Return what is still to be taken, for a look that takes it on its way."""
        return self._take

    @property
    def is_allowed(self) -> bool:
        """Tell whether it is not known to be one too many."""
        return self.verdict is None or self.verdict.is_allowed

    def note(self, verdict: Verdict | None) -> None:
        """Note what a look was told."""
        if verdict is not None:
            self._take, self.verdict = None, verdict

    def settle(self, verdict: Verdict | None) -> None:
        """Note what a look was told. Raises RateLimitExceeded."""
        self.note(verdict)
        if self.verdict is not None and not self.verdict.is_allowed:
            raise RateLimitExceeded(self.verdict.limit, WINDOW, self.verdict.retry_after)

    def take(self) -> None:
        """Take the turn now, if it was not taken yet. Raises RateLimitExceeded."""
        self.settle(store.current().look(self._take).verdict if self._take else None)

    def mark(self, response: HttpResponseBase) -> None:
        """Say in the headers where the user stands."""
        if self.verdict:
            response["X-RateLimit-Limit"] = str(self.verdict.limit)
            response["X-RateLimit-Remaining"] = str(self.verdict.remaining)
            response["X-RateLimit-Reset"] = str(self.verdict.reset)


def visitor_turn(request: HttpRequest, limit: Limit) -> Turn:
    """Return the turn of an address, for a request of nobody who is signed in."""
    # There is no end of addresses, so what is counted of one may be forgotten.
    return Turn(f"address:{_named(client_address(request))}", limit, is_kept=False)


def client_address(request: HttpRequest) -> str:
    """Return the address a request came from.

    X-Forwarded-For is believed only for as many hops as there are proxies of ours (PROXY_COUNT):
    what stands left of those, the client wrote itself.
    """
    if settings.PROXY_COUNT:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(hops) >= settings.PROXY_COUNT and hops[-settings.PROXY_COUNT]:
            return str(hops[-settings.PROXY_COUNT])
    return str(request.META.get("REMOTE_ADDR", ""))


def bad_token(request: HttpRequest) -> None:
    """Count a bad token against its address. Raises RateLimitExceeded from the 31st a minute on."""
    places = in_force.requests(BAD_TOKENS)
    take = Take(
        f"{BAD_TOKENS.scope}:{_named(client_address(request))}", places, WINDOW, is_kept=False
    )
    verdict = store.current().look(take).verdict
    if verdict and not verdict.is_allowed:
        raise RateLimitExceeded(places, WINDOW, verdict.retry_after)


class SignIn:
    """An attempt to sign in: it counts against its address and its name, unless it succeeds."""

    def __init__(self, request: HttpRequest, username: str) -> None:
        self._keys = [
            f"{FAILED_SIGN_INS.scope}:{kind}:{_named(value)}"
            for kind, value in (
                ("address", client_address(request)),
                ("name", username.casefold()),
            )
        ]
        self._id = uuid4().hex
        self._begun: list[str] = []

    def begin(self) -> None:
        """Take a place before any password is looked at. Raises RateLimitExceeded."""
        places = in_force.requests(FAILED_SIGN_INS)
        for key in self._keys:
            outcome, wait = Attempt.WAIT, 0
            for _ in range(WAITS):
                outcome, wait = store.current().attempt(key, places, WINDOW, self._id)
                if outcome is not Attempt.WAIT:
                    break
                time.sleep(WAIT_STEP)
            if outcome is not Attempt.BEGUN:
                self.end(failed=False)
                raise RateLimitExceeded(places, WINDOW, max(1, wait))
            self._begun.append(key)

    def end(self, *, failed: bool) -> None:
        """Let the attempt count, or not."""
        for key in self._begun:
            store.current().end_attempt(key, self._id, failed=failed)


def _named(value: str) -> str:
    # What clients send becomes part of no key: its hash does.
    return blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
