"""Time bounds that also hold on a busy machine.

The bounds of the contract assume that a program gets a processor when it needs one. The kernel
counts how long programs waited for a processor (`/proc/pressure/cpu`). A bound is extended by the
seconds counted during the measurement, up to a maximum. On a quiet machine it is not extended.
"""

import time
from pathlib import Path

PRESSURE = Path("/proc/pressure/cpu")
# A bound is extended by this many times itself at most, or by 10 seconds if that is more.
MAX_TIMES, MIN_CAP = 2, 10.0


class Stopwatch:
    """Measures seconds, and how many of them the machine was too busy."""

    def __init__(self) -> None:
        self._began, self._waited = time.monotonic(), _waited()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    @property
    def busy(self) -> float:
        """Return the seconds in which a program waited for a processor.

        Where the kernel does not count them, as in some containers, all seconds.
        """
        waited = _waited()
        return self.seconds if waited is None or self._waited is None else waited - self._waited

    def allows(self, seconds: float, bound: float) -> bool:
        """Return whether a part of the measured time was within a bound, extended if needed."""
        return seconds < bound + min(self.busy, max(MAX_TIMES * bound, MIN_CAP))

    def keeps(self, bound: float) -> bool:
        """Return whether the whole measured time was within a bound, extended if needed."""
        return self.allows(self.seconds, bound)

    def __repr__(self) -> str:
        return f"<{self.seconds:.2f} seconds, busy in {self.busy:.2f} of them>"


def _waited() -> float | None:
    try:
        some = PRESSURE.read_text().partition("\n")[0]
    except OSError:
        return None
    return int(some.rpartition("=")[2]) / 1_000_000
