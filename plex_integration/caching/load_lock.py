"""The lock that lets one worker, of all workers and machines, load a response.

The lock of a worker that died ends after `LOCK_MS`; while the worker lives, one thread of its
process renews all of its locks. A failed load leaves its error in the lock for those who wait.
"""

import threading
import time
from uuid import uuid4

from medianest import store

LOCK_MS = 3000
RENEW_SECONDS = 1.0


class LoadLock:
    """One holder's claim on the lock of a name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._holder = uuid4().hex

    def acquire(self) -> bool:
        """Take the lock if nobody holds it, and renew it until it is released."""
        if not store.current().load_locks.lock(self.name, self._holder, LOCK_MS):
            return False
        _renewals.add(self.name, self._holder)
        return True

    def release(self, failure: bytes = b"") -> None:
        """Release the lock; a failure stays readable for a moment."""
        _renewals.remove(self.name, self._holder)
        store.current().load_locks.unlock(self.name, self._holder, failure)


class _Renewals:
    """The locks that this process holds, renewed by one thread while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[tuple[str, str]] = set()
        self._is_running = False

    def add(self, name: str, holder: str) -> None:
        with self._lock:
            self._held.add((name, holder))
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="load-locks", daemon=True).start()

    def remove(self, name: str, holder: str) -> None:
        with self._lock:
            self._held.discard((name, holder))

    def _run(self) -> None:
        while True:
            time.sleep(RENEW_SECONDS)
            with self._lock:
                held = list(self._held)
                if not held:
                    self._is_running = False
                    return
            for name, holder in held:
                store.current().load_locks.extend(name, holder, LOCK_MS)


_renewals = _Renewals()
