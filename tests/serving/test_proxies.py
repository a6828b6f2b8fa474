"""The example configurations of nginx and Caddy, in the real programs, in front of the service."""

import gzip
import http.client
import json
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from plex_simulator import Simulator
from tests.certificates import certificates
from tests.pace import Stopwatch
from tests.service import HOST as LOCAL
from tests.service import (
    ROOT,
    Answer,
    House,
    Person,
    Process,
    Service,
    Valkey,
    ask,
    free_port,
    until,
)

from .test_tls_proxy import HOST, HSTS, ITEMS, OWN, documented

OF_PROXIES = {*OWN, "server", "connection", "keep-alive", "alt-svc", "via"}
"""Headers that a proxy may add or change, beside those that differ for each response."""

NGINX = """
daemon off;
user {user};
pid {folder}/pid;
error_log stderr;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/medianest.conf;
}}
"""
CADDY = """
{{
	admin off
	http_port {plain}
	https_port {secure}
	skip_install_trust
}}
"""


@dataclass(frozen=True)
class Proxy:
    """A running proxy: its ports, and the authority that signed its certificate."""

    plain: int
    secure: int
    authority: Path

    def send(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
        source: str = LOCAL,
        is_secure: bool = True,
    ) -> Answer:
        """Send a request from an address; return the response."""
        port = self.secure if is_secure else self.plain
        connection = http.client.HTTPConnection(HOST, timeout=60)
        line = socket.create_connection((LOCAL, port), 60, (source, 0))
        if is_secure:
            context = ssl.create_default_context(cafile=str(self.authority))
            line = context.wrap_socket(line, server_hostname=HOST)
        connection.sock = line
        watch = Stopwatch()
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, found, response.read(), watch.seconds)
        connection.close()
        return answer


def replaced(text: str, changes: dict[str, str]) -> str:
    """Replace what an operator replaces; each is in the file once."""
    for before, after in changes.items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


def nginx(folder: Path, upstream: int, plain: int, secure: int, certificate: Path) -> list[str]:
    """Write the configuration, and return the command."""
    example = (ROOT / "deploy" / "nginx.conf").read_text()
    changes = {
        "server 127.0.0.1:8000 ": f"server {LOCAL}:{upstream} ",
        "listen 80;": f"listen {LOCAL}:{plain};",
        "listen 443 ssl http2;": f"listen {LOCAL}:{secure} ssl http2;",
        "/etc/ssl/medianest/fullchain.pem;": f"{certificate};",
        "/etc/ssl/medianest/privkey.pem;": f"{certificate};",
    }
    (folder / "medianest.conf").write_text(replaced(example, changes))
    user = "root" if os.geteuid() == 0 else "nobody"
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user))
    return [program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, upstream: int, plain: int, secure: int, certificate: Path) -> list[str]:
    """Write the configuration, and return the command."""
    example = (ROOT / "deploy" / "Caddyfile").read_text()
    changes = {
        "reverse_proxy 127.0.0.1:8000": f"reverse_proxy {LOCAL}:{upstream}",
        "\nmedia.example.com {\n": f"\nmedia.example.com {{\n\ttls {certificate} {certificate}\n",
    }
    own = CADDY.format(plain=plain, secure=secure)
    (folder / "Caddyfile").write_text(own + replaced(example, changes))
    file = str(folder / "Caddyfile")
    return [program("caddy"), "run", "--adapter", "caddyfile", "--config", file]


