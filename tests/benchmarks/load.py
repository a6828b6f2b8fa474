"""Send requests to one server over several connections at once: a light process of its own.

It reads its job as a line of JSON and connects. After its second line it sends until the time is
over or no requests are left, and prints how many were answered, and in how many seconds. Every
connection has users of its own, so that each user meets one worker.
"""

import json
import select
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, cycle, repeat
from typing import Any

HOST = "127.0.0.1"
PATIENCE_SECONDS = 30
MAX_HEAD_BYTES = 4096
# One buffer for all: a new one for each answer costs more than everything else here.
BUFFER = bytearray(1 << 18)


class Connection:
    """One connection; each answer must be a 200 and contain `mark` in its head."""

    def __init__(self, port: int, requests: Sequence[bytes], mark: bytes) -> None:
        self.requests = requests
        self._socket = socket.create_connection((HOST, port), timeout=PATIENCE_SECONDS)
        self._mark = mark
        self._head = b""
        self._received = 0
        self._size: int | None = None

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, request: bytes) -> None:
        self._head, self._received, self._size = b"", 0, None
        self._socket.sendall(request)

    def receive(self) -> bool:
        """Read what has come; tell whether the answer is complete."""
        count = self._socket.recv_into(BUFFER)
        if not count:
            sys.exit("the server closed a connection")
        self._received += count
        if self._size is None:
            self._head += BUFFER[: min(count, MAX_HEAD_BYTES)]
            self._size = self._size_in_head()
        return self._received == self._size

    def _size_in_head(self) -> int | None:
        """Return the bytes of head and body; None until the head is complete."""
        head, end, _ = self._head.partition(b"\r\n\r\n")
        if not end:
            return None
        head = head.lower()
        if not head.startswith(b"http/1.1 200") or self._mark not in head:
            sys.exit(f"not the expected answer:\n{self._head.decode(errors='replace')}")
        length = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
        return len(head) + len(end) + int(length)


def send_all(
    connections: Sequence[Connection], turns: int | None, seconds: float = float("inf")
) -> int:
    """Send each connection's requests so many times, None: endlessly; return how many answers came.

    After so many seconds no more requests are sent, but answers are waited for.
    """
    poll, until = select.epoll(), time.perf_counter() + seconds
    lines = {each.fileno(): (each, _in_turn(each.requests, turns)) for each in connections}
    for fileno, (connection, requests) in lines.items():
        poll.register(fileno, select.EPOLLIN)
        connection.send(next(requests))
    answers, waiting = 0, len(lines)
    while waiting:
        ready = poll.poll(PATIENCE_SECONDS)
        if not ready:
            sys.exit(f"no answer within {PATIENCE_SECONDS} seconds")
        for fileno, _ in ready:
            connection, requests = lines[fileno]
            if not connection.receive():
                continue
            answers += 1
            request = next(requests, None) if time.perf_counter() < until else None
            if request:
                connection.send(request)
            else:
                waiting -= 1
    return answers


def _in_turn(requests: Sequence[bytes], turns: int | None) -> Iterator[bytes]:
    return cycle(requests) if turns is None else chain.from_iterable(repeat(requests, turns))


def _connect(job: Mapping[str, Any]) -> list[Connection]:
    requests = [
        f"GET {job['path']} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n"
        f"Accept: application/json\r\nAccept-Encoding: {job['encoding']}\r\n\r\n".encode()
        for token in job["tokens"]
    ]
    count = job["connections"]
    return [
        Connection(job["port"], requests[number::count], job["mark"].encode())
        for number in range(count)
    ]


def main() -> None:
    """Do the job of the first line."""
    job = json.loads(sys.stdin.readline())
    connections = _connect(job)
    if job["is_seen"]:
        send_all(connections, 1)
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    answers = send_all(connections, job["turns"], job["seconds"])
    print(json.dumps([answers, time.perf_counter() - began]), flush=True)
    sys.stdin.read()  # closing the connections is not part of the measurement


if __name__ == "__main__":
    main()
