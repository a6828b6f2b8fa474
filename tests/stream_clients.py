"""Clients that keep event streams open, all in this thread."""

import resource
import socket
import struct
from contextlib import ExitStack, closing

from tests.service import HOST, at_once
from tests.streams import COUNT, PULSE, STREAM

REQUEST = f"GET {STREAM} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
CLEAN_END = b"0\r\n\r\n"
"""The last chunk of a response that ends in order."""
PATIENCE_SECONDS = 30
# How many files a process needs beside its streams: sockets, databases, libraries.
OTHER_FILES = 500


class StreamClients:
    """Clients of one server; each has received the beginning of its stream."""

    def __init__(self, port: int, count: int) -> None:
        allow_open_files(count)
        self._stack = ExitStack()
        self._sockets = [self._connect(port) for _ in range(count)]
        for each in self._sockets:
            received = b""
            while PULSE not in received:
                received += _received(each)

    def read_to_the_end(self) -> list[bytes]:
        """Return what each client still receives, until the server closes its connection."""
        return [_all_received(each) for each in self._sockets]

    def reset_when_closed(self) -> None:
        """Let `close` reset the connections, as those of a client that has crashed."""
        for each in self._sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        self._stack.close()

    def _connect(self, port: int) -> socket.socket:
        connection = socket.create_connection((HOST, port), timeout=PATIENCE_SECONDS)
        self._stack.enter_context(closing(connection))
        connection.sendall(REQUEST)
        return connection


def allow_open_files(count: int) -> None:
    """Raise the limit of open files for this process, and what it starts, as far as possible."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + OTHER_FILES
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def open_streams(root: str, workers: int) -> int:
    """Return how many streams are open in all workers."""
    counts: dict[int, int] = {}
    while len(counts) < workers:
        reports = (answer.json() for answer in at_once(root, [(COUNT, {})] * 8))
        counts |= {each["pid"]: each["open"] for each in reports}
    return sum(counts.values())


def _all_received(connection: socket.socket) -> bytes:
    received = bytearray()
    while piece := connection.recv(65536):
        received += piece
    return bytes(received)


def _received(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    assert piece, "the server closed a stream"
    return piece
