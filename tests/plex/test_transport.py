"""The way to Plex cannot be led astray, and nobody on it can keep the service waiting."""

import gzip
import logging
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medianest.api.exceptions import Problem
from plex_integration.errors import PlexApiError, PlexServerUnavailable
from plex_integration.plex import candidates
from plex_integration.plex.transport import enforce_deadline, remaining_seconds
from plex_integration.plex.xml import MAX_BYTES
from tests.pace import Stopwatch
from tests.plex.conftest import EMPTY, TOKEN, RawServer, Request, ok, plex_at

Serve = Callable[..., RawServer]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 T", "308 P"])
def test_a_redirect_is_not_followed_and_the_token_stays(serve: Serve, status: str) -> None:
    other = serve(EMPTY)
    first = serve(ok(b"", status, Location=f"{other.url}/library/sections"))
    with pytest.raises(PlexApiError):
        plex_at(first.url).libraries()
    assert len(first.requests) == 1
    assert other.connections == 0


def test_the_token_travels_in_a_header_alone(serve: Serve) -> None:
    server = serve(EMPTY)
    plex_at(server.url).search("night & day", 5)
    (request,) = server.requests
    assert request.header("X-Plex-Token") == TOKEN
    assert TOKEN not in request.path
    assert request.path == "/hubs/search?query=night+%26+day&limit=5"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_proxies_of_the_environment_are_not_used(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    proxy, server = serve(EMPTY), serve(EMPTY)
    monkeypatch.setenv(name, proxy.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    plex_at(server.url).libraries()
    assert len(server.requests) == 1
    assert proxy.connections == 0


def test_a_netrc_is_not_read(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(EMPTY)
    plex_at(server.url).libraries()
    assert server.requests[0].header("Authorization") is None


def test_cookies_are_not_stored(serve: Serve) -> None:
    server = serve(ok('<MediaContainer size="0"/>', Set_Cookie="session=1; Path=/"))
    plex = plex_at(server.url)
    plex.libraries()
    plex.libraries()
    assert [request.header("Cookie") for request in server.requests] == [None, None]


def test_a_connection_stays_open_and_is_used_again(serve: Serve) -> None:
    server = serve(EMPTY)
    for _ in range(5):
        plex_at(server.url).libraries()
    assert len(server.requests) == 5
    assert server.connections == 1


def test_a_request_on_an_open_connection_that_plex_closes_is_sent_again_once(serve: Serve) -> None:
    server = serve(lambda request: EMPTY if request.number == 1 else None)
    plex = plex_at(server.url)
    for _ in range(3):
        assert plex.libraries() == []
    assert [(request.connection, request.number) for request in server.requests] == [
        (1, 1), (1, 2), (2, 1), (2, 2), (3, 1),
    ]  # fmt: skip


def test_a_server_that_always_hangs_up_gets_two_requests_at_most(serve: Serve) -> None:
    server = serve(lambda request: None)
    with pytest.raises(PlexServerUnavailable):
        plex_at(server.url).libraries()
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", ["500 Error", "400 Bad", "503 Later", "401 No", "404 None"])
def test_a_request_that_is_refused_is_not_sent_again(serve: Serve, status: str) -> None:
    server = serve(ok("<html/>", status))
    with pytest.raises(Problem):
        plex_at(server.url).server()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"hello\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n<MediaContainer",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n<MediaContainer",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\nabc",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 " + b"O" * 70_000 + b"\r\n\r\n",
        ok(b"\x1f\x8b broken", Content_Encoding="gzip"),
        ok(b"anything", Content_Encoding="deflate"),
        ok(b"<MediaContainer/>", "206 Partial"),
        ok(b"", "204 None"),
        ok(b"", "304 Same"),
    ],
)  # fmt: skip
def test_no_odd_answer_is_more_than_a_problem(serve: Serve, answer: bytes) -> None:
    def once(request: Request) -> bytes | None:
        return answer if request.number == 1 else None

    watch = Stopwatch()
    with pytest.raises((PlexApiError, PlexServerUnavailable)):
        plex_at(serve(once).url, seconds=0.6).libraries()
    assert watch.keeps(1.5), watch


def test_gzip_and_chunks_are_read(serve: Serve) -> None:
    body = b'<MediaContainer><Directory key="7" title="A"/></MediaContainer>'
    packed = serve(ok(gzip.compress(body), Content_Encoding="gzip"))
    assert [library.id for library in plex_at(packed.url).libraries()] == ["7"]
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    chunked = serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces)
    assert [library.id for library in plex_at(chunked.url).libraries()] == ["7"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_response_of_the_largest_size_is_read_and_one_byte_more_is_not(
    serve: Serve, packed: bool
) -> None:
    start, end = b"<MediaContainer>", b"</MediaContainer>"

    def sized(size: int) -> bytes:
        body = start + b" " * (size - len(start) - len(end)) + end
        return ok(gzip.compress(body, 1), Content_Encoding="gzip") if packed else ok(body)

    assert plex_at(serve(sized(MAX_BYTES)).url).libraries() == []
    with pytest.raises(PlexApiError):
        plex_at(serve(sized(MAX_BYTES + 1)).url).libraries()


def test_a_name_that_cannot_be_resolved_is_an_unavailable_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(PlexServerUnavailable):
        plex_at("http://plex.example.com:32400").libraries()


def test_resolving_that_hangs_is_cut_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hang(*_: Any) -> None:
        over.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    watch = Stopwatch()
    try:
        with pytest.raises(PlexServerUnavailable):
            plex_at("http://plex.example.com:32400", seconds=0.4).libraries()
        assert watch.keeps(1), watch
    finally:
        over.set()


def test_names_that_hang_do_not_delay_a_server_with_an_ip_address(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, over, real = serve(EMPTY), threading.Event(), socket.getaddrinfo

    def hang_for_names(host: str, *given: Any) -> Any:
        if host.endswith(".invalid"):
            over.wait(20)
        return real(host, *given)

    monkeypatch.setattr(socket, "getaddrinfo", hang_for_names)
    names = {f"http://{number}.invalid": True for number in range(20)}
    try:
        candidates.try_addresses(names, "a-server", seconds=0.3, total_seconds=1.0)
        assert plex_at(server.url, seconds=2).libraries() == []
    finally:
        over.set()


def test_every_address_of_a_name_is_tried(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(EMPTY)
    real = socket.getaddrinfo

    def several(*given: Any, **named: Any) -> Any:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            dead = (socket.AF_INET, socket.SOCK_STREAM, 6, "", closed.getsockname())
        return [dead, *real("127.0.0.1", server.port, 0, socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", several)
    assert plex_at(f"http://plex.example.com:{server.port}").libraries() == []
    assert server.requests[0].header("Host") == f"plex.example.com:{server.port}"


@pytest.mark.parametrize(("outer", "inner"), [(0.3, 20.0), (20.0, 0.3)])
def test_of_nested_deadlines_the_earlier_counts(serve: Serve, outer: float, inner: float) -> None:
    silent, watch = serve(b""), Stopwatch()
    with enforce_deadline(time.monotonic() + outer):
        with pytest.raises(PlexServerUnavailable):
            plex_at(silent.url, seconds=inner).libraries()
        assert watch.keeps(1), watch


def test_the_outer_deadline_holds_after_an_inner_one(serve: Serve) -> None:
    server = serve(EMPTY)
    with enforce_deadline(time.monotonic() + 20):
        plex_at(server.url, seconds=5).libraries()
        assert 5 < remaining_seconds() <= 20


def test_a_server_that_never_answers_is_cut_at_the_deadline(serve: Serve) -> None:
    over = threading.Event()

    def wait(_: Request) -> None:
        over.wait(20)

    watch = Stopwatch()
    try:
        with pytest.raises(PlexServerUnavailable):
            plex_at(serve(wait).url, seconds=0.4).libraries()
        assert watch.keeps(1), watch
    finally:
        over.set()


@pytest.mark.parametrize(
    "path", ["library/sections", "@evil.example/x", "", "http://evil.example/"]
)
def test_a_path_begins_with_a_slash(serve: Serve, path: str) -> None:
    server = serve(EMPTY)
    with pytest.raises(ValueError, match="slash"):
        plex_at(server.url)._http.query(path)
    assert server.connections == 0


@pytest.mark.parametrize("key", ["", "a", "1/2", "../1", "１", "1?x=1", "-1", "1,2", "1\n"])
def test_nothing_but_digits_comes_into_a_path(serve: Serve, key: str) -> None:
    server = serve(EMPTY)
    plex = plex_at(server.url)
    for ask in (
        lambda: plex.genres(key, "movie"),
        lambda: plex.library_count(key, "movie"),
        lambda: plex.collection_items(key, 0, 5),
        lambda: plex.collection(key),
    ):
        with pytest.raises(ValueError, match="digits"):
            ask()
    assert server.connections == 0


def test_neither_token_nor_body_is_logged_or_raised(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(ok("<html>the body of an error</html>", "500 Error"))
    with pytest.raises(PlexApiError) as raised:
        plex_at(server.url).libraries()
    exposed = f"{raised.value!r} {raised.value} {plex_at(server.url).connection!r} {caplog.text}"
    assert TOKEN not in exposed
    assert "the body of an error" not in exposed


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Make self-signed certificates that are their own CA; key and certificate in one file."""
    folder = tmp_path_factory.mktemp("certificates")

    def make(name: str) -> Path:
        made = folder / f"{name.replace(':', '-')}.pem"
        if not made.exists():
            key, cert = folder / "key.pem", folder / "cert.pem"
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=plex",
                 "-addext", f"subjectAltName={name}", "-keyout", str(key), "-out", str(cert)],
                check=True,
                capture_output=True,
            )  # fmt: skip
            made.write_bytes(key.read_bytes() + cert.read_bytes())
        return made

    return make


def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_of_the_own_ca_is_accepted(serve: Serve, certificate: Any) -> None:
    made = certificate("IP:127.0.0.1")
    server = serve(EMPTY, tls(made))
    assert plex_at(server.url, verify=str(made)).libraries() == []
    assert server.requests[0].header("X-Plex-Token") == TOKEN


def test_an_untrusted_certificate_is_refused_before_the_token_is_sent(
    serve: Serve, certificate: Any
) -> None:
    server = serve(EMPTY, tls(certificate("IP:127.0.0.1")))
    with pytest.raises(PlexServerUnavailable):
        plex_at(server.url).libraries()
    assert server.requests == []


def test_a_certificate_of_another_ca_or_name_is_refused(serve: Serve, certificate: Any) -> None:
    mine, other = certificate("IP:127.0.0.1"), certificate("DNS:plex.example.com")
    for shown, trusted in ((mine, other), (other, other)):
        server = serve(EMPTY, tls(shown))
        with pytest.raises(PlexServerUnavailable):
            plex_at(server.url, verify=str(trusted)).libraries()
        assert server.requests == []


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_verification_can_be_switched_off(serve: Serve, certificate: Any) -> None:
    server = serve(EMPTY, tls(certificate("DNS:plex.example.com")))
    assert plex_at(server.url, verify=False).libraries() == []


def test_a_ca_of_the_environment_changes_nothing(
    serve: Serve, certificate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = certificate("IP:127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(made))
    with pytest.raises(PlexServerUnavailable):
        plex_at(serve(EMPTY, tls(made)).url).libraries()


def test_a_handshake_that_never_comes_is_cut_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        watch = Stopwatch()
        with pytest.raises(PlexServerUnavailable):
            plex_at(f"https://127.0.0.1:{silent.getsockname()[1]}", seconds=0.4).libraries()
        assert watch.keeps(1), watch


def test_a_handshake_that_drips_is_cut_at_the_deadline() -> None:
    over = threading.Event()

    def drip(listening: socket.socket) -> None:
        accepted, _ = listening.accept()
        with accepted:
            # The head of a TLS record of 16 KiB, and then a byte now and then.
            accepted.sendall(b"\x16\x03\x03\x40\x00")
            while not over.wait(0.05):
                try:
                    accepted.sendall(b"\x02")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=drip, args=(listening,), daemon=True).start()
        watch = Stopwatch()
        try:
            with pytest.raises(PlexServerUnavailable):
                plex_at(f"https://127.0.0.1:{listening.getsockname()[1]}", seconds=0.5).libraries()
            assert watch.keeps(1.2), watch
        finally:
            over.set()


def test_tls_answers_that_drip_are_cut_at_the_deadline(serve: Serve, certificate: Any) -> None:
    made = certificate("IP:127.0.0.1")
    over = threading.Event()

    def half(_: Request) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<MediaContainer>"

    watch = Stopwatch()
    try:
        with pytest.raises(PlexServerUnavailable):
            plex_at(serve(half, tls(made)).url, seconds=0.5, verify=str(made)).libraries()
        assert watch.keeps(1.2), watch
    finally:
        over.set()
