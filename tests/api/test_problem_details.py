"""Errors as RFC 9457 problem details: who gets them, what is in them, and that all errors can."""

from typing import Any

import pytest
import requests

from plex_integration.errors import TABLE
from plex_simulator import Simulator
from tests.api.test_errors import CAUSES, Scene
from tests.conftest import Client

PROBLEM = "application/problem+json"
ACCEPTS = {
    PROBLEM: True,
    "Application/Problem+JSON": True,
    f"{PROBLEM}; charset=utf-8": True,
    f"application/json, {PROBLEM}": True,
    f"{PROBLEM}, application/json": True,
    f"{PROBLEM}, */*": True,
    f"application/json;q=0.8, {PROBLEM};q=0.9": True,
    f"application/json;q=0.5, {PROBLEM};q=0.8, */*": True,
    f"application/json;q=0, {PROBLEM}": True,
    f"text/html;q=0.5, {PROBLEM}": True,
    f"text/html, {PROBLEM}": True,
    f"application/xml, {PROBLEM}": True,
    f"application/json, {PROBLEM};q=0.9": False,
    f"{PROBLEM};q=0.5, */*": False,
    f"{PROBLEM};q=0, */*": False,
    "application/*": False,
    "*/*": False,
    "": False,
    "application/json": False,
    "application/problem+xml, application/json": False,
}


def details_of(response: requests.Response) -> Any:
    """Return an error's problem details, whose form must be right."""
    assert response.headers["Content-Type"] == PROBLEM, response.text
    body = response.json()
    assert body["status"] == response.status_code
    assert body["type"] == f"/api/v1/errors#{body['code']}"
    assert body["title"]
    assert body["detail"]
    assert body["requestId"] == response.headers["X-Request-ID"]
    assert body["timestamp"].endswith("Z")
    assert response.headers["Cache-Control"] == "no-store"
    assert "Accept" in response.headers["Vary"]
    return body


@pytest.mark.parametrize("code", CAUSES)
def test_every_error_comes_as_problem_details_with_the_details_of_the_envelope(
    api: Client,
    anonymous: Client,
    plex: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    if code == "NOT_ACCEPTABLE":
        response = api.get("/plex/server", headers={"Accept": f"application/xml, {PROBLEM}"})
    else:
        api.headers["Accept"] = anonymous.headers["Accept"] = PROBLEM
        response = CAUSES[code](Scene(api, anonymous, plex, monkeypatch))
    monkeypatch.undo()
    body = details_of(response)
    assert (body["status"], body["code"]) == (TABLE[code].status_code, code)
    members = {"type", "title", "status", "detail", "code", "requestId", "timestamp", "details"}
    assert body.keys() <= members
    assert ("WWW-Authenticate" in response.headers) == (response.status_code == 401)
    assert ("Retry-After" in response.headers) == (response.status_code in (429, 503))


@pytest.mark.parametrize("accept", ACCEPTS)
@pytest.mark.parametrize("path", ["/plex/libraries/99/items", "/plex/nothing", "/auth/token"])
def test_the_quality_values_decide_which_form_an_error_has(
    api: Client, plex: Simulator, accept: str, path: str
) -> None:
    response = api.get(path, headers={"Accept": accept})
    assert response.status_code in (404, 405, 406)
    if ACCEPTS[accept]:
        details_of(response)
    else:
        assert response.headers["Content-Type"] == "application/json"
        assert response.json()["success"] is False


@pytest.mark.parametrize("accept", [PROBLEM, f"application/json, {PROBLEM}", f"{PROBLEM}, */*", ""])
@pytest.mark.parametrize("path", ["/plex/server", "/auth/session", "/health", "/health/live"])
def test_a_success_stays_the_envelope(api: Client, plex: Simulator, accept: str, path: str) -> None:
    for _ in range(2):  # the second one may come from the fast path
        response = api.get(path, headers={"Accept": accept})
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/json"
        assert response.json()["success"] is True


def test_parameters_without_an_effect_are_named_as_in_the_envelope(
    api: Client, plex: Simulator
) -> None:
    path, accept = "/plex/libraries/99/items?page=2", {"Accept": PROBLEM}
    named = api.get(path).json()["metadata"]["ignored"]
    assert details_of(api.get(path, headers=accept))["ignored"] == named == ["page"]


def test_a_picture_is_sent_to_who_wants_its_errors_as_problem_details(
    api: Client, plex: Simulator
) -> None:
    path = "/plex/items/1000/images/thumb"
    for types in (f"image/jpeg, {PROBLEM}", PROBLEM):
        accept = {"Accept": types}
        assert api.get(path, headers=accept).headers["Content-Type"] == "image/jpeg"
        assert details_of(api.get(f"{path}x", headers=accept))["code"] == "IMAGE_NOT_FOUND"


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/docs", "METHOD_NOT_ALLOWED"),
        ("DELETE", "/schema", "METHOD_NOT_ALLOWED"),
        ("GET", "/plex/server?" + "&".join(f"a{n}=1" for n in range(101)), "VALIDATION_ERROR"),
    ],
)
def test_pages_and_the_document_have_the_errors_of_the_api(
    anonymous: Client, method: str, path: str, code: str
) -> None:
    assert anonymous.request(method, path).json()["error"]["code"] == code
    response = anonymous.request(method, path, headers={"Accept": PROBLEM})
    assert details_of(response)["code"] == code


def test_a_foreign_host_gets_problem_details(anonymous: Client) -> None:
    headers = {"Accept": PROBLEM, "Host": "elsewhere.example"}
    assert details_of(anonymous.get("/health", headers=headers))["code"] == "VALIDATION_ERROR"


def test_a_path_outside_the_api_has_problem_details_too(anonymous: Client) -> None:
    url = f"{anonymous.root}/nothing"
    response = requests.get(url, headers={"Accept": PROBLEM}, timeout=30)
    assert details_of(response)["code"] == "NOT_FOUND"
    assert requests.get(url, timeout=30).json()["error"]["code"] == "NOT_FOUND"


def test_the_type_leads_to_the_documentation_of_the_code(anonymous: Client) -> None:
    listed = {each["code"]: each for each in anonymous.data("/errors")["errors"]}
    assert {code: each["status"] for code, each in listed.items()} == {
        code: kind.status_code for code, kind in TABLE.items()
    }
    page = anonymous.get("/errors", headers={"Accept": "text/html"}).text
    for code, each in listed.items():
        assert f'id="{code}"' in page
        assert each["title"]
        assert each["description"].endswith(".")


def test_a_title_is_the_code_in_words(anonymous: Client) -> None:
    titles = {each["code"]: each["title"] for each in anonymous.data("/errors")["errors"]}
    assert titles["PLEX_API_ERROR"] == "Plex API error"
    assert titles["URI_TOO_LONG"] == "URI too long"
    assert titles["VALIDATION_ERROR"] == "Validation error"
