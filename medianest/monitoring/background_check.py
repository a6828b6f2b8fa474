"""Check something slow in a thread of its own, so that requests wait for it a moment at most."""

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class BackgroundCheck(Generic[T]):
    """The result of a check that runs again when it is due and a request wants to know."""

    def __init__(self, name: str, check: Callable[..., T]) -> None:
        self._name, self._check = name, check
        self._lock = threading.Lock()
        self._started_at = self._ended_at = float("-inf")
        self._is_idle = threading.Event()
        self._is_idle.set()
        self._result: T | None = None

    def latest(self, *arguments: Any, every: float, patience: float) -> T | None:
        """Return the result of the current check, or of the one before if this one takes long.

        A check begins `every` so many seconds after the last one has ended. Requests wait until
        `patience` seconds after it began. Without any result yet, it is None.
        """
        with self._lock:
            if self._is_due(every):
                self._started_at = time.monotonic()
                self._is_idle.clear()
                threading.Thread(
                    target=self._run, args=arguments, name=self._name, daemon=True
                ).start()
        self._is_idle.wait(max(0.0, self._started_at + patience - time.monotonic()))
        return self._result

    def _is_due(self, every: float) -> bool:
        return self._is_idle.is_set() and time.monotonic() - self._ended_at >= every

    def _run(self, *arguments: Any) -> None:
        result = None
        try:
            result = self._check(*arguments)
        finally:
            self._result, self._ended_at = result, time.monotonic()
            self._is_idle.set()
