"""The service with a path that keeps an event stream open: a stub of what a later version has.

`COUNT` returns how many streams are open in the process that answers.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress

from medianest import asgi
from medianest.serving.lifespan import Lifespan
from medianest.serving.responses import Receive, Scope, Send

STREAM, COUNT = "/stream", "/stream/count"
PULSE_SECONDS = 5.0
PULSE = b": still here\n\n"


class Streams:
    """The service, with a path for event streams."""

    def __init__(self, service: Lifespan) -> None:
        self._service = service
        self._open: set[asyncio.Event] = set()
        self._watch: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answers: dict[str, Callable[[Receive, Send], Awaitable[None]]] = {
            STREAM: self._stream,
            COUNT: self._count,
        }
        answer = answers.get(scope.get("path", ""))
        await (self._service(scope, receive, send) if answer is None else answer(receive, send))

    async def _stream(self, receive: Receive, send: Send) -> None:
        """Send comments until the client is gone or the process is told to end."""
        self._watch = self._watch or asyncio.create_task(self._end_all())
        ended = asyncio.Event()
        self._open.add(ended)
        client = asyncio.create_task(_follow(receive, ended))
        try:
            await _start(send, b"text/event-stream")
            while not ended.is_set():
                await send({"type": "http.response.body", "body": PULSE, "more_body": True})
                with suppress(TimeoutError):
                    async with asyncio.timeout(PULSE_SECONDS):
                        await ended.wait()
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._open.discard(ended)
            client.cancel()

    async def _end_all(self) -> None:
        await self._service.stopping.wait()
        for ended in self._open:
            ended.set()

    async def _count(self, receive: Receive, send: Send) -> None:
        body = json.dumps({"pid": os.getpid(), "open": len(self._open)}).encode()
        await _start(send, b"application/json")
        await send({"type": "http.response.body", "body": body})


async def _follow(receive: Receive, ended: asyncio.Event) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    ended.set()


async def _start(send: Send, content_type: bytes) -> None:
    headers = [(b"content-type", content_type), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


application = Streams(asgi.application)
