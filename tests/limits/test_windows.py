"""Sliding windows against a plain model: in this process with a clock of our own, and on Valkey.

Valkey's clock cannot be moved. The script returns the time it counted at, and windows here are
milliseconds wide: the model says what should have happened at exactly that time.
"""

import threading
import time
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from redis.crc import key_slot

from medianest.api.limits import Limit, user_hit
from medianest.store import Attempt, Hit, rate_windows, redis_server
from medianest.store.rate_windows import (
    _BEGIN_ATTEMPT,
    _END_ATTEMPT,
    _HIT,
    LocalRateWindows,
)
from medianest.store.stamps import stamp_key
from tests.service import Valkey

SECOND = 1_000_000
USERS = st.sampled_from(["ada", "grace", "linus"])
QUICK = settings(
    max_examples=30,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class Windows:
    """The model: the moments that count, by key."""

    def __init__(self, limit: int, window: int) -> None:
        self.limit, self.window = limit, window
        self.moments: dict[str, list[int]] = {}

    def hit(self, key: str, now: int) -> tuple[bool, int, int]:
        """Return whether it is allowed, how many remain, and until when the oldest counts."""
        counted = [each for each in self.moments.get(key, []) if each > now - self.window]
        allowed = len(counted) < self.limit
        if allowed:
            counted.append(now)
        self.moments[key] = counted
        return allowed, self.limit - len(counted), counted[0] + self.window

    def at_most(self, key: str) -> bool:
        """Tell whether no window, wherever it begins, holds more requests than the limit."""
        moments = self.moments.get(key, [])
        return all(
            sum(begin <= each < begin + self.window for each in moments) <= self.limit
            for begin in moments
        )


class InThisProcess(RuleBasedStateMachine):
    """LocalRateWindows, whose clock the test moves."""

    limit, window = 3, 10

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_700_000_000 * SECOND
        self.windows = LocalRateWindows()
        self.model = Windows(self.limit, self.window * SECOND)

    @rule(
        microseconds=st.integers(0, 11 * SECOND)
        | st.sampled_from([1, 10 * SECOND, 10 * SECOND - 1])
    )
    def wait(self, microseconds: int) -> None:
        self.now += microseconds

    @rule(user=USERS)
    def hit(self, user: str) -> None:
        with mock.patch.object(rate_windows.time, "time_ns", return_value=self.now * 1000):
            verdict = self.windows.hit(Hit(user, self.limit, self.window, expires=False))
        allowed, left, until = self.model.hit(user, self.now)
        assert (verdict.is_allowed, verdict.remaining, verdict.limit) == (allowed, left, self.limit)
        assert verdict.reset == -(-until // SECOND)
        assert verdict.retry_after == max(1, -(-(until - self.now) // SECOND))

    @invariant()
    def no_window_holds_too_many(self) -> None:
        assert all(self.model.at_most(user) for user in ("ada", "grace", "linus"))


def test_windows_in_this_process_are_those_of_the_model() -> None:
    run_state_machine_as_test(InThisProcess, settings=QUICK)


def test_hit_lua_counts_as_the_model_does(valkey: Valkey) -> None:
    client = valkey.client
    runs = iter(range(10**6))

    class OnValkey(RuleBasedStateMachine):
        limit, window = 3, 8_000

        def __init__(self) -> None:
            super().__init__()
            self.run = next(runs)
            self.model = Windows(self.limit, self.window)
            self.last = 0

        @rule(microseconds=st.integers(0, 5_000) | st.just(8_000))
        def wait(self, microseconds: int) -> None:
            time.sleep(microseconds / SECOND)

        @rule(user=USERS, seconds=st.sampled_from([0, 60]))
        def hit(self, user: str, seconds: int) -> None:
            key = f"medianest:limit:{self.run}:{user}"
            *counted, at, stamp = _run(client, _HIT, key, self.limit, self.window, seconds)
            now = int(at)
            assert stamp == b""
            assert now >= self.last
            self.last = now
            expected, rest, until = self.model.hit(user, now)
            assert counted == [int(expected), rest, until - now]

        @invariant()
        def no_window_holds_too_many(self) -> None:
            assert all(self.model.at_most(user) for user in ("ada", "grace", "linus"))

    run_state_machine_as_test(OnValkey, settings=QUICK)


class Attempts:
    """The model of attempts that count only when they fail."""

    def __init__(self, limit: int, window: int) -> None:
        self.limit, self.window = limit, window
        self.entries: dict[str, tuple[int, bool]] = {}

    def begin(self, identity: str, now: int) -> Attempt:
        """Begin one, and say what becomes of it."""
        outcome, self.entries = self.would_be(identity, now)
        return outcome

    def would_be(self, identity: str, now: int) -> tuple[Attempt, dict[str, tuple[int, bool]]]:
        entries = {name: each for name, each in self.entries.items() if each[0] > now - self.window}
        if len(entries) < self.limit:
            return Attempt.BEGUN, entries | {identity: (now, True)}
        if any(is_open for _, is_open in entries.values()):
            return Attempt.WAIT, entries
        return Attempt.REFUSED, entries

    def end(self, identity: str, *, failed: bool) -> None:
        moment, _ = self.entries.pop(identity, (None, True))
        if failed and moment is not None:
            self.entries[identity] = (moment, False)


class AttemptsInThisProcess(RuleBasedStateMachine):
    """The attempts of LocalRateWindows, whose clock the test moves."""

    limit, window = 3, 10

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_700_000_000 * SECOND
        self.windows = LocalRateWindows()
        self.model = Attempts(self.limit, self.window * SECOND)
        self.number = 0

    @rule(microseconds=st.integers(0, 11 * SECOND) | st.just(10 * SECOND))
    def wait(self, microseconds: int) -> None:
        self.now += microseconds

    @rule()
    def begin(self) -> None:
        self.number += 1
        with mock.patch.object(rate_windows.time, "time_ns", return_value=self.now * 1000):
            outcome, wait = self.windows.begin_attempt(
                "key", self.limit, self.window, str(self.number)
            )
        assert outcome is self.model.begin(str(self.number), self.now)
        if outcome is Attempt.REFUSED:
            oldest = min(moment for moment, _ in self.model.entries.values())
            left = oldest + self.window * SECOND - self.now
            assert wait == max(1, -(-left // SECOND))

    @rule(data=st.data(), failed=st.booleans())
    def end(self, data: Any, failed: bool) -> None:
        is_open = sorted(name for name, each in self.model.entries.items() if each[1])
        if is_open:
            identity = data.draw(st.sampled_from(is_open))
            with mock.patch.object(rate_windows.time, "time_ns", return_value=self.now * 1000):
                self.windows.end_attempt("key", identity, failed=failed)
            self.model.end(identity, failed=failed)


def test_attempts_in_this_process_are_those_of_the_model() -> None:
    run_state_machine_as_test(AttemptsInThisProcess, settings=QUICK)


def test_begin_attempt_lua_counts_as_the_model_does(valkey: Valkey) -> None:
    """The script returns no time: it ran between two others, and the model is used at both.

    Where these disagree the window moved on in between, and either outcome is right.
    """
    client = valkey.client
    runs = iter(range(10**6))

    class OnValkey(RuleBasedStateMachine):
        limit, window = 3, 20_000

        def __init__(self) -> None:
            super().__init__()
            self.key = f"medianest:limit:sign-in:{next(runs)}"
            self.model = Attempts(self.limit, self.window)
            self.number = 0

        @rule(microseconds=st.integers(0, 5_000) | st.just(20_000))
        def wait(self, microseconds: int) -> None:
            time.sleep(microseconds / SECOND)

        @rule()
        def begin(self) -> None:
            self.number += 1
            identity = str(self.number)
            before = _now(client)
            outcome = Attempt(
                _run(client, _BEGIN_ATTEMPT, self.key, self.limit, self.window, identity)[0]
            )
            after = _now(client)
            possible = {self.model.would_be(identity, now)[0] for now in (before, after)}
            assert outcome in possible
            if outcome is Attempt.BEGUN:
                score = client.zscore(self.key, f"p:{identity}")
                # None: this test stood still for so long that the window is over.
                assert score is None or before <= score <= after
                self.model.begin(identity, before if score is None else int(score))
            assert client.pttl(self.key) <= 60_000

        # Which one is no choice of hypothesis: what is open depends on Valkey's clock.
        @rule(choice=st.integers(0, 2), failed=st.booleans())
        def end(self, choice: int, failed: bool) -> None:
            is_open = sorted(name for name, each in self.model.entries.items() if each[1])
            if is_open:
                identity = is_open[choice % len(is_open)]
                was_open = _run(client, _END_ATTEMPT, self.key, identity, int(failed))
                # What was no longer open had left its window.
                self.model.end(identity, failed=failed and bool(was_open))

    run_state_machine_as_test(OnValkey, settings=QUICK)


def test_a_limit_lives_as_long_as_it_counts_and_a_users_is_never_evicted(valkey: Valkey) -> None:
    """Of users there are few: no time to live, so no eviction of volatile keys forgets them."""
    _run(valkey.client, _HIT, "medianest:limit:server:1", 20, 60 * SECOND, 0)
    _run(valkey.client, _HIT, "medianest:limit:bad-token:1", 30, 60 * SECOND, 60)
    assert valkey.client.ttl("medianest:limit:server:1") == -1
    assert 55 <= valkey.client.ttl("medianest:limit:bad-token:1") <= 60


def test_every_script_reads_keys_of_one_cluster_slot_and_the_clock_of_redis_alone() -> None:
    folder = Path(redis_server.__file__).parent / "lua"
    texts = {path.stem: path.read_text() for path in folder.glob("*.lua")}
    assert len(texts) == 11
    for text in texts.values():
        assert "KEYS[1]" in text
        assert "KEYS[3]" not in text
        assert "os.time" not in text
    assert [name for name, text in texts.items() if "KEYS[2]" in text] == ["hit"]
    window = rate_windows.PREFIX + user_hit("42", Limit("server", 20), requests=20).key
    assert key_slot(window.encode()) == key_slot(stamp_key("42").encode())
    assert "redis.call('TIME')" in _HIT.text
    assert "redis.call('TIME')" in _BEGIN_ATTEMPT.text


@pytest.mark.parametrize("workers", [1, 8])
def test_of_many_threads_exactly_as_many_as_places_are_let_in(shared: Any, workers: int) -> None:
    def hits(count: int, verdicts: list[Any]) -> None:
        for _ in range(count):
            verdicts.append(shared.read(hit=Hit("server:9", 20, 60, expires=False)).verdict)

    verdicts: list[Any] = []
    threads = [
        threading.Thread(target=hits, args=(64 // workers, verdicts)) for _ in range(workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    allowed = [each for each in verdicts if each.is_allowed]
    assert sorted(each.remaining for each in allowed) == list(range(20))


def _run(client: redis.Redis, script: Any, key: str, *arguments: Any) -> Any:
    return client.eval(script.text, 1, key, *arguments)


def _now(client: redis.Redis) -> int:
    seconds, microseconds = client.time()
    return int(seconds) * SECOND + int(microseconds)
