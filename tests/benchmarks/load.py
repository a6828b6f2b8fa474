"""Send requests to one server over several connections at once: a light process of its own.

It reads its job as a line of JSON and connects. After its second line it sends until the time is
over or no requests are left, and prints how many seconds that took, how many seconds of processor
time this process used, and how many microseconds each answer took. Every connection has users of
its own, so that each user meets one worker.
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

    def close(self) -> None:
        self._socket.close()

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
) -> list[float]:
    """Send each connection's requests so many times, None: endlessly.

    After so many seconds no more requests are sent, but answers are waited for. Return how many
    seconds each answer took.
    """
    poll, until = select.epoll(), time.perf_counter() + seconds
    lines = {each.fileno(): (each, _in_turn(each.requests, turns)) for each in connections}
    sent = {}
    for fileno, (connection, requests) in lines.items():
        poll.register(fileno, select.EPOLLIN)
        sent[fileno] = time.perf_counter()
        connection.send(next(requests))
    waits, waiting = [], len(lines)
    while waiting:
        ready = poll.poll(PATIENCE_SECONDS)
        if not ready:
            sys.exit(f"no answer within {PATIENCE_SECONDS} seconds")
        for fileno, _ in ready:
            connection, requests = lines[fileno]
            if not connection.receive():
                continue
            now = time.perf_counter()
            waits.append(now - sent[fileno])
            request = next(requests, None) if now < until else None
            if request:
                sent[fileno] = now
                connection.send(request)
            else:
                waiting -= 1
    return waits


def written(target: str, token: str, encoding: str = "gzip") -> bytes:
    """Return a user's request as it is sent."""
    return (
        f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n"
        f"Accept: application/json\r\nAccept-Encoding: {encoding}\r\n\r\n"
    ).encode()


def _in_turn(requests: Sequence[bytes], turns: int | None) -> Iterator[bytes]:
    return cycle(requests) if turns is None else chain.from_iterable(repeat(requests, turns))


def _connect(job: Mapping[str, Any]) -> list[Connection]:
    requests = [written(job["path"], token, job["encoding"]) for token in job["tokens"]]
    count, ports = job["connections"], job["ports"]
    return [
        Connection(ports[number % len(ports)], requests[number::count], job["mark"].encode())
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
    began, used = time.perf_counter(), time.process_time()
    waits = send_all(connections, job["turns"], job["seconds"])
    elapsed, used = time.perf_counter() - began, time.process_time() - used
    print(json.dumps([elapsed, used, [round(wait * 1_000_000) for wait in waits]]), flush=True)
    sys.stdin.read()  # closing the connections is not part of the measurement


if __name__ == "__main__":
    main()
