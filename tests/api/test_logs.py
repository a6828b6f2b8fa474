"""The log says what happened, once, and holds nothing that is secret or that others chose."""

import json
import logging
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
import requests

from medianest.logs import JsonFormatter, SafeFormatter
from plex_simulator import Simulator
from tests.conftest import Client

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoxfQ.c2lnbmF0dXJl"
Log = Callable[[], list[str]]


@pytest.fixture
def log() -> Iterator[Log]:
    """Return the lines that were logged so far, as an operator reads them."""
    (handler,) = [
        each
        for each in logging.getLogger().handlers
        if isinstance(each, logging.StreamHandler) and isinstance(each.formatter, SafeFormatter)
    ]
    written = StringIO()
    before = handler.setStream(written)
    yield lambda: written.getvalue().splitlines()
    handler.setStream(before)


def of(response: requests.Response, lines: list[str]) -> list[str]:
    return [line for line in lines if f"[{response.headers['X-Request-ID']}]" in line]


@pytest.mark.parametrize(
    ("kind", "options", "code", "cause"),
    [
        ("truncated", {}, "PLEX_API_ERROR", "ExpatError"),
        ("html", {}, "PLEX_API_ERROR", "PlexApiError"),
        ("status", {"status": 500}, "PLEX_API_ERROR", "PlexApiError"),
        ("status", {"status": 503}, "PLEX_SERVER_UNAVAILABLE", "PlexServerUnavailable"),
        ("disconnect", {}, "PLEX_SERVER_UNAVAILABLE", "ConnectionError"),
        ("wrong_encoding", {}, "PLEX_API_ERROR", "ContentDecodingError"),
    ],
)
def test_an_error_of_plex_is_one_line_with_its_code_and_the_class_of_its_cause(
    api: Client,
    plex: Simulator,
    log: Log,
    kind: str,
    options: dict[str, Any],
    code: str,
    cause: str,
) -> None:
    plex.fault(kind, path="/library/metadata/", **options)
    response = api.get("/plex/items/1000")
    assert response.json()["error"]["code"] == code
    (line,) = of(response, log())
    assert line.endswith(f"{code} for api/v1/plex/items/<str:ratingKey>: {cause}")


def test_a_defect_is_logged_once_with_its_trace_and_without_its_message(
    api: Client, plex: Simulator, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        try:
            int("a text of a client")
        except ValueError as error:
            raise KeyError("a text of Plex") from error

    monkeypatch.setattr("plex_integration.plex.client.parse_server", fail)
    response = api.get("/plex/server")
    assert response.status_code == 500
    lines = log()
    (line,) = of(response, lines)
    assert line.endswith("unhandled KeyError")
    written = "\n".join(lines)
    assert "builtins.ValueError\nwhich led to:\n" in written
    assert "builtins.KeyError" in written
    assert "in fail" in written
    assert "a text of" not in written.replace('int("a text of a client")', "").replace(
        'raise KeyError("a text of Plex") from error', ""
    )


def test_a_token_in_a_path_is_not_logged(api: Client, log: Log) -> None:
    response = api.get(f"/plex/{JWT}/nothing")
    (line,) = of(response, log())
    assert line.endswith("Not Found: /api/v1/plex/[token]/nothing")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/v1/health/live", {"Host": "evil.example"}),
        ("/admin/login/", {"Referer": "https://evil.example/", "Origin": "https://evil.example"}),
    ],
)
def test_a_refused_request_is_logged_without_its_headers(
    api: Client, log: Log, path: str, headers: dict[str, str]
) -> None:
    root = api.root.partition("/api/")[0]
    response = requests.post(root + path, headers=headers, timeout=10)
    assert response.status_code in (400, 403)
    lines = log()
    assert any("a request is refused: " in line for line in lines)
    assert "evil.example" not in "\n".join(lines)


@pytest.fixture
def json_log(log: Log) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Return what was logged so far with LOG_FORMAT=json."""
    (handler,) = [
        each
        for each in logging.getLogger().handlers
        if isinstance(each, logging.StreamHandler) and isinstance(each.formatter, SafeFormatter)
    ]
    before = handler.formatter
    handler.setFormatter(JsonFormatter())
    yield lambda: [json.loads(line) for line in log()]
    handler.setFormatter(before)


def test_a_defect_is_one_json_object_with_its_trace_as_a_string(
    api: Client, json_log: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise KeyError("".join(["a text", " of Plex"]))

    monkeypatch.setattr("plex_integration.plex.client.parse_server", fail)
    response = api.get("/plex/server")
    [line] = json_log()
    assert line["requestId"] == response.headers["X-Request-ID"]
    assert (line["level"], line["message"]) == ("ERROR", "unhandled KeyError")
    assert line["exception"].endswith("builtins.KeyError")
    assert "a text of Plex" not in str(line)


def test_a_json_line_has_nothing_of_a_request_but_what_its_text_line_has(
    api: Client, json_log: Callable[[], list[dict[str, Any]]]
) -> None:
    api.get(f"/plex/{JWT}/nothing?secret=value")
    [line] = json_log()
    assert line["message"] == "Not Found: /api/v1/plex/[token]/nothing"
    assert line.keys() == {"timestamp", "level", "logger", "message", "requestId"}


def test_a_refused_request_is_a_json_object_without_its_headers(
    api: Client, json_log: Callable[[], list[dict[str, Any]]]
) -> None:
    root = api.root.partition("/api/")[0]
    requests.post(f"{root}/api/v1/plex/server", headers={"Host": "evil.example"}, timeout=10)
    [line] = json_log()
    assert line["message"] == "a request is refused: DisallowedHost"
    assert "exception" not in line
