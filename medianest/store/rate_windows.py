"""Sliding windows: how many requests, or failed attempts, of one key are allowed in how long.

While Redis is unavailable every process counts for itself, from where all processes together were.
"""

import enum
import logging
import math
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from cachetools import TLRUCache
from redis.exceptions import NoScriptError

from medianest.store.loop_connection import Command
from medianest.store.redis_server import MICROSECONDS, RedisServer, Script
from medianest.store.stamps import Stamp, stamp_key

log = logging.getLogger(__name__)

MAX_KEYS = 100_000
"""How many keys a process counts at once, of each kind: with `expires`, without, and attempts.

Beyond this, the key used least recently is evicted, and its limit begins anew. No process serves
that many different keys within a window of one minute. The two kinds of hits are separate, so that
a flood of addresses never evicts a user.
"""

PREFIX = "medianest:limit:"

_HIT = Script("hit")
_BEGIN_ATTEMPT, _END_ATTEMPT = Script("begin_attempt"), Script("end_attempt")


class Hit(NamedTuple):
    """A request to count: at most `limit` in `window` seconds.

    `key` names the window. `expires` is for keys that are unbounded in number, such as addresses.
    Other keys, such as users, have no time to live in Redis: an eviction of volatile keys never
    lifts their limit.
    """

    key: str
    limit: int
    window: int
    expires: bool

    @property
    def scope(self) -> str:
        """The name of the limit, with which the key begins."""
        return self.key.partition(":")[0]


class Verdict(NamedTuple):
    """Whether a request is allowed, and what the rate limit headers say.

    `reset` is the epoch second in which the oldest counted request leaves the window;
    `retry_after` is how many seconds that is from now.
    """

    is_allowed: bool
    limit: int
    remaining: int
    reset: int
    retry_after: int

    @classmethod
    def of(cls, limit: int, *, allowed: bool, remaining: int, wait: int, now: int) -> "Verdict":
        """Create one from microseconds: `wait` until the oldest leaves, `now` since the epoch."""
        return cls(
            is_allowed=allowed,
            limit=limit,
            remaining=remaining,
            reset=math.ceil((now + wait) / MICROSECONDS),
            retry_after=max(1, math.ceil(wait / MICROSECONDS)),
        )


class StampedHit(NamedTuple):
    """A request of a user, which counts only if `stamp`, that of the token, is the user's own."""

    hit: Hit
    user_id: str
    stamp: str


class Counting(enum.Enum):
    """What became of a stamped hit."""

    COUNTED = 0
    UNKNOWN_USER = 1
    """The user's stamp is not stored. Nothing was counted."""
    OTHER_STAMP = 2
    """The token is not valid any more. Nothing was counted."""
    UNAVAILABLE = 3
    """Redis is unavailable or refuses. Nothing was counted."""


class StampedVerdict(NamedTuple):
    """The verdict on a stamped hit, if it was counted, and the user's stamp, if one is stored."""

    counting: Counting
    verdict: Verdict | None = None
    stamp: Stamp | None = None


class Attempt(enum.Enum):
    """The outcome of beginning an attempt."""

    BEGUN = 1
    WAIT = 0
    """Attempts that are still open use up the limit: try again when one has ended."""
    REFUSED = -1


class RateWindows(Protocol):
    """Sliding windows of requests, and of attempts that count only if they fail."""

    def hit(self, hit: Hit) -> Verdict:
        """Count a request if it is allowed."""

    def begin_attempt(
        self, key: str, limit: int, window: int, attempt_id: str
    ) -> tuple[Attempt, int]:
        """Begin an attempt that counts only if it fails; with REFUSED, the seconds to wait."""

    def end_attempt(self, key: str, attempt_id: str, *, failed: bool) -> None:
        """End an attempt: count it if it failed, remove it if not."""


@dataclass(frozen=True)
class _Window:
    span: int
    times: deque[int] = field(default_factory=deque)


@dataclass(frozen=True)
class _Attempts:
    """When each attempt of a key began, and whether it is still open."""

    span: int
    by_id: dict[str, tuple[int, bool]] = field(default_factory=dict)


def _now() -> int:
    return time.time_ns() // 1000


def _expires_at(_key: str, value: _Window | _Attempts, now: float) -> float:
    return now + value.span


