"""A body that comes in chunks, without a length, is read by every server and both applications."""

import json
import socket
from collections.abc import Iterator

import pytest

from medianest.serving.bodies import MAX_BODY_BYTES
from plex_simulator import Simulator
from tests.service import (
    HOST,
    OPERATOR,
    PASSWORD,
    House,
    Service,
    UvicornService,
    Valkey,
    WsgiService,
)

SERVERS = [Service, UvicornService, WsgiService]
CREDENTIALS = json.dumps({"username": OPERATOR, "password": PASSWORD}).encode()


@pytest.fixture(scope="module", params=SERVERS, ids=["granian", "uvicorn", "granian by WSGI"])
def served(
    request: pytest.FixtureRequest, house: House, _valkey: Valkey, _simulator: Simulator
) -> Iterator[Service]:
    service = house.service(_valkey, workers=1, kind=request.param, DATABASE_URL=house.copied())
    yield service
    service.close()


def post(service: Service, *chunks: bytes) -> tuple[int, bytes]:
    """Send these chunks as one body; return the status and the rest of the response."""
    head = f"POST /api/v1/auth/token HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n"
    head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection((HOST, service.port), timeout=30) as line:
        line.sendall(head.encode())
        for chunk in (*chunks, b""):
            line.sendall(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    return int(answer.split()[1]), answer


def test_a_json_body_in_chunks_signs_in(served: Service, valkey: Valkey) -> None:
    status, answer = post(served, CREDENTIALS[:7], CREDENTIALS[7:])
    assert status == 200, answer
    assert b'"access"' in answer


def test_a_body_in_chunks_is_validated_like_any_other(served: Service, valkey: Valkey) -> None:
    assert post(served, b"[1, ", b"2")[0] == 400


def test_chunks_that_are_too_large_together_are_refused(served: Service, valkey: Valkey) -> None:
    status, answer = post(served, *[bytes(16 * 1024)] * (MAX_BODY_BYTES // (16 * 1024)), b"x")
    assert status == 413
    assert b'"PAYLOAD_TOO_LARGE"' in answer
