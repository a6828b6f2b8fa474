"""The service in the process of the tests: the ASGI application on a real socket."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server as Granian

from medianest.asgi import application
from medianest.monitoring import processes
from plex_integration.linking.polling import poller
from tests.service import HOST, ask, free_port, until


class Server:
    """Granian with the application of this process, in a thread with an event loop of its own."""

    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"http://{HOST}:{self._port}"
        self._thread = threading.Thread(target=uvloop.run, args=(self._serve(),), name="server")

    def start(self) -> None:
        self._thread.start()
        until(self._is_up, 20, "the server answers")
        poller.stop()  # not every test has a database
        processes.end()  # nor a store of its own

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._granian.stop)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._granian = Granian(
            application,
            HOST,
            self._port,
            interface=Interfaces.ASGI,
            backpressure=4096,
            log_enabled=False,
        )
        await self._granian.serve()

    def _is_up(self) -> bool:
        try:
            return ask(self.url, "/api/v1/health/live").status == 200
        except OSError:
            return False


@pytest.fixture(scope="session")
def _server(database_first: None) -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.close()


@pytest.fixture
def server(_server: Server, transactional_db: None) -> Server:
    """The service on a real socket."""
    return _server