class LocalRateWindows(RateWindows):
    """Sliding windows of this process: the same rules as the Lua scripts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[bool, TLRUCache[str, _Window]] = {
            expires: TLRUCache(MAX_KEYS, _expires_at, _now) for expires in (True, False)
        }
        self._mirrored: dict[bool, dict[str, tuple[int, int]]] = {True: {}, False: {}}
        self._attempts: TLRUCache[str, _Attempts] = TLRUCache(MAX_KEYS, _expires_at, _now)

    def hit(self, hit: Hit) -> Verdict:
        now = _now()
        with self._lock:
            window = self._window(hit, now)
            allowed = len(window.times) < hit.limit
            if allowed:
                self._count(hit, window, [now])
            oldest = window.times[0] if window.times else now
            remaining = max(0, hit.limit - len(window.times))
        wait = oldest + window.span - now
        return Verdict.of(hit.limit, allowed=allowed, remaining=remaining, wait=wait, now=now)

    def mirror(self, hit: Hit, used: int) -> None:
        """Note what all processes together have used, for the time when Redis is unavailable."""
        noted = self._mirrored[hit.expires]
        with self._lock:
            # A plain dictionary, in the order of use: this runs for every request.
            noted.pop(hit.key, None)
            noted[hit.key] = (used, _now())
            if len(noted) > MAX_KEYS:
                del noted[next(iter(noted))]

    def begin_attempt(
        self, key: str, limit: int, window: int, attempt_id: str
    ) -> tuple[Attempt, int]:
        now, span = _now(), window * MICROSECONDS
        with self._lock:
            began = self._began(key, span, now)
            if len(began) < limit:
                began[attempt_id] = (now, True)
                self._attempts[key] = _Attempts(span, began)
                return Attempt.BEGUN, 0
        if any(is_open for _, is_open in began.values()):
            return Attempt.WAIT, 0
        oldest = min(at for at, _ in began.values())
        return Attempt.REFUSED, max(1, math.ceil((oldest + span - now) / MICROSECONDS))

    def end_attempt(self, key: str, attempt_id: str, *, failed: bool) -> None:
        with self._lock:
            attempts = self._attempts.get(key)
            if attempts is None:
                return
            at, _ = attempts.by_id.pop(attempt_id, (_now(), True))
            if failed:
                attempts.by_id[attempt_id] = (at, False)
                self._attempts[key] = attempts

    def _window(self, hit: Hit, now: int) -> _Window:
        try:
            window = self._windows[hit.expires][hit.key]
        except KeyError:
            window = _Window(hit.window * MICROSECONDS)
        begin = now - window.span
        while window.times and window.times[0] <= begin:
            window.times.popleft()
        used, at = self._mirrored[hit.expires].pop(hit.key, (0, 0))
        if at > begin and used > len(window.times):
            self._count(hit, window, [at] * (used - len(window.times)))
        return window

    def _count(self, hit: Hit, window: _Window, times: list[int]) -> None:
        window.times.extend(times)
        self._windows[hit.expires][hit.key] = window

    def _began(self, key: str, span: int, now: int) -> dict[str, tuple[int, bool]]:
        attempts = self._attempts.get(key)
        by_id = attempts.by_id if attempts else {}
        return {each: began for each, began in by_id.items() if began[0] > now - span}


class RedisRateWindows(RateWindows):
    """Sliding windows of all workers and machines, under `medianest:limit:`; nothing clears them.

    While Redis is unavailable or refuses, this process's own windows count.
    """

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._local = LocalRateWindows()

    def hit(self, hit: Hit) -> Verdict:
        replies = self._server.send(self.hit_command(hit))
        return self.verdict(hit, replies[0] if replies else None)

    @staticmethod
    def hit_command(hit: Hit) -> Command:
        """Return the command that counts a request; `verdict` reads its reply."""
        return _HIT.command((PREFIX + hit.key,), *_hit_arguments(hit))

    @staticmethod
    def stamped_hit_command(stamped: StampedHit, *, is_unknown: bool = False) -> Command:
        """Return the command that counts a user's request, also if the script is unknown.

        `stamped_verdict` reads the reply.
        """
        keys = (PREFIX + stamped.hit.key, stamp_key(stamped.user_id))
        command = _HIT.unknown_command if is_unknown else _HIT.command
        return command(keys, *_hit_arguments(stamped.hit), stamped.stamp)

    def stamped_verdict(self, stamped: StampedHit, replies: list[Any] | None) -> StampedVerdict:
        """Return the verdict of what Redis replied to a stamped hit; None: it is unavailable."""
        reply = replies[0] if replies else None
        if not isinstance(reply, list):
            return StampedVerdict(Counting.UNAVAILABLE)
        if len(reply) == 1:
            return StampedVerdict(Counting.UNKNOWN_USER)
        *counted, written = reply
        stamp = Stamp.parse(written)
        if len(counted) == 1:
            return StampedVerdict(Counting.OTHER_STAMP, stamp=stamp)
        return StampedVerdict(Counting.COUNTED, self._verdict(stamped.hit, counted), stamp)

    def verdict(self, hit: Hit, reply: Any) -> Verdict:
        """Return the verdict of a reply to `hit_command`; None stands for an unavailable Redis."""
        if isinstance(reply, NoScriptError):
            reply = self._server.run_unknown(_HIT, PREFIX + hit.key, *_hit_arguments(hit))
        if isinstance(reply, Exception):
            log.warning("Redis cannot count limits (%s)", type(reply).__name__)
        if not isinstance(reply, list):
            return self._local.hit(hit)
        return self._verdict(hit, reply)

    def _verdict(self, hit: Hit, reply: list[Any]) -> Verdict:
        allowed, remaining, wait, now = map(int, reply[:4])
        self._local.mirror(hit, hit.limit - remaining)
        return Verdict.of(hit.limit, allowed=allowed == 1, remaining=remaining, wait=wait, now=now)

    def begin_attempt(
        self, key: str, limit: int, window: int, attempt_id: str
    ) -> tuple[Attempt, int]:
        arguments = (limit, window * MICROSECONDS, attempt_id)
        reply = self._server.run(_BEGIN_ATTEMPT, PREFIX + key, *arguments)
        if reply is None:
            return self._local.begin_attempt(key, limit, window, attempt_id)
        outcome, wait = reply
        return Attempt(outcome), max(1, math.ceil(int(wait) / MICROSECONDS))

    def end_attempt(self, key: str, attempt_id: str, *, failed: bool) -> None:
        self._local.end_attempt(key, attempt_id, failed=failed)
        self._server.run(_END_ATTEMPT, PREFIX + key, attempt_id, int(failed))


def _hit_arguments(hit: Hit) -> tuple[int, int, int]:
    return hit.limit, hit.window * MICROSECONDS, hit.window if hit.expires else 0
