"""A large picture is sent in pieces, under ASGI and under WSGI."""

import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from plex_integration.images.disk_cache import EncodedImage
from plex_simulator import Simulator
from tests.service import HOST, House, Service, WsgiService, ask, until

from .conftest import first, open_files

MIB = 1024 * 1024
# More than the sockets of a connection hold.
PICTURE = EncodedImage.of(os.urandom(MIB) * 48)
THREADS = 4


@dataclass(frozen=True)
class Large:
    """A service with one worker, a link to a picture that it has cached, and the file of it."""

    service: Service
    link: str
    file: Path

    def get(self) -> socket.socket:
        """Request the picture; nothing of the response is read."""
        connection = socket.create_connection((HOST, self.service.port), timeout=20)
        request = f"GET {self.link} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        return connection

    def is_open(self) -> bool:
        """Tell whether the worker has opened the picture's file."""
        (worker,) = self.service.workers()
        return str(self.file) in open_files(worker)

    def peak_memory(self) -> int:
        """Return the most memory that the worker has used, in bytes."""
        (worker,) = self.service.workers()
        status = Path(f"/proc/{worker}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


@pytest.fixture(scope="module", params=[Service, WsgiService])
def _large(
    request: pytest.FixtureRequest,
    house: House,
    _simulator: Simulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Large]:
    folder = tmp_path_factory.mktemp("pictures")
    service = house.service(
        None,
        workers=1,
        kind=request.param,
        PICTURES_FOLDER=str(folder),
        GENERAL_THREADS=str(THREADS),
    )
    try:
        path = f"/api/v1/plex/items/{first(_simulator, '2', 'show').rating_key}"
        body = ask(service.url, path, house.people[0].headers).json()
        link = body["data"]["item"]["thumbUrl"]
        assert ask(service.url, link).status == 200
        (file,) = folder.glob("kept/*/*")
        yield Large(service, link, file)
    finally:
        service.close()


@pytest.fixture
def large(_large: Large, tmp_path: Path) -> Large:
    """A cached picture that is far larger than any that Plex sends."""
    new = tmp_path / "new"
    new.write_bytes(bytes.fromhex(PICTURE.digest) + PICTURE.content)
    new.replace(_large.file)
    return _large


def digest(content: bytes) -> str:
    return EncodedImage.of(content).digest


def test_a_large_picture_does_not_fill_the_memory(large: Large) -> None:
    before = large.peak_memory()
    answer = ask(large.service.url, large.link)
    assert answer.headers["content-length"] == str(PICTURE.size)
    assert answer.headers["x-plex-cache-status"] == "HIT"
    assert digest(answer.body) == PICTURE.digest
    assert large.peak_memory() - before < PICTURE.size / 3


def test_a_picture_that_is_evicted_while_it_is_sent_arrives_whole(large: Large) -> None:
    with closing(large.get()) as connection:
        received = bytearray(connection.recv(1000))
        large.file.unlink()
        while piece := connection.recv(MIB):
            received += piece
    assert digest(bytes(received).partition(b"\r\n\r\n")[2]) == PICTURE.digest


def test_a_picture_is_closed_when_it_was_sent_or_its_client_is_gone(large: Large) -> None:
    for is_read in (True, False):
        with closing(large.get()) as connection:
            connection.recv(1000)
            assert large.is_open()
            while is_read and connection.recv(MIB):
                pass
        until(lambda: not large.is_open(), 10, "the file is closed")


def test_a_head_and_a_known_picture_get_no_content_on_a_connection_that_stays_open(
    large: Large,
) -> None:
    url, etag = large.service.url + large.link, f'"{PICTURE.digest}"'
    with requests.Session() as client:
        client.trust_env = False
        for _ in range(2):
            head = client.head(url)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["Content-Length"] == str(PICTURE.size)
            known = client.get(url, headers={"If-None-Match": etag})
            assert (known.status_code, known.content) == (304, b"")
            assert head.headers["ETag"] == known.headers["ETag"] == etag


# Under WSGI each response holds a thread until it is read.
@pytest.mark.parametrize("_large", [Service], indirect=True)
def test_who_reads_slowly_holds_no_thread(large: Large) -> None:
    with ExitStack() as stack:
        for _ in range(3 * THREADS):
            connection = stack.enter_context(closing(large.get()))
            assert connection.recv(12) == b"HTTP/1.1 200"
        assert ask(large.service.url, "/api/v1/health").status == 200
        assert digest(ask(large.service.url, large.link).body) == PICTURE.digest
