"""No request waits more than 0.3 seconds for Redis, measured around the store itself."""

import asyncio
import signal
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from medianest.store import Attempt, Condition, Counting, Hit, Stamp, StampedHit
from tests.pace import Stopwatch
from tests.service import HOST, Valkey, free_port, until
from tests.settings import PATIENT

BOUND = 0.3
# What a busy machine may add before a thread that is ready runs again.
NOISE = 0.25
ROUNDS = 3
"""How often many calls are measured: a machine may stand still in one of the rounds."""
HIT = Hit("server:1", 20, 60, expires=False)
STAMPED = StampedHit(Hit("server:{1}", 20, 60, expires=False), "1", "stamp")


@pytest.fixture
def frail(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path)
    yield server
    server.close()


def in_a_loop(store: Any, call: Any, *arguments: Any) -> Any:
    """Make a call in an event loop of its own."""

    async def whole() -> Any:
        try:
            return await call("answer", *arguments)
        finally:
            await store.close_loop()

    return uvloop.run(whole())


CALLS = {
    "read": lambda store: store.read("answer", hit=HIT),
    "read fast": lambda store: store.read_fast("answer", STAMPED),
    "read fast in a loop": lambda store: in_a_loop(store, store.read_fast_in_loop, STAMPED),
    "read a value in a loop": lambda store: in_a_loop(store, store.read_value_in_loop),
    "hit": lambda store: store.rate_windows.hit(HIT),
    "set": lambda store: store.values.set("answer", b"x", 60),
    "lock": lambda store: store.load_locks.lock("lease:x", "me", 3000),
    "record": lambda store: store.records.set("once:x", b"x", 60),
    "begin attempt": lambda store: store.rate_windows.begin_attempt("sign-in:x", 10, 60, "id"),
    "breaker": lambda store: store.breaker.seconds_until_allowed("a", 5, 5.0),
    "count": lambda store: store.counters.add("slice", {"HIT": 1}, 60),
    "invalidate tags": lambda store: store.values.invalidate_tags(["library:1"]),
    "tag versions": lambda store: store.values.tag_versions(),
}


def is_warm_after(call: str, store: Any) -> bool:
    """Make a call; tell whether its connection stands."""
    CALLS[call](store)
    return bool(store.condition() is Condition.OK)


def are_all_calls_brief(store: Any) -> bool:
    """Make each call 20 times; tell whether they took no longer than one wait."""
    watch = Stopwatch()
    for call in CALLS.values():
        for _ in range(20):
            call(store)
    return watch.keeps(BOUND + NOISE)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("is_warm", [True, False], ids=["connected", "not yet connected"])
def test_a_redis_that_hangs_is_waited_for_once_and_briefly(
    call: str, is_warm: bool, stores: Any, frail: Valkey
) -> None:
    store = stores.use(frail.url, is_patient=False)
    if is_warm:
        until(lambda: is_warm_after(call, store), 5, "Redis has replied in time")
    frail.send(signal.SIGSTOP)
    try:
        watch = Stopwatch()
        CALLS[call](store)
        assert watch.keeps(BOUND + NOISE), watch
        assert watch.seconds > 0.1  # it did hang
        # From here on the breaker is open: nothing is sent, so nothing is waited for.
        assert any(are_all_calls_brief(store) for _ in range(ROUNDS))
    finally:
        frail.send(signal.SIGCONT)
    until(lambda: store.condition() is Condition.OK, 5, "the store uses Redis again")
    until(lambda: store.values.set("answer", b"cached", 60), 5, "a value is stored")
    until(lambda: store.read("answer").values == [b"cached"], 5, "a value is read")


def test_a_redis_that_refuses_is_waited_for_not_at_all(stores: Any) -> None:
    store = stores.use(f"redis://{HOST}:{free_port()}/0", is_patient=False)
    watch = Stopwatch()
    store.read("answer", hit=HIT)
    assert watch.keeps(BOUND + NOISE), watch
    watch = Stopwatch()
    for _ in range(50):
        store.read("answer", hit=HIT)
    assert watch.keeps(BOUND), watch
    verdict = store.read("answer", hit=HIT).verdict
    assert (verdict.is_allowed, verdict.remaining) == (False, 0)


