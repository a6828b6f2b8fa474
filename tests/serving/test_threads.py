"""The bounded set of threads: what it runs where, what it refuses, and what it never loses."""

import asyncio
import threading
from collections.abc import Iterator
from contextvars import ContextVar

import pytest
import uvloop

from medianest.serving.threads import Busy, Threads
from tests.service import until

from .conftest import PromptThreads

_variable: ContextVar[str] = ContextVar("variable", default="")


class Work:
    """Jobs that run until `finish`."""

    def __init__(self) -> None:
        self.running = 0
        self._end = threading.Event()
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            self.running += 1
        assert self._end.wait(60)
        return threading.current_thread().name

    def finish(self) -> None:
        self._end.set()


@pytest.fixture
def work() -> Iterator[Work]:
    work = Work()
    yield work
    work.finish()


async def started(work: Work, size: int) -> None:
    await asyncio.to_thread(until, lambda: work.running == size, 10, "the jobs run")


def test_more_jobs_than_threads_and_queue_are_refused_at_once(work: Work) -> None:
    async def scenario() -> None:
        threads = Threads("small", 2, 1)
        jobs = [asyncio.create_task(threads.run(work)) for _ in range(3)]
        await started(work, 2)
        with pytest.raises(Busy):
            await threads.run(str)
        work.finish()
        assert len(set(await asyncio.gather(*jobs))) <= 2
        assert await threads.run(str) == ""
        threads.shutdown()

    uvloop.run(scenario())


def test_threads_are_kept_and_reused() -> None:
    async def scenario() -> None:
        threads = Threads("kept", 3, 0)
        idents = [await threads.run(threading.get_ident) for _ in range(100)]
        assert len(set(idents)) <= 3
        threads.shutdown()

    uvloop.run(scenario())


def test_a_job_that_waits_too_long_in_the_queue_is_never_run(work: Work) -> None:
    ran: list[int] = []

    async def scenario() -> None:
        threads = Threads("queued", 1, 50)
        running = asyncio.create_task(threads.run(work))
        await started(work, 1)
        late = [threads.run(ran.append, 1, patience=0.001 * number) for number in range(50)]
        outcomes = await asyncio.gather(*late, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {Busy}
        work.finish()
        await running
        assert await threads.run(str) == ""
        threads.shutdown()

    uvloop.run(scenario())
    assert ran == []


def test_patience_ends_no_job_that_has_begun(work: Work) -> None:
    async def scenario() -> None:
        threads = PromptThreads("begun", 1, 0)
        job = asyncio.create_task(threads.run(work, patience=0.05))
        await started(work, 1)
        await asyncio.sleep(0.2)
        assert not job.done()
        work.finish()
        assert (await job).startswith("begun")
        threads.shutdown()

    uvloop.run(scenario())


def test_a_job_runs_in_the_context_of_the_task_that_wants_it() -> None:
    async def scenario() -> None:
        threads = Threads("context", 1, 1)
        _variable.set("the task's")
        assert await threads.run(_variable.get) == "the task's"
        await threads.run(_variable.set, "the job's")
        assert _variable.get() == "the task's"
        threads.shutdown()

    uvloop.run(scenario())


def test_a_cancelled_task_frees_its_place_when_its_job_ends(work: Work) -> None:
    async def scenario() -> None:
        threads = Threads("cancelled", 1, 1)
        running = asyncio.create_task(threads.run(work))
        queued = asyncio.create_task(threads.run(str, patience=60))
        await started(work, 1)
        running.cancel()
        queued.cancel()
        outcomes = await asyncio.gather(running, queued, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError}
        # The cancelled job that was queued is gone; the one that runs still has its thread.
        queued = asyncio.create_task(threads.run(str))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await threads.run(str)
        work.finish()
        assert await queued == ""
        threads.shutdown()
        assert threads._jobs == 0

    uvloop.run(scenario())


def test_an_error_of_a_job_reaches_its_task_and_frees_its_place() -> None:
    async def scenario() -> None:
        threads = Threads("failing", 1, 0)
        for _ in range(3):
            with pytest.raises(ValueError, match="invalid literal"):
                await threads.run(int, "no number")
        threads.shutdown()

    uvloop.run(scenario())


def test_after_the_shutdown_every_job_is_refused(work: Work) -> None:
    async def scenario() -> None:
        threads = Threads("ended", 1, 5)
        running = asyncio.create_task(threads.run(work))
        await started(work, 1)
        queued = asyncio.create_task(threads.run(str))
        await asyncio.sleep(0)
        ending = asyncio.create_task(asyncio.to_thread(threads.shutdown))
        with pytest.raises(Busy):
            await queued
        with pytest.raises(Busy):
            await threads.run(str)
        work.finish()
        await asyncio.gather(running, ending)
        assert threads._jobs == 0

    uvloop.run(scenario())
