"""The calls to Plex that one response needs: one connection, one deadline, several in parallel."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import lru_cache, partial
from typing import Any, Generic, TypeVar
from xml.etree.ElementTree import Element

import requests

from medianest.api.exceptions import Problem
from plex_integration.configuration.connection import Connection
from plex_integration.errors import PlexServerUnavailable, PlexUnauthorized
from plex_integration.plex.http import PlexHttp
from plex_integration.plex.paging import ListPage, ParseRows, read_page
from plex_integration.plex.transport import enforce_deadline, new_session

T = TypeVar("T")
Argument = TypeVar("Argument")

# A call ends itself at the deadline; this is how much longer its caller waits for that.
_GRACE = 0.2

_pool = ThreadPoolExecutor(max_workers=32, thread_name_prefix="plex")


class PendingCall(Generic[T]):
    """A call that runs in another thread.

    `has_failed` tells whether a part of a response is missing that may come with another request.
    """

    def __init__(self, future: "Future[T]", deadline: float) -> None:
        self._future = future
        self._deadline = deadline
        self.has_failed = False

    def result(self) -> T:
        """Wait for the call, until the deadline at most; return its result or raise its error."""
        try:
            return self._future.result(max(0.0, self._deadline - time.monotonic()) + _GRACE)
        except TimeoutError:
            self._future.cancel()
            raise PlexServerUnavailable from None

    def failure(self) -> Problem | None:
        """Wait for the call and return the problem that it raised, if it did."""
        try:
            self.result()
        except Problem as problem:
            return problem
        return None

    def result_or_none(self) -> T | None:
        """Wait for the call and return its result, or None if it failed."""
        try:
            return self.result()
        except PlexUnauthorized:
            # The token may not have this. Asking again soon would change nothing.
            return None
        except Problem:
            self.has_failed = True
            return None


class PlexCalls:
    """Send requests to one server until one deadline, which is `seconds` from now."""

    def __init__(self, connection: Connection, seconds: float) -> None:
        self.connection = connection
        self._http = _http(connection)
        self._deadline = time.monotonic() + seconds

    def start(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> PendingCall[T]:
        """Run a method of this object in another thread, as a part of the same request."""
        return PendingCall(_pool.submit(copy_context().run, call, *args, **kwargs), self._deadline)

    def run_each(self, call: Callable[[Argument], T], arguments: Sequence[Argument]) -> list[T]:
        """Run a method of this object with each argument, in parallel; return all results in order.

        The last call runs in this thread, which would only wait for it.
        """
        pending = [self.start(call, each) for each in arguments[:-1]]
        own = [call(each) for each in arguments[-1:]]
        return [each.result() for each in pending] + own

    def _get(
        self, path: str, start: int | None = None, size: int | None = None, **parameters: Any
    ) -> Element:
        headers = {}
        if size is not None:
            headers = {
                "X-Plex-Container-Start": str(start),
                "X-Plex-Container-Size": str(size),
            }
        with enforce_deadline(self._deadline):
            return self._http.query(path, headers=headers, params=parameters)

    def _page(
        self,
        parse: ParseRows[T],
        path: str,
        start: int,
        size: int | None,
        **parameters: Any,
    ) -> ListPage[T]:
        return read_page(partial(self._get, path, **parameters), parse, start, size)


@lru_cache(maxsize=256)
def _http(connection: Connection) -> PlexHttp:
    return PlexHttp(connection, _session(connection.url, connection.verify))


@lru_cache(maxsize=8)
def _session(url: str, verify: bool | str) -> requests.Session:
    # All viewers of a server share its idle connections.
    return new_session(verify)
