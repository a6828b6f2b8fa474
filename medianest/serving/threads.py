"""A bounded set of threads with a bounded queue, for code that blocks.

The threads stay alive, and with them their database connections.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")


class Busy(Exception):
    """All threads are in use and the queue is full, or the wait in the queue was too long."""


class Threads:
    """Runs functions in at most `size` threads; `queue` more may wait for one."""

    def __init__(self, name: str, size: int, queue: int) -> None:
        self._executor = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._max_jobs = size + queue
        self._jobs = 0
        self._lock = threading.Lock()

    async def run(
        self, function: Callable[..., T], *arguments: Any, patience: float | None = None
    ) -> T:
        """Run a function in a thread, in this task's context, and return its result.

        Raises Busy if there is no room, or if no thread is free within `patience` seconds.
        """
        with self._lock:
            if self._jobs >= self._max_jobs:
                raise Busy
            self._jobs += 1
        job = self._executor.submit(copy_context().run, function, *arguments)
        job.add_done_callback(self._end)
        loop = asyncio.get_running_loop()
        # A job that has begun cannot be cancelled: this ends only one that is still queued.
        timer = None if patience is None else loop.call_later(patience, job.cancel)
        try:
            return await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            if job.cancelled() and timer is not None and timer.when() <= loop.time():
                raise Busy from None
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def shutdown(self) -> None:
        """Wait for the running functions, and end the threads."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _end(self, _: "Future[Any]") -> None:
        with self._lock:
            self._jobs -= 1
