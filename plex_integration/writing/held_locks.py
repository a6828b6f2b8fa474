"""The locks that one write holds, and how long it waits for them."""

import math
import time
from contextlib import ExitStack
from typing import Self
from uuid import uuid4

from plex_integration.errors import WriteInProgress
from plex_integration.writing import locks

MAX_WAIT = math.inf
"""Seconds to wait for another write, where the deadline is not sooner."""
POLL_SECONDS = 0.03
LOCK_MARGIN = 5.0
"""Seconds beyond the deadline after which a lock expires whose worker died."""


class HeldLocks:
    """Locks that are released together, at the end of the `with` block.

    `deadline`, a moment of `time.monotonic()`, is that of the write.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._holder = uuid4().hex
        self._held = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def lock(self, name: str) -> None:
        """Acquire a lock, waiting for other writes to release it. Raises WriteInProgress."""
        now = time.monotonic()
        wait_until = min(self._deadline, now + MAX_WAIT)
        seconds = max(0.0, self._deadline - now) + LOCK_MARGIN
        while not locks.lock(name, self._holder, seconds):
            if time.monotonic() >= wait_until:
                raise WriteInProgress
            time.sleep(POLL_SECONDS)
        self._held.callback(locks.unlock, name, self._holder)
