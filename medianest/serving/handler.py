"""Run Django under ASGI: the whole synchronous chain of a request in one thread, in one hop.

Django's own ASGI handler changes threads at every middleware, starts a new thread for each request
without a bound, and reads a file that it sends whole into memory.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from io import BytesIO
from typing import Any

from django.core import signals
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from medianest.api.exceptions import Overloaded
from medianest.api.middleware import STARTED
from medianest.serving import upstream
from medianest.serving.request_head import RequestHead, path_of
from medianest.serving.responses import Receive, Scope, Send, problem_response
from medianest.serving.threads import Busy, Threads
from medianest.serving.upstream import Access, UpstreamNeeded

log = logging.getLogger(__name__)

CARRIED = "medianest."
"""How the keys of `request.META` begin that a request keeps when it is run again."""


class ServiceHandler(ASGIHandler):
    """Django behind three sets of threads.

    `general` runs what waits for no other server, and `waiting` what must. `sign_in` runs
    `sign_in_paths`: checking a password takes a processor for long. `patience` returns how many
    seconds a request may wait for a thread, and `sign_in_patience` is that of a sign-in.
    """

    def __init__(
        self,
        general: Threads,
        waiting: Threads,
        sign_in: Threads,
        *,
        sign_in_paths: Collection[str],
        sign_in_patience: float,
        patience: Callable[[], float],
    ) -> None:
        # Not ASGIHandler's own: it would load the middleware for coroutines.
        super(ASGIHandler, self).__init__()
        self.load_middleware(is_async=False)
        self._general, self._waiting, self._sign_in = general, waiting, sign_in
        self._sign_in_paths, self._sign_in_patience = sign_in_paths, sign_in_patience
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        head, run = RequestHead.of_scope(scope), _Run(self, scope, message.get("body", b""))
        try:
            response = await self._response(scope, run)
        except Busy:
            log.warning("a request is refused: too many others wait for a thread")
            await problem_response(head, Overloaded()).send(send)
            return
        if not response.streaming:
            await self.send_response(response, send)
            return
        response.block_size = self.chunk_size
        response.streaming_content = _pieces(response.streaming_content)
        try:
            await self.send_response(response, send)
        finally:
            await asyncio.to_thread(response.close)

    async def _response(self, scope: Scope, run: "_Run") -> Any:
        """Run a request in the threads that it needs. Raises Busy."""
        if path_of(scope) in self._sign_in_paths:
            return await self._sign_in.run(run, Access.WAIT, patience=self._sign_in_patience)
        patience = self._patience()
        if not run.needs_upstream:
            response = await self._general.run(run, Access.DEFER, patience=patience)
            if response is not None:
                return response
        try:
            return await self._waiting.run(run, Access.WAIT, patience=patience)
        except Busy:
            return await self._general.run(run, Access.REFUSE, patience=patience)


class _Run:
    """A request as Django runs it, once or, if it needs the other server, again.

    What it carries under `CARRIED` stays: when it came in, and that it was counted.
    """

    def __init__(self, handler: ServiceHandler, scope: Scope, body: bytes) -> None:
        self._handler, self._body = handler, body
        self._scope = {**scope, "query_string": _text(scope.get("query_string", b""))}
        self._carried: dict[str, Any] = scope.get(CARRIED, {STARTED: time.monotonic()})

    @property
    def needs_upstream(self) -> bool:
        """Tell whether it is known that the request needs the other server."""
        return upstream.NEEDED in self._carried

    def __call__(self, access: Access) -> HttpResponseBase | None:
        """Return Django's response; None if it needs the other server and must not wait for it."""
        set_script_prefix(get_script_prefix(self._scope))
        signals.request_started.send(sender=ServiceHandler, scope=self._scope)
        request = ASGIRequest(self._scope, BytesIO(self._body))
        # A body that came in chunks has no declared length; Django would ignore it.
        request.META["CONTENT_LENGTH"] = str(len(self._body))
        request.META.update(self._carried)
        try:
            with upstream.access(access):
                response = self._handler.get_response(request)
        except UpstreamNeeded:
            self._carried = {
                key: value for key, value in request.META.items() if key.startswith(CARRIED)
            }
            signals.request_finished.send(sender=ServiceHandler)
            return None
        # What `close` sends its signal for.
        response._handler_class = ServiceHandler  # type: ignore[attr-defined]
        if not response.streaming:
            # In this thread, whose database connection it was. The content stays.
            response.close()
        return response


def _text(query: bytes) -> str:
    """Return a query string as Django's WSGI handler would read it."""
    try:
        return query.decode()
    except UnicodeDecodeError:
        return query.decode("latin-1")


async def _pieces(content: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Read a file piece by piece in threads of their own: Django would read it whole."""
    while (piece := await asyncio.to_thread(next, content, None)) is not None:
        yield piece
