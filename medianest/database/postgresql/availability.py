"""Whether the database's server answered last.

A thread that connects to a server that does not answer waits for seconds. A worker has few threads,
so while the server is unavailable one of them at a time tries again, and all others fail at once.
"""

import time
from threading import Lock

RETRY_SECONDS = 1.0
"""For how long nothing connects after a failure."""
ATTEMPT_SECONDS = 10.0
"""How long others wait for the thread that tries again; connecting takes less."""


class Availability:
    """What the threads of this process have seen of the server."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_available = True
        self._no_attempt_until = 0.0

    def may_connect(self) -> bool:
        """Tell whether this thread may connect now. It must report the result."""
        now = time.monotonic()
        with self._lock:
            if self._is_available:
                return True
            if now < self._no_attempt_until:
                return False
            self._no_attempt_until = now + ATTEMPT_SECONDS
            return True

    def succeeded(self) -> None:
        """Report that the server answered."""
        with self._lock:
            self._is_available = True

    def failed(self) -> None:
        """Report that the server did not answer."""
        with self._lock:
            self._is_available = False
            self._no_attempt_until = time.monotonic() + RETRY_SECONDS
