"""How a store holds its connections to Redis."""

import socket
import socketserver
import threading
from contextlib import suppress
from typing import Any

import hiredis

from medianest.store import Hit


def read_in_thread(store: Any, key: str = "answer") -> Any:
    """Read from a thread of its own; return what it found."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(store.read(key)))
    thread.start()
    thread.join()
    return found[0]


def test_threads_that_come_and_go_never_use_up_the_connections(shared: Any, valkey: Any) -> None:
    shared.values.set("answer", b"cached", 60)
    before = valkey.client.info("clients")["connected_clients"]
    for _ in range(150):
        assert read_in_thread(shared).values == [b"cached"]
    # What ended threads held is closed when Python collects it, which is soon.
    assert valkey.client.info("clients")["connected_clients"] < before + 50


def test_a_connection_that_redis_closed_is_made_anew_and_nobody_notices(
    shared: Any, valkey: Any
) -> None:
    shared.values.set("answer", b"cached", 60)
    hit = Hit("server:1", 1000, 60, expires=False)
    for number in range(120):
        reading = shared.read("answer", hit=hit)
        assert reading.values == [b"cached"]
        assert reading.verdict.remaining == 1000 - number - 1
        valkey.client.client_kill_filter(_type="normal", skipme=True)


def test_a_request_that_was_counted_is_not_counted_again_when_the_connection_ends(
    stores: Any,
) -> None:
    """The server ends the connection between the reply to the hit and those to the reads."""
    counted = b"*5\r\n:1\r\n:4\r\n:60000000\r\n$1\r\n5\r\n$0\r\n\r\n"
    received: list[bytes] = []

    class Ending(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            parser = hiredis.Reader()
            while data := self.request.recv(10_000):
                parser.feed(data)
                while command := parser.gets():
                    received.append(command[0])
                    if command[0] == b"GET" and received.count(b"GET") == 3:
                        return
                    replies = {b"CLIENT": b"+OK\r\n", b"EVALSHA": counted}
                    self.request.sendall(replies.get(command[0], b"$-1\r\n"))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Ending) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        store = stores.use(f"redis://127.0.0.1:{server.server_address[1]}/0?protocol=2")
        hit = Hit("server:1", 5, 60, expires=False)
        for _ in range(2):
            assert store.read("answer", hit=hit).is_available
        assert received.count(b"EVALSHA") == 2
        server.shutdown()


def test_connections_of_equal_threads_do_not_mix_their_answers(shared: Any) -> None:
    for name in range(8):
        shared.values.set(f"answer-{name}", f"{name}".encode() * 5000, 60)
    wrong: list[Any] = []

    def read(name: int) -> None:
        for _ in range(50):
            values = shared.read(f"answer-{name}").values
            if values != [f"{name}".encode() * 5000]:
                wrong.append(values)

    threads = [threading.Thread(target=read, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_stranger_at_redis_port_is_a_redis_that_is_unavailable(stores: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with suppress(OSError):  # the listener is closed when the test is over
                while True:
                    line, _ = listener.accept()
                    with line:
                        line.recv(100)
                        line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        store = stores.use(f"redis://127.0.0.1:{listener.getsockname()[1]}/0")
        assert store.read("answer").is_available is False
        reading = store.read("answer", hit=Hit("server:1", 5, 60, expires=False))
        assert reading.is_available is False
        assert reading.verdict.remaining == 4
