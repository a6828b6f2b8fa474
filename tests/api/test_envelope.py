"""Everything under /api/v1 answers in one envelope, whatever the request is."""

import json
import logging
import re
import socket
import time
from datetime import datetime
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest

from plex_simulator import Simulator
from tests.conftest import Client

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

pytestmark = pytest.mark.django_db(transaction=True)


class Raw:
    """An answer read off the socket."""

    def __init__(self, received: bytes) -> None:
        head, _, self.body = received.partition(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        self.status = int(line.split(" ")[1])
        self.headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (r.partition(":") for r in rest)
        }

    def json(self) -> Any:
        return json.loads(self.body)


def raw(client: Client, request: bytes) -> Raw:
    """Send bytes and read to the end."""
    address = urlsplit(client.root)
    with socket.create_connection((address.hostname, address.port), timeout=20) as sock:
        sock.sendall(request)
        received = b""
        while piece := sock.recv(65536):
            received += piece
    return Raw(received)


def get(client: Client, path: bytes, headers: bytes = b"", method: bytes = b"GET") -> Raw:
    host = urlsplit(client.root).netloc.encode()
    given = b"" if b"Host:" in headers else b"Host: " + host + b"\r\n"
    lines = b"%s %s HTTP/1.1\r\n%sConnection: close\r\n%s\r\n" % (method, path, given, headers)
    return raw(client, lines)


def enveloped(answer: Any, status: int, code: str) -> Any:
    """Assert a failure's whole envelope; return its body."""
    if isinstance(answer, Raw):
        found, headers = answer.status, answer.headers
    else:
        found, headers = answer.status_code, {k.lower(): v for k, v in answer.headers.items()}
    body = answer.json()
    assert (found, body["error"]["code"]) == (status, code), body
    assert body.keys() == {"success", "error", "metadata"}
    assert body["success"] is False
    assert body["error"].keys() <= {"code", "message", "details"}
    assert headers["content-type"].startswith("application/json")
    assert headers["cache-control"] == "no-store"
    assert headers["x-request-id"] == body["metadata"]["requestId"]
    assert TIMESTAMP.fullmatch(body["metadata"]["timestamp"])
    return body


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/plex/server/", "/plex/servers", "/plex/libraries/1",
     "/plex/libraries/1/items/", "/plex/libraries//items", "/plex/collections", "/auth",
     "/auth/token/", "/auth/token/none", "", "/", "//plex/server", "/plex/server.json",
     "/PLEX/SERVER", "/plex/libraries/1/2/items", "/.env", "/admin"],
)  # fmt: skip
def test_an_unknown_path_is_not_found_by_any_method(anonymous: Client, path: str) -> None:
    for method in (b"GET", b"POST", b"DELETE", b"OPTIONS"):
        answer = get(anonymous, b"/api/v1" + path.encode(), method=method)
        body = enveloped(answer, 404, "NOT_FOUND")
        assert body["metadata"]["requestId"].startswith("req-api-")
    head = get(anonymous, b"/api/v1" + path.encode(), method=b"HEAD")
    assert head.status == 404
    assert head.body == b""
    assert head.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", [b"/api/", b"/api/v2/plex/server", b"/api/v1x"])
def test_other_paths_of_the_api_are_not_found_either(anonymous: Client, path: bytes) -> None:
    answer = get(anonymous, path)
    assert answer.status == 404


@pytest.mark.parametrize(
    "path",
    [b"/plex/%", b"/plex/%zz", b"/plex/%00", b"/plex/server%00", b"/plex/server%0a", b"/%ff%fe",
     b"/plex/libraries/%/items", b"/plex/../../etc/passwd", b"/plex/%2e%2e/%2e%2e/etc",
     b"/plex/server;x=1", b"/plex/%ff", b"/plex/%F0%9F%8E%AC", b"/" + b"x" * 200, b"/%2F"],
)  # fmt: skip
def test_odd_paths_end_in_the_envelope(anonymous: Client, path: bytes) -> None:
    answer = get(anonymous, b"/api/v1" + path)
    assert answer.status in (401, 404)
    enveloped(answer, answer.status, {401: "UNAUTHORIZED", 404: "NOT_FOUND"}[answer.status])


