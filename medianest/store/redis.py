"""The store that all workers and machines share, in Redis or Valkey.

No request waits for a Redis that is away: the first timeout or refused connection opens a breaker,
and a thread of this process, not a request, finds out when Redis is back. Every script has one
key. Answers go under `medianest:cache:`; limits under `medianest:limit:` and what writes note under
`medianest:note:`, which nothing clears.
"""

import contextlib
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import redis
from django.conf import settings
from django_redis import get_redis_connection

from medianest.store.local import LocalBreaker, LocalLimits, LocalNotes
from medianest.store.values import MICROSECONDS, MOST_TAGS, Attempt, Look, Take, Verdict

log = logging.getLogger(__name__)

CACHE = "medianest:cache:"
LIMIT = "medianest:limit:"
NOTE = "medianest:note:"
COUNT = "medianest:count:"
_VERSIONS = f"{CACHE}versions"
_BREAKER = f"{CACHE}breaker"

# How often a Redis that is away is tried, and how long a failure is told to those who wait.
TRIED_EVERY = 0.5
FAILURE_TOLD_MS = 1000
# No entry lives longer than this, so no version need be kept longer.
VERSIONS_KEPT = 2 * 24 * 3600
# A breaker that nobody asks closes by itself.
BREAKER_KEPT = 3600


class _Script:
    def __init__(self, name: str) -> None:
        self.text = (Path(__file__).parent / "lua" / f"{name}.lua").read_text()
        self.sha = hashlib.sha1(self.text.encode()).hexdigest()  # noqa: S324 - Redis's own name


_TAKE, _BUMP = _Script("take"), _Script("bump")
_ATTEMPT, _END_ATTEMPT = _Script("attempt"), _Script("end_attempt")
_ACQUIRE, _EXTEND, _RELEASE = _Script("acquire"), _Script("extend"), _Script("release")
_MAY_ASK, _FAILED = _Script("may_ask"), _Script("failed")


