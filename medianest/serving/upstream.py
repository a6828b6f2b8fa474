"""Whether the current request may wait for another server (for this service: Plex, plex.tv).

A request first runs in threads that must not wait. Most end there: errors, cached pictures, cached
responses. One that needs the other server raises `UpstreamNeeded`, and is run again from its
beginning in the threads that may wait. One that carries `NEEDED` is run there at once. If those are
all in use, it is run without the other server.
"""

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

NEEDED = "medianest.upstream_needed"
"""The key under which a request carries that it needs the other server."""


class Access(enum.Enum):
    """How a request may use the other server."""

    WAIT = enum.auto()
    DEFER = enum.auto()
    """Raise `UpstreamNeeded` before waiting."""
    REFUSE = enum.auto()
    """Too many requests wait already: go on as if the other server were unavailable."""


class UpstreamNeeded(BaseException):
    """The request needs the other server. Not an Exception: no view may catch it as an error."""


_current: ContextVar[Access] = ContextVar("upstream_access", default=Access.WAIT)


@contextmanager
def access(granted: Access) -> Iterator[None]:
    """Run a request with this access."""
    token = _current.set(granted)
    try:
        yield
    finally:
        _current.reset(token)


def may_wait() -> bool:
    """Tell whether the request may wait for the other server now. Raises UpstreamNeeded."""
    current = _current.get()
    if current is Access.DEFER:
        raise UpstreamNeeded
    return current is Access.WAIT
