"""A proxy in front of Valkey that delays what passes, as a slow network does."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any

from tests.service import HOST, free_port


class SlowProxy:
    """Passes bytes on to a port; replies come `delay` seconds late.

    It runs in a thread of its own. When the port refuses or ends a connection, so does this.
    """

    def __init__(self, port: int) -> None:
        self.delay = 0.0
        self.port = free_port()
        self.url = f"redis://{HOST}:{self.port}/0"
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, HOST, self.port))

    def close(self) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _end(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            # Streams would log the end of a task that was cancelled.
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._pass_on(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_valkey, to_valkey = await asyncio.open_connection(HOST, self._target)
        both = [
            asyncio.ensure_future(_copy(reader, to_valkey)),
            asyncio.ensure_future(self._copy_late(from_valkey, writer)),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in both:
                each.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            to_valkey.transport.abort()

    async def _copy_late(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        writing = asyncio.ensure_future(self._write_due(due, writer))
        try:
            while data := await reader.read(65536):
                due.put_nowait((self._loop.time() + self.delay, data))
        finally:
            writing.cancel()

    async def _write_due(
        self, due: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter
    ) -> None:
        while True:
            at, data = await due.get()
            await asyncio.sleep(max(0.0, at - self._loop.time()))
            writer.write(data)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
