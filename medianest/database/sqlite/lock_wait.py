"""How long statements wait for a lock that another process holds.

SQLite waits for each statement anew, and a request has many. So after a wait that was in vain, the
statements of this process hardly wait for a moment: the rest of the request fails soon, and so do
other requests, whose threads would only queue up behind the same lock.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

PAUSE_SECONDS = 1.0
"""For how long statements hardly wait after one has waited in vain."""
SHORT_SECONDS = 0.05
"""How long they wait meanwhile. A lock of a short write is gone by then."""

_BUSY = sqlite3.SQLITE_BUSY
_PRIMARY = 0xFF
"""The bits of an extended error code that hold the primary one."""


class LockWait:
    """What this process has seen of locks."""

    def __init__(self) -> None:
        self._short_until = 0.0

    def seconds(self, longest: float) -> float:
        """Return how long a statement may wait now, `longest` at most."""
        if time.monotonic() < self._short_until:
            return min(longest, SHORT_SECONDS)
        return longest

    @contextmanager
    def observed(self) -> Iterator[None]:
        """Run a statement, and notice if it waited in vain."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) & _PRIMARY == _BUSY:
                self._short_until = time.monotonic() + PAUSE_SECONDS
            raise