def program(name: str) -> str:
    """Find a program of Debian's package of that name."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        say = pytest.fail if os.environ.get("PROXY_TESTS") == "required" else pytest.skip
        say(f"No {name} here. Install it for these tests: apt-get install {name}")
    return found


Configuration = Callable[[Path, int, int, int, Path], list[str]]


@contextmanager
def running(configuration: Configuration, folder: Path, upstream: int) -> Iterator[Proxy]:
    """Run a proxy in front of a port of this machine."""
    plain, secure = free_port(), free_port()
    authority, certificate = certificates(folder, HOST, days=10)
    argv = configuration(folder, upstream, plain, secure, certificate)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    process = Process(argv, folder / "log", environment)
    try:
        until(lambda: listens(process, plain) and listens(process, secure), 30, "it listens")
        yield Proxy(plain, secure, authority)
    finally:
        process.kill()


def listens(process: Process, port: int) -> bool:
    assert process.is_running(), process.log.read_text()
    try:
        socket.create_connection((LOCAL, port), 5).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "Caddy"])
def configuration(request: pytest.FixtureRequest) -> Configuration:
    found: Configuration = request.param
    return found


@pytest.fixture(scope="module")
def _behind(house: House, _valkey: Valkey, _simulator: Simulator) -> Iterator[Service]:
    """The service with the settings that the documentation has for a proxy."""
    settings = documented()
    settings["ALLOWED_HOSTS"] += ",127.0.0.1"
    service = house.service(_valkey, workers=1, DATABASE_URL=house.copied(), **settings)
    yield service
    service.close()


@pytest.fixture
def behind(_behind: Service, valkey: Valkey, plex: Simulator) -> Service:
    return _behind


@pytest.fixture
def proxy(configuration: Configuration, behind: Service, tmp_path: Path) -> Iterator[Proxy]:
    with running(configuration, tmp_path, behind.port) as proxy:
        yield proxy


def test_plain_http_is_redirected_to_https(proxy: Proxy) -> None:
    response = proxy.send(ITEMS, is_secure=False)
    assert response.status == 308
    target = response.headers["location"]
    # Caddy names its port where it is not the usual one.
    assert target.replace(f":{proxy.secure}", "") == f"https://{HOST}{ITEMS}"


def test_a_response_is_that_of_the_service(
    proxy: Proxy, behind: Service, people: Sequence[Person]
) -> None:
    ask(behind.url, ITEMS, people[0].headers | {"Host": HOST, "X-Forwarded-Proto": "https"})
    for extra in ({}, {"Accept-Encoding": "gzip"}):
        headers = people[0].headers | extra
        direct = ask(behind.url, ITEMS, headers | {"Host": HOST, "X-Forwarded-Proto": "https"})
        through = proxy.send(ITEMS, headers)
        assert (through.status, through.headers["x-plex-cache-status"]) == (200, "HIT")
        assert shared(through.headers) == shared(direct.headers)
        assert data(through) == data(direct)
        assert through.headers["strict-transport-security"] == HSTS


def shared(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in OF_PROXIES}


def data(answer: Answer) -> Any:
    is_compressed = answer.headers.get("content-encoding") == "gzip"
    return json.loads(gzip.decompress(answer.body) if is_compressed else answer.body)["data"]


def test_head_and_a_known_etag_have_no_body(proxy: Proxy, people: Sequence[Person]) -> None:
    first = proxy.send(ITEMS, people[0].headers)
    head = proxy.send(ITEMS, people[0].headers, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    known = people[0].headers | {"If-None-Match": first.headers["etag"]}
    unchanged = proxy.send(ITEMS, known)
    assert (unchanged.status, unchanged.body) == (304, b"")


def test_links_have_the_public_address_and_a_picture_comes(
    proxy: Proxy, people: Sequence[Person]
) -> None:
    link = data(proxy.send(ITEMS, people[0].headers))["items"][0]["thumbUrl"]
    assert link.startswith(f"https://{HOST}/")
    picture = proxy.send(link.removeprefix(f"https://{HOST}"))
    assert (picture.status, picture.headers["content-type"]) == (200, "image/jpeg")


def test_the_request_id_of_a_client_passes(proxy: Proxy, people: Sequence[Person]) -> None:
    response = proxy.send(ITEMS, people[0].headers | {"X-Request-ID": "of-the-client-1"})
    assert response.headers["x-request-id"] == "of-the-client-1"


def test_failed_sign_ins_count_for_the_address_of_the_client_alone(proxy: Proxy) -> None:
    statuses = {sign_in(proxy, number, LOCAL) for number in range(12)}
    assert statuses == {401, 429}
    assert sign_in(proxy, 12, LOCAL) == 429
    assert sign_in(proxy, 13, "127.0.0.2") == 401


def sign_in(proxy: Proxy, number: int, source: str) -> int:
    """Guess a password from an address, and claim another one."""
    body = json.dumps({"username": f"nobody-{number}", "password": "wrong"}).encode()
    claims = {
        "Content-Type": "application/json",
        "X-Forwarded-For": f"10.0.0.{number}",
        "X-Forwarded-Proto": "http",
    }
    return proxy.send("/api/v1/auth/token", claims, method="POST", body=body, source=source).status


def test_a_body_above_64_kib_is_refused_by_the_service_and_a_huge_one_by_the_proxy(
    proxy: Proxy,
) -> None:
    headers = {"Content-Type": "application/json"}
    large = proxy.send("/api/v1/auth/token", headers, method="POST", body=b" " * 100_000)
    assert large.status == 413
    assert json.loads(large.body)["error"]["code"] == "PAYLOAD_TOO_LARGE"
    huge = proxy.send("/api/v1/auth/token", headers, method="POST", body=b" " * 3_000_000)
    # Caddy sends less than it promised, and the service closes the connection.
    assert huge.status in (413, 502)
    assert b"PAYLOAD_TOO_LARGE" not in huge.body


# --- What the service receives --------------------------------------------------------------------


class _Echo(BaseHTTPRequestHandler):
    """Answers with the headers of the request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        text = json.dumps(self.headers.items()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Leave the log of the tests alone."""


@pytest.fixture
def before_echo(configuration: Configuration, tmp_path: Path) -> Iterator[Proxy]:
    with ThreadingHTTPServer((LOCAL, 0), _Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with running(configuration, tmp_path, server.server_address[1]) as proxy:
            yield proxy
        server.shutdown()


def test_the_service_learns_host_scheme_and_address_from_the_proxy_alone(
    before_echo: Proxy,
) -> None:
    claims = {
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Proto": "http",
        "X_Forwarded_For": "10.0.0.2",
        "X-Forwarded_For": "10.0.0.3",
        "X_Forwarded_Proto": "http",
    }
    response = before_echo.send("/", claims)
    received = [(name.lower(), value) for name, value in json.loads(response.body)]
    values = dict(received)
    assert len(values) == len(received), "no header is there twice"
    assert values["host"] == HOST
    assert values["x-forwarded-proto"] == "https"
    assert values["x-forwarded-for"].rpartition(",")[2].strip() == LOCAL
    assert not [name for name in values if "_" in name]


def test_metrics_are_not_passed_on(before_echo: Proxy) -> None:
    assert before_echo.send("/").status == 200
    assert before_echo.send("/metrics").status == 404


def test_without_the_service_the_proxy_answers_502(
    configuration: Configuration, tmp_path: Path
) -> None:
    with running(configuration, tmp_path, free_port()) as proxy:
        assert proxy.send("/api/v1/health/live").status == 502