def test_a_port_that_takes_no_connection_is_waited_for_briefly(stores: Any) -> None:
    """A listener whose queue is full: connecting itself hangs."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        with socket.socket() as one, socket.socket() as two:
            for each in (one, two):
                each.setblocking(False)
                each.connect_ex((HOST, port))
            store = stores.use(f"redis://{HOST}:{port}/0", is_patient=False)
            watch = Stopwatch()
            store.read("answer", hit=HIT)
            assert watch.keeps(BOUND + NOISE), watch
            assert not store.read("answer", hit=HIT).is_available


def test_many_threads_at_once_wait_no_longer_than_one(stores: Any, frail: Valkey) -> None:
    store = stores.use(frail.url, is_patient=False)
    ready, waited = threading.Barrier(17), []

    def read() -> None:
        store.read("answer")
        ready.wait(10)
        ready.wait(10)
        began = time.monotonic()
        store.read("answer", hit=HIT)
        waited.append(time.monotonic() - began)

    threads = [threading.Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    ready.wait(10)
    frail.send(signal.SIGSTOP)
    watch = Stopwatch()
    try:
        ready.wait(10)
        for thread in threads:
            thread.join(10)
    finally:
        frail.send(signal.SIGCONT)
    assert len(waited) == 16
    assert watch.allows(max(waited), BOUND + NOISE), (max(waited), watch)


@pytest.mark.parametrize("is_divided", [False, True], ids=["one Redis", "two"])
def test_many_hits_of_one_loop_wait_no_longer_than_one(
    stores: Any, settings: Any, frail: Valkey, valkey: Valkey, is_divided: bool
) -> None:
    urls = (frail.url, valkey.url) if is_divided else (frail.url,)
    store = stores.use(*urls, is_patient=False)
    if is_divided:
        settings.CACHES["limits"]["OPTIONS"] |= PATIENT
    waited: list[float] = []

    async def read() -> Any:
        began = time.monotonic()
        found = await store.read_fast_in_loop("answer", STAMPED)
        waited.append(time.monotonic() - began)
        return found

    async def main() -> list[Any]:
        await store.read_fast_in_loop("answer", STAMPED)  # makes the script known
        frail.send(signal.SIGSTOP)
        try:
            return await asyncio.gather(*(read() for _ in range(300)))
        finally:
            frail.send(signal.SIGCONT)
            await store.close_loop()

    store.stamps.renew([("1", Stamp("stamp", 100), None)])
    # The Redis of the limits alone counts.
    counting = Counting.COUNTED if is_divided else Counting.UNAVAILABLE
    for _ in range(ROUNDS):
        waited.clear()
        watch = Stopwatch()
        found = uvloop.run(main())
        assert not any(each.is_available for each in found)
        assert {each.counted.counting for each in found} == {counting}
        until(lambda: store.condition() is Condition.OK, 5, "normal within five seconds")
        if watch.allows(max(waited), BOUND + NOISE):
            break
    else:
        pytest.fail(f"{max(waited)} seconds; {watch}")


def test_a_redis_that_loads_its_data_is_unavailable(stores: Any) -> None:
    """A real one loads too fast or too slowly for a test: this one says so, word for word."""

    class Loading(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                for _ in range(2 * int(line[1:])):
                    self.rfile.readline()
                self.wfile.write(b"-LOADING Valkey is loading the dataset in memory\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server((HOST, 0), Loading) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        store = stores.use(f"redis://{HOST}:{server.server_address[1]}/0", is_patient=False)
        watch = Stopwatch()
        store.read("answer", hit=HIT)
        assert watch.keeps(BOUND + NOISE), watch
        reading = store.read("answer", hit=HIT)
        assert (reading.is_available, reading.verdict.remaining) == (False, 18)
        assert store.condition() is Condition.UNAVAILABLE
        server.shutdown()


def test_limits_go_on_in_this_process_while_redis_is_unavailable(
    stores: Any, frail: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    store = stores.use(frail.url, is_patient=False)
    assert store.read(hit=HIT).verdict.remaining == 19
    frail.kill()
    # This process goes on from where all workers together were.
    rests = [store.read(hit=HIT).verdict.remaining for _ in range(19)]
    assert rests == list(range(18, -1, -1))
    assert not store.read(hit=HIT).verdict.is_allowed
    outcomes = [store.rate_windows.begin_attempt("sign-in:x", 10, 60, f"{n}")[0] for n in range(10)]
    assert outcomes == [Attempt.BEGUN] * 10
    for number in range(10):
        store.rate_windows.end_attempt("sign-in:x", f"{number}", failed=True)
    outcome, wait = store.rate_windows.begin_attempt("sign-in:x", 10, 60, "another")
    assert outcome is Attempt.REFUSED
    assert 1 <= wait <= 60
    assert [each.message for each in caplog.records if "Redis is unavailable" in each.message]
    frail.start()
    until(lambda: store.condition() is Condition.OK, 5, "normal within five seconds")
    until(lambda: store.read(hit=HIT).verdict.is_allowed, 5, "Redis counts")
    until(lambda: "Redis is available again" in caplog.text, 5, "the log says so")


def test_a_redis_for_the_limits_alone_counts_there_and_keeps_answers_elsewhere(
    stores: Any, frail: Valkey, valkey: Valkey
) -> None:
    store = stores.use(valkey.url, frail.url)
    reading = store.read("answer", hit=HIT)
    assert (reading.verdict.remaining, reading.is_available) == (19, True)
    assert store.values.set("answer", b"cached", 60)
    store.rate_windows.begin_attempt("sign-in:x", 10, 60, "id")
    assert {key.split(b":")[1] for key in frail.client.keys("*")} == {b"limit"}
    # The process may have reported itself meanwhile.
    found = {key.split(b":")[1] for key in valkey.client.keys("*")}
    assert found - {b"reports"} == {b"cache"}
    valkey.client.flushall()
    assert store.read("answer", hit=HIT).verdict.remaining == 18
