"""Read the bodies of requests, so that a client that sends slowly holds up nobody else.

No server and no framework has a time limit for bodies. Here a client that is slow costs a
connection and at most `MAX_BODY_BYTES` of memory, and no thread.
"""

import asyncio
import logging
from contextlib import suppress
from functools import partial

from medianest.api.exceptions import PayloadTooLarge, Problem, RequestTimeout
from medianest.serving.request_head import RequestHead
from medianest.serving.responses import (
    Application,
    Message,
    PlainResponse,
    Receive,
    Scope,
    Send,
    problem_response,
)

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
"""More than the largest write needs: 1,000 rating keys."""
BODY_SECONDS = 10.0
"""How long a client may take to send a body."""
LINGER_SECONDS, LINGER_BYTES = 1.0, 1024 * 1024
"""How much of a body that is too large is still read after the refusal was sent."""


class BodyLayer:
    """Pass requests on with their whole body; answer 413 or 408 where that is not possible."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = RequestHead.of_scope(scope)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read(scope, receive)
        except TimeoutError:
            await _refusal(head, RequestTimeout()).send(send)
        except PayloadTooLarge as problem:
            await _refusal(head, problem).send(send, before_end=partial(_read_on, receive))
        except ConnectionResetError:
            return  # the client is gone
        else:
            await self._app(scope, _Whole(body, receive), send)


class _Whole:
    """A `receive` that returns the body at once, and after that what the server says."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _read(scope: Scope, receive: Receive) -> bytes:
    """Return the body. Raises PayloadTooLarge, and ConnectionResetError if the client is gone."""
    if _declared_length(scope) > MAX_BODY_BYTES:
        raise PayloadTooLarge
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise PayloadTooLarge
        if not message.get("more_body", False):
            return bytes(body)


def _declared_length(scope: Scope) -> int:
    """Return the body's length as the client declares it; 0 where it does not."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def _refusal(head: RequestHead | None, problem: Problem) -> PlainResponse:
    log.info("a request is refused: %s", problem.code)
    response = problem_response(head, problem)
    # What is left of the body is not read: the connection cannot be used for another request.
    response.headers.append(("Connection", "close"))
    return response


async def _read_on(receive: Receive) -> None:
    """Read what the client has already sent, within bounds.

    A connection that is closed before that is reset, and then a client may lose the response.
    """
    left = LINGER_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                message = await receive()
                if not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))
