"""Trying the addresses of a server: no token is sent, and every result is one sentence."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from medianest.serving import upstream
from medianest.serving.upstream import Access, UpstreamNeeded
from plex_integration.plex import candidates
from plex_integration.plex.candidates import Trial
from plex_simulator import Simulator
from tests.certificates import certificates
from tests.pace import Stopwatch
from tests.plex.conftest import RawServer, Request, ok

SERVER = "f76e8a11"


def identity(machine_identifier: str = SERVER) -> bytes:
    return ok(f'<MediaContainer size="0" machineIdentifier="{machine_identifier}"/>')


@pytest.fixture
def server() -> Iterator[RawServer]:
    """A server that says who it is."""
    made = RawServer(lambda _: identity())
    yield made
    made.close()


@pytest.fixture
def silent() -> Iterator[RawServer]:
    """A server that does not answer before the end of the test."""
    ended = threading.Event()

    def wait(_: Request) -> None:
        ended.wait(30)

    made = RawServer(wait)
    yield made
    ended.set()
    made.close()


def message(url: str, **options: Any) -> str:
    trial = candidates.try_address(url, SERVER, **options)
    assert not trial.is_reachable
    return trial.message


def test_a_server_that_proves_its_identity_is_reachable_and_gets_no_token(
    server: RawServer,
) -> None:
    trial = candidates.try_address(server.url, SERVER)
    assert trial.is_reachable
    assert trial.message.startswith("Reachable in ")
    assert trial.message.endswith(" ms.")
    (request,) = server.requests
    assert request.path == "/identity"
    assert "token" not in request.head.lower()


def test_another_server_at_the_address_is_reported(server: RawServer) -> None:
    trial = candidates.try_address(server.url, "another-server")
    assert trial == Trial(False, "Another Plex server answers at this address.")


@pytest.mark.parametrize(
    "answer",
    [
        ok("<html>hello</html>"),
        ok("nonsense"),
        ok("", "404 Not Found"),
        ok("", "401 Unauthorized"),
        ok("", "302 Found", Location="http://127.0.0.1:1/"),
        ok("<MediaContainer/>"),
        ok('<MediaContainer machineIdentifier=""/>'),
    ],
)
def test_something_else_at_the_address_is_reported(answer: bytes) -> None:
    server = RawServer(lambda _: answer)
    assert message(server.url) == "Not a Plex server: something else answers at this address."
    server.close()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1", "Cannot be reached: the connection was refused"),
        ("https://there-is-no-such-host.invalid", "Cannot be reached: the host name is unknown"),
        ("http://169.254.1.2:32400", "Link-local and metadata hosts are not allowed."),
        ("http://user@10.0.0.1", "The address must not contain a user name or a password."),
        ("ftp://10.0.0.1", "The address must start with http:// or https://"),
    ],
)
def test_why_an_address_cannot_be_used_is_said_in_plain_words(
    url: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def without_name_server(host: str, *given: Any, **named: Any) -> Any:
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", without_name_server)
    assert message(url).startswith(reason)


def test_a_server_that_does_not_answer_costs_a_bounded_time(silent: RawServer) -> None:
    watch = Stopwatch()
    assert message(silent.url, seconds=0.3) == "Cannot be reached: no answer within 0.3 seconds."
    assert watch.keeps(1.0)


def test_a_server_that_is_starting_up_is_reported() -> None:
    server = RawServer(lambda _: ok("", "503 Service Unavailable"))
    assert message(server.url) == "Starting up: Plex answers, but is not ready yet."
    server.close()


def test_a_certificate_that_is_not_accepted_is_reported(tmp_path: Path) -> None:
    authority, certificate = certificates(tmp_path, "localhost", 30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = RawServer(lambda _: identity(), context)
    url = f"https://localhost:{server.port}"
    expected = "Plex's certificate is not accepted: its certificate authority is not trusted."
    assert message(url) == expected
    assert candidates.try_address(url, SERVER, verify=str(authority)).is_reachable
    server.close()


def test_addresses_are_tried_in_parallel_and_reported_in_their_order(
    server: RawServer, silent: RawServer
) -> None:
    urls = [f"{silent.url}/{n}" for n in range(6)] + [server.url, "http://127.0.0.1:1"]
    watch = Stopwatch()
    # In half of the seconds that they take one after the other.
    trials = candidates.try_addresses(dict.fromkeys(urls, True), SERVER, seconds=2, total_seconds=6)
    assert watch.keeps(6)
    assert list(trials) == urls
    assert [url for url in urls if trials[url].is_reachable] == [server.url]


def test_what_is_not_tried_in_time_is_reported_as_not_tested(silent: RawServer) -> None:
    urls = [f"{silent.url}/{n}" for n in range(50)]
    watch = Stopwatch()
    trials = candidates.try_addresses(
        dict.fromkeys(urls, True), SERVER, seconds=0.4, total_seconds=1.0
    )
    assert watch.keeps(2.5)
    assert trials[urls[0]].message == "Cannot be reached: no answer within 0.4 seconds."
    assert trials[urls[-1]] == candidates.NOT_TESTED


def test_no_address_is_tried_by_a_thread_that_must_not_wait(plex: Simulator) -> None:
    with upstream.access(Access.REFUSE):
        assert candidates.try_address(plex.url, SERVER) == candidates.TOO_BUSY
        assert candidates.try_addresses({plex.url: True}, SERVER) == {plex.url: candidates.TOO_BUSY}
    with upstream.access(Access.DEFER), pytest.raises(UpstreamNeeded):
        candidates.try_address(plex.url, SERVER)
    assert plex.count() == 0


def test_which_server_answers_at_an_address_is_found_without_a_token(plex: Simulator) -> None:
    assert candidates.find_server(plex.url) == plex.machine_identifier
    assert candidates.find_server("http://127.0.0.1:1") == ""
    assert candidates.find_server("http://169.254.1.2") == ""
