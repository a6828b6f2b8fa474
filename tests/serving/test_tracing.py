"""With OTEL_EXPORTER_OTLP_ENDPOINT requests are traced, and what they ask of Plex as children."""

import gzip
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from plex_simulator import Simulator
from tests.service import HOST, ROOT, House, Person, Service, Valkey, ask, until

ITEMS = "/api/v1/plex/libraries/1/items?size=2"
SECRET = "a-query-that-nobody-may-read"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SERVER, CLIENT = 2, 3
ERROR = 2


@dataclass(frozen=True)
class Received:
    """A span as it was sent; `attributes` are those of the span, as text."""

    name: str
    kind: int
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]
    status: int


class Receiver:
    """An OTLP receiver on a port of its own."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        self.url = f"http://{HOST}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_packed = self.headers.get("Content-Encoding") == "gzip"
                bodies.append(gzip.decompress(body) if is_packed else body)
                self.send_response(200 if self.path == "/v1/traces" else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Write nothing."""

        return Handler

    def requests(self) -> list[Any]:
        return [ExportTraceServiceRequest.FromString(body) for body in list(self.bodies)]

    def spans(self) -> list[Received]:
        return [
            _received(span)
            for request in self.requests()
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _received(span: Any) -> Received:
    attributes = {each.key: _text(each.value) for each in span.attributes}
    ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
    return Received(span.name, span.kind, *ids, attributes, span.status.code)


def _text(value: Any) -> str:
    return str(getattr(value, value.WhichOneof("value")))


@pytest.fixture(scope="module")
def _receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def _traced(
    house: House, _valkey: Valkey, _simulator: Simulator, _receiver: Receiver
) -> Iterator[Service]:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": _receiver.url,
        "OTEL_SERVICE_NAME": "media",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "LOG_FORMAT": "json",
    }
    service = house.service(_valkey, workers=1, DATABASE_URL=house.copied(), **environment)
    yield service
    service.close()


@pytest.fixture
def traced(_traced: Service, valkey: Valkey, plex: Simulator) -> Service:
    """A worker that sends its spans to the receiver."""
    return _traced


@pytest.fixture
def receiver(_receiver: Receiver) -> Receiver:
    return _receiver


def span_of(receiver: Receiver, request_id: str) -> Received:
    """Return the span of a request, when it was received."""

    def found() -> list[Received]:
        return [
            span
            for span in receiver.spans()
            if span.attributes.get("medianest.request_id") == request_id
        ]

    [span] = until(found, 20, f"the span of {request_id}")
    return span


def children_of(receiver: Receiver, span: Received) -> list[Received]:
    return [each for each in receiver.spans() if each.parent == span.id]


def sent(person: Person, request_id: str, **more: str) -> dict[str, str]:
    return person.headers | {"X-Request-ID": request_id} | more


def test_a_request_is_a_span_and_its_requests_to_plex_are_its_children(
    traced: Service, receiver: Receiver, people: Sequence[Person], plex: Simulator
) -> None:
    ask(traced.url, ITEMS, sent(people[0], "miss"))
    miss = span_of(receiver, "miss")
    assert (miss.name, miss.kind, miss.parent) == ("GET plex-library-items", SERVER, "")
    assert miss.attributes == {
        "http.request.method": "GET",
        "http.response.status_code": "200",
        "medianest.cache_status": "MISS",
        "medianest.endpoint": "plex-library-items",
        "medianest.request_id": "miss",
    }
    children = children_of(receiver, miss)
    assert {(each.kind, each.trace) for each in children} == {(CLIENT, miss.trace)}
    assert "GET /library/sections/{id}/all" in {each.name for each in children}
    for each in children:
        assert each.attributes == {
            "http.request.method": "GET",
            "http.response.status_code": "200",
            "server.address": HOST,
            "server.port": str(plex.port),
            "url.template": each.name.removeprefix("GET "),
        }
    ask(traced.url, ITEMS, sent(people[0], "hit"))
    hit = span_of(receiver, "hit")
    assert (hit.name, hit.attributes["medianest.cache_status"]) == (miss.name, "HIT")
    assert children_of(receiver, hit) == []


def test_requests_to_plex_in_other_threads_belong_to_the_request_as_well(
    traced: Service, receiver: Receiver, people: Sequence[Person], plex: Simulator
) -> None:
    # Its parts are requested side by side.
    ask(traced.url, "/api/v1/plex/server", sent(people[1], "server"))
    span = span_of(receiver, "server")
    assert len(children_of(receiver, span)) == plex.count() > 1


def test_the_trace_of_the_client_goes_on(
    traced: Service, receiver: Receiver, people: Sequence[Person]
) -> None:
    ask(traced.url, ITEMS, sent(people[2], "remote", traceparent=f"00-{TRACE}-{PARENT}-01"))
    span = span_of(receiver, "remote")
    assert (span.trace, span.parent) == (TRACE, PARENT)


def test_a_plex_that_fails_is_an_error_of_both_spans_with_its_class_alone(
    traced: Service, receiver: Receiver, people: Sequence[Person], plex: Simulator
) -> None:
    plex.fault("disconnect", path="/library/sections")
    ask(traced.url, ITEMS, sent(people[3], "failed"))
    span = span_of(receiver, "failed")
    assert (span.status, span.attributes["http.response.status_code"]) == (ERROR, "503")
    child = children_of(receiver, span)[0]
    assert (child.status, child.attributes["error.type"]) == (ERROR, "ConnectionError")


def test_no_span_holds_a_secret(
    traced: Service, receiver: Receiver, people: Sequence[Person], plex: Simulator
) -> None:
    person = people[4]
    ask(traced.url, f"/api/v1/plex/search?query={SECRET}", sent(person, "search"))
    ask(traced.url, f"/nothing/{SECRET}", sent(person, "nothing"))
    span_of(receiver, "search")
    assert span_of(receiver, "nothing").name == "GET"
    received = b"".join(receiver.bodies)
    for secret in (SECRET, person.access, plex.owner_token, person.name):
        assert secret.encode() not in received
    [resource] = {
        tuple((each.key, _text(each.value)) for each in spans.resource.attributes)
        for request in receiver.requests()
        for spans in request.resource_spans
    }
    assert dict(resource)["service.name"] == "media"


def test_a_worker_that_ends_sends_its_last_spans(
    house: House, valkey: Valkey, plex: Simulator, receiver: Receiver, people: Sequence[Person]
) -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_BSP_SCHEDULE_DELAY": "600000",
    }
    service = house.service(valkey, workers=1, DATABASE_URL=house.copied(), **environment)
    try:
        ask(service.url, "/api/v1/health", sent(people[5], "last"))
        service.terminate()
        until(lambda: not service.is_running(), 60, "the service has ended")
    finally:
        service.close()
    assert span_of(receiver, "last").name == "GET health"


def checked(house: House, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import django; django.setup(); import sys; print(*sys.modules)"],
        cwd=ROOT,
        env=house.environment | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_another_protocol_stops_the_start(house: House) -> None:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    done = checked(house, OTEL_EXPORTER_OTLP_PROTOCOL="grpc", **endpoint)
    assert done.returncode
    assert "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf" in done.stderr


@pytest.mark.parametrize(
    "environment",
    [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}],
)
def test_nothing_that_traces_is_loaded_where_requests_are_not_traced(
    house: House, environment: dict[str, str]
) -> None:
    script = "import medianest.asgi, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=house.environment | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    # redis-py imports OpenTelemetry's API by itself where it is installed.
    assert "medianest.asgi" in done.stdout
    assert not re.findall(r"\S*(?:tracing|traced|opentelemetry\.exporter)\S*", done.stdout)
