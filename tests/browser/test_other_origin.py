"""A page of another origin that sends and reads every documented header, in a real browser."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
import yaml
from playwright.sync_api import Browser, Page

from tests.browser.conftest import ADMIN, empty_caches, plex_origin_of
from tests.service import free_port
from tests.test_demo import ROOT, Demo

HOST = "127.0.0.1"

SEND = """
async ({ url, headers }) => {
  const response = await fetch(url, { headers });
  await response.text();
  const timing = performance.getEntriesByName(url).at(-1);
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    plex: (timing?.serverTiming ?? []).map(({ name }) => name),
  };
}
"""
ITEMS = "/api/v1/plex/libraries/1/items?size=2"


class _Page(BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Another origin</title>")

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def other_origin() -> Iterator[str]:
    # A browser also opens connections on which it sends nothing yet.
    server = ThreadingHTTPServer((HOST, 0), _Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{HOST}:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def service(other_origin: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo whose API the pages of the other origin may call."""
    state = tmp_path_factory.mktemp("other-origin") / "state"
    ports = ("--port", str(free_port()), "--plex-port", str(free_port()))
    running = Demo(state, *ports, CORS_ALLOWED_ORIGINS=other_origin)
    try:
        yield running.ready()
    finally:
        running.process.terminate()
        running.process.wait(30)


@pytest.fixture
def person(service: Demo) -> dict[str, str]:
    """The headers of a user with full limits."""
    credentials = dict(zip(("username", "password"), ADMIN, strict=True))
    empty_caches(service)
    answer = requests.post(f"{service.origin}/api/v1/auth/token", json=credentials, timeout=30)
    return {"Authorization": f"Bearer {answer.json()['data']['access']}"}


@pytest.fixture
def page(browser: Browser, other_origin: str) -> Iterator[Page]:
    context = browser.new_context(base_url=other_origin)
    page = context.new_page()
    page.goto("/")
    yield page
    context.close()


def send(page: Page, service: Demo, path: str, headers: dict[str, str]) -> Any:
    return page.evaluate(SEND, {"url": f"{service.origin}{path}", "headers": headers})


def fault(service: Demo, method: str, **options: Any) -> None:
    """Let the simulated Plex fail, or end that."""
    url = f"{plex_origin_of(service)}/simulator/faults"
    assert requests.request(method, url, timeout=30, **options).ok


def documented(where: str) -> set[str]:
    """Return the names of all headers in the OpenAPI document: of requests, or of responses."""
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text())
    found: set[str] = set()
    _collect(document, document, where, found)
    return found


def _collect(document: Any, node: Any, where: str, found: set[str]) -> None:
    if isinstance(node, list):
        for each in node:
            _collect(document, each, where, found)
    elif isinstance(node, dict):
        if where == "request" and node.get("in") == "header":
            found.add(node["name"].lower())
        if where == "response" and isinstance(node.get("headers"), dict) and "description" in node:
            found.update(name.lower() for name in node["headers"])
        for each in node.values():
            _collect(document, each, where, found)


def test_a_page_of_another_origin_sends_every_documented_header(
    page: Page, service: Demo, person: dict[str, str]
) -> None:
    headers = dict.fromkeys(documented("request"), "x") | {
        "accept": "application/json",
        "authorization": person["Authorization"],
        "cache-control": "no-cache",
        "content-type": "application/json",
        "idempotency-key": "a-key",
        "if-none-match": 'W/"x"',
        "x-pin-secret": "a-secret",
        "x-request-id": "a-request-of-another-origin",
    }
    answer = send(page, service, ITEMS, headers)
    assert answer["status"] == 200
    assert answer["headers"]["x-request-id"] == "a-request-of-another-origin"


def test_a_page_of_another_origin_reads_every_documented_header(
    page: Page, service: Demo, person: dict[str, str]
) -> None:
    """The answers of the fast path and of the full one, errors among them."""
    read: set[str] = set()
    # The browser does not answer from its own cache where the address differs.
    miss = send(page, service, f"{ITEMS}&first", person)
    assert miss["plex"] == ["plex"], "Server-Timing is for the page too"
    hit = send(page, service, f"{ITEMS}&second", person)
    assert hit["headers"]["x-plex-cache-status"] == "HIT"
    unchanged = send(page, service, ITEMS, {**person, "If-None-Match": hit["headers"]["etag"]})
    assert unchanged["status"] == 304
    unauthorized = send(page, service, ITEMS, {})
    assert unauthorized["headers"]["www-authenticate"].startswith("Bearer")
    refused = [
        send(page, service, f"/api/v1/plex/server?try={number}", person) for number in range(21)
    ][-1]
    assert refused["status"] == 429
    wrong = page.evaluate(
        "url => fetch(url, { method: 'PUT' }).then(each => Object.fromEntries(each.headers))",
        f"{service.origin}/api/v1/plex/libraries",
    )
    fault(service, "POST", json={"kind": "status", "status": 503})
    unavailable = send(page, service, "/api/v1/plex/playlists", person)
    fault(service, "DELETE")
    assert unavailable["status"] == 503
    for answer in (miss, hit, unchanged, unauthorized, refused, unavailable):
        read |= answer["headers"].keys()
    read |= wrong.keys()
    needs_a_write = {"idempotency-replayed", "location"}
    assert documented("response") - needs_a_write <= read
    assert {"link", "www-authenticate", "retry-after", "ratelimit", "cache-status"} <= read


def test_what_a_write_answers_can_be_read_too(
    page: Page, service: Demo, other_origin: str, person: dict[str, str]
) -> None:
    """No write is sent: the answer to a read names the same headers."""
    answer = page.request.get(
        f"{service.origin}{ITEMS}",
        headers={"Origin": other_origin, **person},
    )
    exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
    assert {"idempotency-replayed", "location"} <= set(exposed)
    assert answer.headers["timing-allow-origin"] == other_origin


def test_a_page_of_an_origin_that_is_not_allowed_reads_nothing(
    page: Page, service: Demo, person: dict[str, str]
) -> None:
    page.goto(f"{plex_origin_of(service)}/simulator/")
    failed = page.evaluate(
        "url => fetch(url).then(() => false, () => true)", f"{service.origin}/api/v1/health"
    )
    assert failed
