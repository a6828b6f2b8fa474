"""The process starts and ends in order, and learns of SIGTERM before the last request ends."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from medianest.serving.lifespan import Lifespan
from medianest.serving.responses import Message
from tests.service import ROOT

ENVIRONMENT = os.environ | {"DJANGO_SETTINGS_MODULE": "medianest.settings"}
# Installs a handler as Granian does, before the lifespan begins. Like Granian it runs the loop once
# for the start, and once more to serve. A process of its own, since only the main thread of a
# process may handle signals.
FOLLOWER = """
import asyncio, os, signal, sys
import uvloop
from medianest.serving.lifespan import Lifespan

server_notified, messages, started = asyncio.Event(), asyncio.Queue(), asyncio.Event()
lifespan = Lifespan(None)

async def send(message):
    started.set()

async def start():
    task = asyncio.create_task(lifespan({"type": "lifespan"}, messages.get, send))
    messages.put_nowait({"type": "lifespan.startup"})
    await started.wait()
    return task

async def serve():
    if sys.argv[2] == "in a run":
        os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(20):
        await server_notified.wait()
        await lifespan.stopping.wait()

loop = (uvloop if sys.argv[1] == "uvloop" else asyncio).new_event_loop()
loop.add_signal_handler(signal.SIGTERM, server_notified.set)
task = loop.run_until_complete(start())
if sys.argv[2] == "between two runs":
    os.kill(os.getpid(), signal.SIGTERM)
loop.run_until_complete(serve())
task.cancel()
print("both know")
"""


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("moment", ["in a run", "between two runs"])
def test_sigterm_reaches_the_server_and_the_lifespan(loop: str, moment: str) -> None:
    argv = [sys.executable, "-c", FOLLOWER, loop, moment]
    ended = subprocess.run(argv, cwd=ROOT, env=ENVIRONMENT, capture_output=True, timeout=60)
    assert ended.stdout == b"both know\n", ended.stderr.decode()


class Server:
    """A server that starts and ends a lifespan, and what happened in which order."""

    def __init__(self) -> None:
        self.happened: list[str] = []
        self._messages = ["lifespan.startup", "lifespan.shutdown"]

    async def receive(self) -> Message:
        return {"type": self._messages.pop(0)}

    async def send(self, message: Message) -> None:
        self.happened.append(message["type"])

    async def start(self) -> None:
        self.happened.append("start")

    async def end(self) -> None:
        self.happened.append("end")


@pytest.fixture(autouse=True)
def _own_signal_handler() -> Iterator[None]:
    """Leave SIGTERM to the tests, as it was."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if signal.getsignal(signal.SIGTERM) is not before:
        signal.signal(signal.SIGTERM, before)


async def _no_app(*_: Any) -> None:
    return


def test_the_steps_run_before_the_server_is_notified() -> None:
    server = Server()
    lifespan = Lifespan(_no_app, on_start=[server.start], on_end=[server.end])
    asyncio.run(lifespan({"type": "lifespan"}, server.receive, server.send))  # type: ignore[arg-type]
    assert server.happened == [
        "start",
        "lifespan.startup.complete",
        "end",
        "lifespan.shutdown.complete",
    ]
    assert lifespan.stopping.is_set()


def test_anything_but_http_is_refused() -> None:
    server = Server()
    with pytest.raises(ValueError, match="HTTP only"):
        asyncio.run(Lifespan(_no_app)({"type": "websocket"}, server.receive, server.send))  # type: ignore[arg-type]
