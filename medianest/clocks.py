"""Comparing the clock of another machine with that of this one."""


def seconds_ahead(clock: float, began: float, ended: float, resolution: float = 0.0) -> float:
    """Return how many seconds another machine's clock is ahead of this machine's, at least.

    The other machine read `clock` at some moment between `began` and `ended` of this machine, and
    rounded it down by less than `resolution`. What this can explain is no difference: 0.
    """
    return max(0.0, clock - ended) + min(0.0, clock + resolution - began)
