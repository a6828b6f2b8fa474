"""Time bounds that a busy machine keeps: a control tells how busy it was in the same seconds.

A bound of the contract holds for a machine that has a processor for whoever needs one. The kernel
counts how long programs waited for one (`/proc/pressure/cpu`). A bound grows by what it counted
while a test measured, up to a cap; on a quiet machine the bound is the contract's own.
"""

import time
from pathlib import Path

PRESSURE = Path("/proc/pressure/cpu")
# However busy the machine was, a bound grows by no more than this: times the bound, and seconds.
MAX_TIMES, MIN_CAP = 2, 2.0


class Stopwatch:
    """The seconds since it was started, and how many of them the machine was too busy."""

    def __init__(self) -> None:
        self._began, self._waited = time.monotonic(), _waited()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    @property
    def busy(self) -> float:
        """Return the seconds in which something waited for a processor.

        All of them where the kernel does not count, as in some containers.
        """
        waited = _waited()
        return self.seconds if waited is None or self._waited is None else waited - self._waited

    def allows(self, seconds: float, bound: float) -> bool:
        """Tell whether something that took these seconds meanwhile kept a bound."""
        return seconds < bound + min(self.busy, max(MAX_TIMES * bound, MIN_CAP))

    def keeps(self, bound: float) -> bool:
        """Tell whether all that happened since the start kept a bound."""
        return self.allows(self.seconds, bound)

    def __repr__(self) -> str:
        return f"<{self.seconds:.2f} seconds, busy in {self.busy:.2f} of them>"


def _waited() -> float | None:
    try:
        some = PRESSURE.read_text().partition("\n")[0]
    except OSError:
        return None
    return int(some.rpartition("=")[2]) / 1_000_000
