"""An ASGI exchange in this process: a request's scope, what a client sends, what it is sent."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from medianest.serving.responses import Application, Message

DISCONNECT: Message = {"type": "http.disconnect"}


def scope_of(path: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    """Return the scope of a request; header names are written with underscores."""
    path, _, query = path.partition("?")
    given = {"host": "127.0.0.1"} | headers
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in given.items()
        ],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
    }


def body(content: bytes = b"", *, more: bool = False) -> Message:
    """Return a piece of a request's body."""
    return {"type": "http.request", "body": content, "more_body": more}


@dataclass
class Client:
    """A client that sends these messages, a piece every `pause` seconds, and then nothing."""

    to_send: Sequence[Message] = (body(),)
    pause: float = 0
    received: list[Message] = field(default_factory=list)

    async def receive(self) -> Message:
        if not self.to_send:
            await asyncio.Event().wait()
        await asyncio.sleep(self.pause)
        message, *self.to_send = self.to_send
        return message

    async def send(self, message: Message) -> None:
        self.received.append(message)

    async def ask(self, app: Application, scope: dict[str, Any]) -> "Client":
        """Send a request to an application, and return when that has ended."""
        await app(scope, self.receive, self.send)
        return self

    @property
    def status(self) -> int:
        status: int = self.received[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of the response; their names are lower case."""
        pairs = self.received[0]["headers"]
        return {name.decode().lower(): value.decode() for name, value in pairs}

    @property
    def pieces(self) -> list[bytes]:
        return [message.get("body", b"") for message in self.received[1:]]

    @property
    def content(self) -> bytes:
        return b"".join(self.pieces)