@pytest.mark.parametrize(
    "query",
    [b"?%", b"?%zz=1", b"?%00=%00", b"?a=%ff", b"?%ff%fe", b"?" + b"a=1&" * 99, b"??", b"?=&=",
     b"?a" + b"[b]" * 50 + b"=1", b"?size=5%00"],
)  # fmt: skip
def test_odd_queries_do_no_harm(api: Client, plex: Simulator, query: bytes) -> None:
    token = str(api.headers["Authorization"]).encode()
    answer = get(api, b"/api/v1/plex/server" + query, b"Authorization: " + token + b"\r\n")
    assert answer.status == 200
    assert answer.json()["success"] is True


def test_too_many_parameters_are_refused_in_the_envelope(api: Client, plex: Simulator) -> None:
    answer = api.get("/plex/search?query=ab&" + "&".join(f"a{n}=1" for n in range(500)))
    enveloped(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "host",
    [b"evil.example", b"evil.example:80", b"127.0.0.1.evil.example", b"", b"a b", b"[::1", b"\xff",
     b"localhost@evil.example", b"..", b"127.0.0.1, evil.example"],
)  # fmt: skip
def test_a_foreign_host_is_refused_in_the_envelope(anonymous: Client, host: bytes) -> None:
    for path in (b"/api/v1/plex/server", b"/api/v1/nothing", b"/api/v1/health"):
        answer = get(anonymous, path, b"Host: " + host + b"\r\n")
        body = enveloped(answer, 400, "VALIDATION_ERROR")
        assert b"evil" not in answer.body
        assert body["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [b"{", b"{'a': 1}", b"", b"\xff\xfe", b"[1,", b"nonsense", b'{"username":NaN}', b"\x00",
     b"[" * 5000, b'{"a":' * 3000, b'{"n":' + b"9" * 5000 + b"}"],
    ids=lambda body: repr(body[:8]),
)  # fmt: skip
def test_a_malformed_body_is_refused_in_the_envelope(anonymous: Client, body: bytes) -> None:
    for path in ("/auth/token", "/auth/token/refresh", "/auth/token/verify", "/auth/logout"):
        answer = anonymous.post(path, data=body, headers={"Content-Type": "application/json"})
        envelope = enveloped(answer, 400, "VALIDATION_ERROR")
        assert envelope["error"]["details"]


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/xml", "text/json", "nonsense", "application/json-patch+json"],
)  # fmt: skip
def test_a_body_of_another_type_is_refused_in_the_envelope(anonymous: Client, kind: str) -> None:
    answer = anonymous.post("/auth/token", data=b"a=1", headers={"Content-Type": kind})
    enveloped(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON"])
def test_json_is_known_by_any_spelling(anonymous: Client, user: Any, kind: str) -> None:
    answer = anonymous.post("/auth/token", data=b"{}", headers={"Content-Type": kind})
    assert set(enveloped(answer, 400, "VALIDATION_ERROR")["error"]["details"]) == {
        "username", "password",
    }  # fmt: skip


def test_an_oversized_body_is_refused_in_the_envelope(anonymous: Client) -> None:
    body = b'{"username":"' + b"x" * 2_000_000 + b'"}'
    answer = anonymous.post("/auth/token", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 413)
    assert answer.json()["success"] is False


@pytest.mark.parametrize(
    "accept",
    ["application/xml", "text/plain", "image/png", "text/xml"],
)
@pytest.mark.parametrize("path", ["/plex/server", "/auth/session", "/health"])
def test_types_nobody_writes_are_refused_as_json(
    api: Client, plex: Simulator, path: str, accept: str
) -> None:
    enveloped(api.get(path, headers={"Accept": accept}), 406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "application/*", "application/json;q=0.1, text/csv",
               "application/json; indent=4", "nonsense, application/json"]
)  # fmt: skip
def test_json_is_answered_to_who_takes_it(api: Client, plex: Simulator, accept: str) -> None:
    answer = api.get("/plex/server", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json()["success"] is True


@pytest.mark.parametrize(
    "path", ["/plex/server", "/plex/libraries/1/items?size=2", "/plex/libraries/99/items"]
)
def test_a_browser_gets_a_page_with_the_same_answer(
    api: Client, plex: Simulator, path: str
) -> None:
    answer = api.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<html" in answer.text
    assert "&quot;success&quot;" in answer.text
    assert "<b>Bold</b> Choices" not in answer.text
    assert "//cdn" not in answer.text


def test_a_page_for_a_browser_escapes_what_plex_sends(api: Client, plex: Simulator) -> None:
    page = api.get(
        "/plex/search?query=%3Cb%3Ebold&details=summary", headers={"Accept": "text/html"}
    ).text
    assert "<b>Bold</b> Choices" not in page
    assert "Bold" in page


@pytest.mark.parametrize("path", ["/plex/server", "/plex/libraries", "/auth/session", "/health"])
def test_a_head_is_a_get_without_its_body(api: Client, plex: Simulator, path: str) -> None:
    head, full = api.head(path), api.get(path)
    assert head.status_code == full.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Type"] == full.headers["Content-Type"]
    assert head.headers["X-Request-ID"] != full.headers["X-Request-ID"]


@pytest.mark.parametrize("path", ["/plex/server", "/plex/search", "/auth/session"])
def test_options_need_signing_in_and_answer_in_the_envelope(
    api: Client, anonymous: Client, plex: Simulator, path: str
) -> None:
    enveloped(anonymous.options(path), 401, "UNAUTHORIZED")
    answer = api.options(path)
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    assert plex.count() == 0


def test_a_huge_header_does_no_harm(api: Client, plex: Simulator) -> None:
    assert api.get("/plex/server", headers={"X-Padding": "x" * 30_000}).status_code == 200
    assert api.get("/plex/server?a", headers={"Accept-Language": "\xff" * 500}).status_code == 200


# --- Metadata -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", ["a", "abc-DEF_1.2", "x" * 64, "0", "..", "-", "req-plex-server-mine"]
)
def test_a_clients_own_request_id_is_used(
    api: Client, plex: Simulator, caplog: pytest.LogCaptureFixture, given: str
) -> None:
    for path in ("/plex/server", "/plex/nothing", "/plex/libraries/99/items"):
        answer = api.get(path, headers={"X-Request-ID": given})
        assert answer.json()["metadata"]["requestId"] == given
        assert answer.headers["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given",
    ["", " ", "x" * 65, "a b", "a/b", "é", "１", "a,b", "<x>", "a\tb", "%0a", "a:b"],
)
def test_another_request_id_is_replaced(api: Client, plex: Simulator, given: str) -> None:
    answer = get(
        api,
        b"/api/v1/plex/nothing",
        b"X-Request-ID: " + given.encode() + b"\r\n",
    )
    requestId = answer.json()["metadata"]["requestId"]
    assert re.fullmatch("req-api-[0-9a-f]{32}", requestId)
    assert answer.headers["x-request-id"] == requestId


