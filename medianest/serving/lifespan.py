"""Start and end the process in order (the ASGI lifespan protocol)."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from types import FrameType

from medianest.serving.responses import Application, Receive, Scope, Send

log = logging.getLogger(__name__)

Step = Callable[[], Awaitable[None]]


class Lifespan:
    """Run steps when the server starts and when it ends; pass HTTP requests on.

    `stopping` is set as soon as the process is told to end, while requests are still answered: what
    stays open without an end, such as an event stream, must end then. `requests` is how many came.
    """

    def __init__(
        self, app: Application, *, on_start: Sequence[Step] = (), on_end: Sequence[Step] = ()
    ) -> None:
        self._app, self._on_start, self._on_end = app, on_start, on_end
        self.stopping = asyncio.Event()
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.requests += 1
            await self._app(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            raise ValueError(f"this service answers HTTP only, not {scope['type']}")

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._follow_signal()
                for step in self._on_start:
                    await step()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self.stopping.set()
                for step in self._on_end:
                    await step()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _follow_signal(self) -> None:
        """Set `stopping` at SIGTERM already: servers end the lifespan after the last request."""
        loop, previous = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)

        def stop(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.stopping.set)
            if callable(previous):
                previous(number, frame)
            if not loop.is_running():
                # Between two runs uvloop calls no handler of the server, which would serve on.
                loop.call_soon_threadsafe(signal.raise_signal, number)

        try:
            signal.signal(signal.SIGTERM, stop)
        except ValueError:
            # Only the main thread may do this: a server in another thread, as in tests.
            log.debug("the lifespan does not follow SIGTERM")