class RedisStore:
    """Answers, limits, leases, notes and the breaker of all workers."""

    def __init__(self) -> None:
        self._fallback_limits = LocalLimits()
        self._fallback_breaker = LocalBreaker()
        self._fallback_notes = LocalNotes()
        self._owed: set[str] = set()
        self._away = threading.Event()
        self._lock = threading.Lock()
        self._connections = threading.local()

    @cached_property
    def _cache(self) -> Any:
        return get_redis_connection("default")

    @cached_property
    def _limits(self) -> Any:
        return get_redis_connection("limits") if settings.REDIS_LIMITS_URL else self._cache

    def look(self, take: Take | None, *keys: str) -> Look:
        """Take a place and read values: one round trip where limits and answers share a Redis."""
        shared = self._limits is self._cache
        verdict = None
        if take and not shared:
            verdict = self._verdict(take, self._ask(self._limits, [_taking(take)]))
        commands: list[tuple[Any, ...]] = [("GET", CACHE + key) for key in keys]
        commands.append(("GET", _VERSIONS))
        if take and shared:
            commands.insert(0, _taking(take))
        asked = self._ask(self._cache, commands)
        if take and shared:
            verdict = self._verdict(take, asked)
            asked = asked[1:] if asked is not None else None
        if asked is None or any(isinstance(each, Exception) for each in asked):
            return Look(verdict, [None] * len(keys), None, is_usable=False)
        *values, versions = asked
        return Look(verdict, values, versions, is_usable=True)

    def versions(self) -> bytes | None:
        """Return the JSON of the tags' versions; begin it where there is none."""
        found = self._run(self._cache, lambda pipe: pipe.get(_VERSIONS))
        if found and isinstance(found[0], bytes):
            return found[0]
        begun: bytes | None = self._script(_BUMP, _VERSIONS, uuid4().hex, VERSIONS_KEPT, MOST_TAGS)
        return begun

    def put(self, key: str, value: bytes, seconds: int) -> bool:
        """Keep a value; tell whether it was kept."""
        kept: Any = self._run(self._cache, lambda pipe: pipe.set(CACHE + key, value, ex=seconds))
        return bool(kept and kept[0] is True)

    def delete(self, key: str) -> None:
        """Forget a value."""
        self._run(self._cache, lambda pipe: pipe.unlink(CACHE + key))

    def bump(self, tags: Sequence[str]) -> bool:
        """Make every entry under these tags a miss; tell whether Redis heard it.

        A Redis that is away is told when it is back, before anything is looked up in it again.
        """
        if self._bumped(tags):
            return True
        with self._lock:
            if self._away.is_set():
                self._owed.update(tags)
                return False
        return self._bumped(tags)  # it came back in between, or refuses

    def _bumped(self, tags: Sequence[str]) -> bool:
        bumped = self._script(_BUMP, _VERSIONS, uuid4().hex, VERSIONS_KEPT, MOST_TAGS, *tags)
        return bumped is not None

    def acquire(self, lease: str, holder: str, milliseconds: int) -> bool:
        """Take a lease; where Redis is away everybody may."""
        return bool(self._script(_ACQUIRE, CACHE + lease, holder, milliseconds) != 0)

    def extend(self, lease: str, holder: str, milliseconds: int) -> None:
        """Keep a lease that is still this holder's."""
        self._script(_EXTEND, CACHE + lease, holder, milliseconds)

    def release(self, lease: str, holder: str, failure: str) -> None:
        """Give a lease back, and tell those who wait why it failed, if it did."""
        self._script(_RELEASE, CACHE + lease, holder, failure, FAILURE_TOLD_MS)

    def claim(self, name: str, holder: str, milliseconds: int) -> bool:
        """Take what nobody holds; while Redis is away, what nobody in this process holds."""
        answer = self._script(_ACQUIRE, NOTE + name, holder, milliseconds, on=self._limits)
        if answer is None:
            return self._fallback_notes.claim(name, holder, milliseconds)
        return bool(answer)

    def give_up(self, name: str, holder: str) -> None:
        """Give back what this holder has."""
        self._fallback_notes.give_up(name, holder)
        self._script(_RELEASE, NOTE + name, holder, "", 0, on=self._limits)

    def note(self, name: str, value: bytes, seconds: int) -> None:
        """Keep a value for so long; while Redis is away, in this process."""
        kept = self._run(self._limits, lambda pipe: pipe.set(NOTE + name, value, ex=seconds))
        if not kept or kept[0] is not True:
            self._fallback_notes.note(name, value, seconds)

    def noted(self, name: str) -> bytes | None:
        """Return a kept value."""
        found = self._run(self._limits, lambda pipe: pipe.get(NOTE + name))
        if found and isinstance(found[0], bytes):
            return found[0]
        return self._fallback_notes.noted(name)

    def unnote(self, name: str) -> None:
        """Forget a value."""
        self._fallback_notes.unnote(name)
        self._run(self._limits, lambda pipe: pipe.unlink(NOTE + name))

    def attempt(self, key: str, places: int, window: int, identity: str) -> tuple[Attempt, int]:
        """Begin an attempt that counts only if it fails; tell the seconds to wait if refused."""
        answer = self._script(
            _ATTEMPT, LIMIT + key, places, window * MICROSECONDS, identity, on=self._limits
        )
        if answer is None:
            return self._fallback_limits.attempt(key, places, window, identity)
        outcome, wait = answer
        return Attempt(outcome), max(1, -(-int(wait) // MICROSECONDS))

    def end_attempt(self, key: str, identity: str, *, failed: bool) -> None:
        """Count the attempt if it failed, forget it if not."""
        self._fallback_limits.end_attempt(key, identity, failed=failed)
        self._script(_END_ATTEMPT, LIMIT + key, identity, int(failed), on=self._limits)

    def wait_to_ask(self, failures: int, pause: float) -> float:
        """Return the seconds to wait before Plex may be asked; 0: now."""
        wait = self._script(_MAY_ASK, _BREAKER, failures, round(pause * MICROSECONDS))
        if wait is None:
            return self._fallback_breaker.wait_to_ask(failures, pause)
        return int(wait) / MICROSECONDS

    def failed(self, failures: int) -> None:
        """Note that Plex failed."""
        self._fallback_breaker.failed(failures)
        self._script(_FAILED, _BREAKER, failures, BREAKER_KEPT)

    def answered(self) -> None:
        """Note that Plex answered."""
        self._fallback_breaker.answered()
        self._run(self._cache, lambda pipe: pipe.delete(_BREAKER))

    def failures(self) -> int:
        """Return how often Plex failed in a row."""
        found = self._run(self._cache, lambda pipe: pipe.hget(_BREAKER, "failures"))
        if found is None:
            return self._fallback_breaker.failures
        return int(found[0]) if isinstance(found[0], bytes) else 0

    def count(self, name: str, counts: Mapping[str, int], seconds: int) -> bool:
        """Add to the numbers under a name; tell whether they were added."""

        def add(pipe: Any) -> None:
            for each, number in counts.items():
                pipe.hincrby(COUNT + name, each, number)
            pipe.expire(COUNT + name, seconds)

        return self._run(self._cache, add) is not None

    def counted(self, names: Sequence[str]) -> list[dict[str, int]]:
        """Return the numbers under each name; none while Redis is away."""

        def ask(pipe: Any) -> None:
            for name in names:
                pipe.hgetall(COUNT + name)

        found = self._run(self._cache, ask) or [{}] * len(names)
        return [
            {key.decode(): int(number) for key, number in each.items()}
            if isinstance(each, dict)
            else {}
            for each in found
        ]

    def glance(self, prefix: str, most: int, size: int) -> list[tuple[str, bytes, int]]:
        """Return names, first bytes and sizes of kept values, of so many at most.

        For the operator's page alone: it walks through the keys.
        """
        names: list[bytes] = []
        cursor: Any = None
        while cursor != 0 and len(names) < most:
            at, match = cursor or 0, f"{CACHE}{prefix}*"
            found = self._run(self._cache, lambda pipe: pipe.scan(at, match=match, count=500))  # noqa: B023
            if not found or isinstance(found[0], Exception):
                break
            cursor, some = found[0]
            names += some
        glanced: list[tuple[str, bytes, int]] = []
        names = list(dict.fromkeys(names))[:most]
        for first in range(0, len(names), 200):
            some = names[first : first + 200]

            def ask(pipe: Any) -> None:
                for name in some:  # noqa: B023 - asked at once
                    pipe.getrange(name, 0, size - 1)
                    pipe.strlen(name)

            answers = self._run(self._cache, ask) or []
            pairs = zip(some, answers[::2], answers[1::2], strict=False)
            glanced += [
                (name.decode()[len(CACHE) :], beginning, length)
                for name, beginning, length in pairs
                if isinstance(beginning, bytes) and isinstance(length, int)
            ]
        return glanced

    def is_up(self) -> bool:
        """Tell whether Redis answered when it was last asked."""
        return (
            not self._away.is_set() and self._run(self._cache, lambda pipe: pipe.ping()) is not None
        )

    def _verdict(self, take: Take, asked: list[Any] | None) -> Verdict:
        answer = asked[0] if asked else None
        if isinstance(answer, redis.exceptions.NoScriptError):
            answer = self._evaluated(self._limits, _TAKE, LIMIT + take.key, *_arguments(take))
        if not isinstance(answer, list):
            if isinstance(answer, Exception):
                log.warning("Redis refuses to count limits: %s", type(answer).__name__)
            return self._fallback_limits.take(take)
        taken, left, wait, now = answer
        self._fallback_limits.mirror(take, take.places - int(left))
        return Verdict.of(take.places, taken=taken == 1, left=left, wait=int(wait), now=int(now))

    def _script(self, script: _Script, key: str, *arguments: Any, on: Any = None) -> Any:
        """Run a script; None where Redis is away or refuses."""
        client = on or self._cache
        answer = self._run(client, lambda pipe: pipe.evalsha(script.sha, 1, key, *arguments))
        if answer and isinstance(answer[0], redis.exceptions.NoScriptError):
            return self._evaluated(client, script, key, *arguments)
        if not answer or isinstance(answer[0], Exception):
            return None
        return answer[0]

    def _evaluated(self, client: Any, script: _Script, key: str, *arguments: Any) -> Any:
        """Run a script that Redis does not know yet, which also makes it known."""
        answer = self._run(client, lambda pipe: pipe.eval(script.text, 1, key, *arguments))
        return None if not answer or isinstance(answer[0], Exception) else answer[0]

    def _ask(self, client: Any, commands: Sequence[tuple[Any, ...]]) -> list[Any] | None:
        """Send commands over this thread's own connection; None where Redis is away.

        Every request looks once, and a pipeline from the pool costs more than Redis itself.
        """
        if self._away.is_set():
            return None
        mine: dict[Any, Any] = self._connections.__dict__
        connection = mine.get(client)
        is_new = connection is None
        if connection is None:
            # Not the pool's `make_connection`: it counts what it made, and nothing takes that back
            # when a thread ends.
            pool = client.connection_pool
            connection = mine[client] = pool.connection_class(**pool.connection_kwargs)
        try:
            return _asked(connection, commands)
        except (redis.exceptions.RedisError, OSError) as error:
            del mine[client]
            connection.disconnect()
            # Redis closed a connection that was idle: it may well be there.
            if not is_new and isinstance(error, redis.exceptions.ConnectionError):
                return self._ask(client, commands)
            self._lost(error)
            return None

    def _run(self, client: Any, commands: Callable[[Any], Any]) -> list[Any] | None:
        """Send commands in one round trip; None where Redis is away."""
        if self._away.is_set():
            return None
        pipe = client.pipeline(transaction=False)
        commands(pipe)
        try:
            answers: list[Any] = pipe.execute(raise_on_error=False)
        except (redis.exceptions.RedisError, OSError) as error:
            self._lost(error)
            return None
        for answer in answers:
            if isinstance(answer, redis.exceptions.ConnectionError):  # loading its data, for one
                self._lost(answer)
                return None
        return answers

    def _lost(self, error: Exception) -> None:
        with self._lock:
            if self._away.is_set():
                return
            self._away.set()
        log.warning(
            "Redis is away (%s): answers are not cached, limits count per process",
            type(error).__name__,
        )
        threading.Thread(target=self._wait_for_return, name="redis-return", daemon=True).start()

    def _wait_for_return(self) -> None:
        while True:
            time.sleep(TRIED_EVERY)
            with contextlib.suppress(redis.exceptions.RedisError, OSError):
                self._cache.ping()
                self._limits.ping()
                with self._lock:
                    if self._owed:
                        new = (uuid4().hex, VERSIONS_KEPT, MOST_TAGS)
                        self._cache.eval(_BUMP.text, 1, _VERSIONS, *new, *sorted(self._owed))
                        self._owed.clear()
                    self._away.clear()
                log.warning("Redis is back")
                return


def _arguments(take: Take) -> tuple[int, int, int]:
    return take.places, take.window * MICROSECONDS, 0 if take.is_kept else take.window


def _taking(take: Take) -> tuple[Any, ...]:
    return ("EVALSHA", _TAKE.sha, 1, LIMIT + take.key, *_arguments(take))


def _asked(connection: Any, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
    connection.send_packed_command(connection.pack_commands(commands), check_health=False)
    answers: list[Any] = []
    for _ in commands:
        try:
            answers.append(connection.read_response())
        except redis.exceptions.ConnectionError:
            raise
        except redis.exceptions.ResponseError as error:
            answers.append(error)
    return answers