def test_request_ids_are_unique_and_named_after_the_route(
    api: Client, anonymous: Client, plex: Simulator
) -> None:
    routes = {
        "/plex/server": "req-plex-server-",
        "/plex/libraries": "req-plex-libraries-",
        "/plex/libraries/1/items": "req-plex-library-items-",
        "/plex/search?query=ab": "req-plex-search-",
        "/plex/recently-added": "req-plex-recent-",
        "/plex/libraries/1/collections": "req-plex-collections-",
        "/plex/collections/99": "req-plex-collection-detail-",
        "/auth/session": "req-auth-session-",
        "/auth/token": "req-auth-token-",
        "/health": "req-health-",
        "/nothing": "req-api-",
    }
    for client in (api, anonymous):
        for path, start in routes.items():
            requestId = client.get(path).json()["metadata"]["requestId"]
            assert re.fullmatch(re.escape(start) + "[0-9a-f]{32}", requestId)


def test_every_log_line_carries_the_requests_id(api: Client, plex: Simulator) -> None:
    console = next(each for each in logging.getLogger().handlers if each.name == "console")
    written = StringIO()
    listener = logging.StreamHandler(written)
    listener.setFormatter(console.formatter)
    for each in console.filters:
        listener.addFilter(each)
    logging.getLogger().addHandler(listener)
    try:
        plex.fault("html")
        api.get("/plex/server", headers={"X-Request-ID": "the-one"})
        api.get("/plex/nothing", headers={"X-Request-ID": "the-one"})
    finally:
        logging.getLogger().removeHandler(listener)
    lines = written.getvalue().splitlines()
    assert len(lines) == 2
    assert all("[the-one]" in line for line in lines)


