"""Single flight: when several threads want the same thing at once, one loads it for all."""

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Run one load per key at a time in this process; other callers share its result."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loads: dict[Hashable, Future[T]] = {}

    def run(
        self,
        key: Hashable,
        load: Callable[[], T],
        *,
        deadline: float,
        meanwhile: T | None = None,
    ) -> T:
        """Load, or wait for the caller that is loading.

        `deadline` is a moment of `time.monotonic()`. With `meanwhile`, return that at once instead
        of waiting. Raises what the load raises, and TimeoutError at the deadline.
        """
        with self._lock:
            running = self._loads.get(key)
            if running is None:
                mine = self._loads[key] = Future()
        if running is None:
            return self._lead(key, load, mine)
        if meanwhile is not None:
            return meanwhile
        return running.result(max(0.0, deadline - time.monotonic()))

    def _lead(self, key: Hashable, load: Callable[[], T], future: "Future[T]") -> T:
        try:
            result = load()
        except BaseException as error:
            future.set_exception(error)
            raise
        else:
            future.set_result(result)
            return result
        finally:
            with self._lock:
                del self._loads[key]
