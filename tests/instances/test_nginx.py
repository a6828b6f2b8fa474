"""What nginx sends again to the other of two instances, which are stubs here."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.instances.conftest import nginx_for_two
from tests.service import HOST, ROOT, free_port
from tests.serving.test_proxies import running

CLOSE = 0
"""Instead of a status: close the connection without a response."""


class _Stub(BaseHTTPRequestHandler):
    """Notes the method of each request, reads its body, and answers as its server says."""

    protocol_version = "HTTP/1.1"
    server: "StubServer"

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self._answer

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.methods.append(self.command)
        if self.server.status == CLOSE:
            self.close_connection = True
            return
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Leave the log of the tests alone."""


class StubServer(ThreadingHTTPServer):
    """An instance that does the same for each request."""

    def __init__(self, status: int, methods: list[str], port: int = 0) -> None:
        super().__init__((HOST, port), _Stub)
        self.status, self.methods = status, methods

    @contextmanager
    def serving(self) -> Iterator[int]:
        """Serve requests meanwhile, on this port."""
        with self:
            threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()
            yield self.server_address[1]
            self.shutdown()


@pytest.mark.parametrize(
    ("method", "times"),
    [("GET", 2), ("HEAD", 2), ("POST", 1), ("PATCH", 1), ("PUT", 1), ("DELETE", 1)],
)
def test_of_requests_without_a_response_only_reads_are_sent_to_the_other_instance(
    method: str, times: int, tmp_path: Path
) -> None:
    received: list[str] = []
    with ExitStack() as stack:
        ports = [stack.enter_context(StubServer(CLOSE, received).serving()) for _ in range(2)]
        proxy = stack.enter_context(running(partial(nginx_for_two, ports[1]), tmp_path, ports[0]))
        assert proxy.send("/", method=method, body=b"{}").status == 502
    assert received == [method] * times


@pytest.mark.parametrize("status", [502, 503])
def test_an_error_of_the_service_is_passed_on(status: int, tmp_path: Path) -> None:
    received: list[str] = []
    with ExitStack() as stack:
        ports = [stack.enter_context(StubServer(status, received).serving()) for _ in range(2)]
        proxy = stack.enter_context(running(partial(nginx_for_two, ports[1]), tmp_path, ports[0]))
        assert proxy.send("/").status == status
    assert received == ["GET"]


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_an_instance_that_does_not_run_costs_no_request(method: str, tmp_path: Path) -> None:
    received: list[str] = []
    with ExitStack() as stack:
        port = stack.enter_context(StubServer(200, received).serving())
        proxy = stack.enter_context(running(partial(nginx_for_two, port), tmp_path, free_port()))
        statuses = [proxy.send("/", method=method, body=b"{}").status for _ in range(10)]
    assert statuses == [200] * 10
    assert received == [method] * 10


def documented_seconds() -> int:
    """Return how long an operator waits between the restarts of two instances."""
    text = " ".join((ROOT / "docs" / "deployment.md").read_text().split())
    return int(re.findall(r"go on (\d+) seconds after its `/api/v1/health` responds", text)[0])


def test_instances_that_are_restarted_as_documented_cost_no_request(tmp_path: Path) -> None:
    received: list[str] = []
    port = free_port()
    with ExitStack() as stack:
        first = StubServer(200, received)
        first_port = stack.enter_context(first.serving())
        proxy = stack.enter_context(running(partial(nginx_for_two, port), tmp_path, first_port))
        # Often enough for nginx to send no request to the second one for a while.
        assert {proxy.send("/").status for _ in range(10)} == {200}
        stack.enter_context(StubServer(200, received, port).serving())
        time.sleep(documented_seconds())
        first.status = CLOSE
        assert {proxy.send("/").status for _ in range(10)} == {200}
