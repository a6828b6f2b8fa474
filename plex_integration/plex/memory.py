"""Bound the memory that responses of Plex take in this process, all requests together.

A parsed response takes many times its own size: an element of 9 bytes takes 350. So each response
reserves an estimate of its memory while it arrives, and releases it when its tree is collected. A
response for which nothing is left is refused; it would otherwise end the whole worker.
"""

import threading
from collections import deque

from plex_integration.errors import PlexApiError

MAX_BYTES = 128 * 1024 * 1024
"""Two dozen of the largest pages that a real server sends, or one hostile response."""

_lock = threading.Lock()
_reserved = 0
# The garbage collector may release memory at any moment, so releasing must not need the lock.
_released: deque[int] = deque()


class Reservation:
    """The memory that one response takes, which grows while the response arrives."""

    def __init__(self) -> None:
        self._bytes = 0

    def grow(self, size: int) -> None:
        """Reserve more bytes. Raises PlexApiError if the process has none left."""
        global _reserved
        with _lock:
            while _released:
                _reserved -= _released.popleft()
            if _reserved + size > MAX_BYTES:
                raise PlexApiError("The responses of Plex take too much memory.")
            _reserved += size
        self._bytes += size

    def release(self) -> None:
        """Release all bytes."""
        _released.append(self._bytes)
        self._bytes = 0