@pytest.mark.parametrize("path", ["/plex/server", "/plex/nothing", "/auth/session", "/health"])
def test_the_timestamp_is_now_in_utc(api: Client, plex: Simulator, path: str) -> None:
    before = time.time()
    timestamp = api.get(path).json()["metadata"]["timestamp"]
    assert TIMESTAMP.fullmatch(timestamp)
    assert before - 0.002 <= datetime.fromisoformat(timestamp).timestamp() <= time.time()


def test_only_responses_under_plex_have_a_response_time(
    api: Client, anonymous: Client, plex: Simulator
) -> None:
    for client in (api, anonymous):
        for path in ("/plex/server", "/plex/libraries/99/items", "/plex/nothing", "/plex/search"):
            assert re.fullmatch(r"\d+ms", client.get(path).headers["X-Plex-Response-Time"])
    assert "X-Plex-Response-Time" not in api.get("/auth/session").headers


def test_the_response_time_is_the_time_the_answer_took(api: Client, plex: Simulator) -> None:
    plex.fault("slow", delay=0.3)
    answer = api.get("/plex/libraries/11/collections")
    assert 300 <= int(answer.headers["X-Plex-Response-Time"].removesuffix("ms")) < 5000


def test_only_what_can_be_cached_says_so(api: Client, plex: Simulator) -> None:
    assert api.get("/plex/server").json()["metadata"].keys() == {
        "timestamp", "requestId", "cached", "cacheAge",
    }  # fmt: skip
    for path in ("/auth/session", "/health", "/plex/nothing"):
        assert api.get(path).json()["metadata"].keys() == {"timestamp", "requestId"}


def test_the_document_s_json_has_no_escapes_blanks_or_odd_numbers(
    api: Client, plex: Simulator
) -> None:
    def refuse(text: str) -> None:
        raise AssertionError(text)

    raw_body = api.get("/plex/libraries/1/items?size=200&details=summary").content
    json.loads(raw_body, parse_constant=refuse)
    assert b"\\u00" not in raw_body


# --- Around the API -------------------------------------------------------------------------------


def test_the_process_is_alive_without_looking_at_anything(
    anonymous: Client, plex: Simulator
) -> None:
    assert anonymous.data("/health/live") == {"status": "alive"}
    assert plex.count() == 0


@pytest.mark.parametrize("path", ["/schema", "/docs", "/redoc"])
def test_the_documentation_is_public_and_served_from_here_alone(
    anonymous: Client, path: str
) -> None:
    answer = anonymous.get(path, headers={"Accept": "text/html, */*"})
    assert answer.status_code == 200
    for address in re.findall(r"""(?:src|href)=["']([^"']+)""", answer.text):
        assert not re.match(r"(https?:)?//", address), address


def test_what_the_documentation_loads_is_here(anonymous: Client) -> None:
    for path in ("/docs", "/redoc"):
        page = anonymous.get(path, headers={"Accept": "text/html"}).text
        for address in re.findall(r"""(?:src|href)=["'](/[^"']+\.(?:js|css|png))""", page):
            client = Client(anonymous.root)
            client.root = anonymous.root
            answer = get(client, address.encode())
            assert answer.status == 200, address
