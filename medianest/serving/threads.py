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
        self.name, self.size = name, size
        self._executor = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._max_jobs = size + queue
        self._jobs = 0
        self._lock = threading.Lock()

    @property
    def jobs(self) -> int:
        """How many functions run or wait for a thread."""
        return self._jobs

    async def run(
        self, function: Callable[..., T], *arguments: Any, patience: float | None = None
    ) -> T:
        """Run a function in a thread, in this task's context, and return its result.

        Raises Busy if there is no room, or if no thread is free within `patience` seconds.
        """
        job = self._submit(copy_context().run, function, *arguments)
        loop = asyncio.get_running_loop()
        # A job that has begun cannot be cancelled: this ends only one that is still queued.
        timer = None if patience is None else loop.call_later(patience, job.cancel)
        try:
            return await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            if job.cancelled() and not _is_task_cancelled():
                raise Busy from None
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def shutdown(self) -> None:
        """Wait for the running functions, and end the threads."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _submit(self, function: Callable[..., T], *arguments: Any) -> "Future[T]":
        """Queue a function. Raises Busy if there is no room."""
        with self._lock:
            if self._jobs >= self._max_jobs:
                raise Busy
            self._jobs += 1
        try:
            job = self._executor.submit(function, *arguments)
        except RuntimeError:  # the threads are shut down, or the system has no more of them
            self._end()
            raise Busy from None
        job.add_done_callback(self._end)
        return job

    def _end(self, _: object = None) -> None:
        with self._lock:
            self._jobs -= 1


def _is_task_cancelled() -> bool:
    """Tell whether the running task itself is cancelled, not only what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
