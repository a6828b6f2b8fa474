"""Every way Plex or a client goes wrong has its code, status, headers and nothing secret in it."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.conf import settings
from django.db import OperationalError, connections
from rest_framework.permissions import IsAdminUser

from accounts.models import User
from medianest.serving import bodies
from plex_integration import errors
from plex_integration.plex import client
from plex_integration.reading.viewsets import PlexViewSet
from plex_integration.writing import held_locks, locks
from plex_simulator import Simulator
from tests.conftest import PASSWORD, Client, forget_everything

ENDPOINTS = {
    "server": "/plex/server",
    "libraries": "/plex/libraries",
    "library-items": "/plex/libraries/1/items?size=5",
    "search": "/plex/search?query=night",
    "recently-added": "/plex/recently-added?limit=5",
    "collections": "/plex/libraries/1/collections",
    "collection": "/plex/collections/11001000",
}

UNAVAILABLE = (503, "PLEX_SERVER_UNAVAILABLE")
REFUSES = (401, "PLEX_UNAUTHORIZED")
NONSENSE = (502, "PLEX_API_ERROR")

# Everything Plex says goes wrong in this way: what a client hears.
FAULTS: list[tuple[str, dict[str, Any], tuple[int, str]]] = [
    ("refused", {}, UNAVAILABLE),
    ("disconnect", {}, UNAVAILABLE),
    ("status", {"status": 503}, UNAVAILABLE),
    ("status", {"status": 401}, REFUSES),
    ("status", {"status": 403}, REFUSES),
    ("status", {"status": 400}, NONSENSE),
    ("status", {"status": 418}, NONSENSE),
    ("status", {"status": 429, "retry_after": 3600}, NONSENSE),
    ("status", {"status": 500}, NONSENSE),
    ("status", {"status": 502}, NONSENSE),
    ("status", {"status": 527}, NONSENSE),
    ("status", {"status": 204}, NONSENSE),
    ("truncated", {}, NONSENSE),
    ("cut", {}, NONSENSE),
    ("html", {}, NONSENSE),
    ("redirect", {}, NONSENSE),
    ("doctype", {}, NONSENSE),
    ("wrong_encoding", {}, NONSENSE),
]
# Too much data, each some tenths of a second to read.
HEAVY = [("endless", {}), ("huge", {}), ("gzip_bomb", {})]

PLEXS_WORDS = ("<html", "<!DOCTYPE", "Please sign in", "maintenance tasks", "Maintenance",
               "<h1>", "MediaContainer", "aaaaaaaaaa", "127.0.0.1:9/", "X-Plex-Token")  # fmt: skip


def name_of(value: Any) -> str | None:
    return "".join(map(str, value.values())) or "-" if isinstance(value, dict) else None


def failure(api: Client, path: str, expected: tuple[int, str]) -> requests.Response:
    """GET a path that must fail so, with the headers that go with it."""
    forget_everything()  # five failures in a row would stop requests to Plex
    response = api.get(path)
    body = response.json()
    assert (response.status_code, body["error"]["code"]) == expected, (path, response.text)
    assert body["success"] is False
    assert body.keys() == {"success", "error", "metadata"}
    assert body["error"].keys() <= {"code", "message", "details"}
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.headers["X-Request-ID"] == body["metadata"]["requestId"]
    challenge = {401: "Plex"}.get(response.status_code)
    assert response.headers.get("WWW-Authenticate") == challenge
    if response.status_code == 503:
        assert 1 <= int(response.headers["Retry-After"]) <= 60
    else:
        assert "Retry-After" not in response.headers
    return response


def assert_no_secrets(text: str, plex: Simulator, api: Client) -> None:
    token = str(api.headers["Authorization"]).split()[1]
    for secret in (plex.owner_token, plex.viewer_token, token, PASSWORD, *PLEXS_WORDS):
        assert secret not in text


@pytest.mark.parametrize(("kind", "options", "expected"), FAULTS, ids=name_of)
def test_everything_going_wrong_has_its_code(
    api: Client,
    plex: Simulator,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    options: dict[str, Any],
    expected: tuple[int, str],
) -> None:
    caplog.set_level(logging.DEBUG)
    plex.fault(kind, **options)
    for path in ENDPOINTS.values():
        caplog.clear()
        response = failure(api, path, expected)
        assert_no_secrets(response.text + str(response.headers) + caplog.text, plex, api)
        assert "Traceback" not in response.text
        assert expected[1] in caplog.text


@pytest.mark.parametrize(("kind", "options"), HEAVY, ids=name_of)
@pytest.mark.parametrize("endpoint", ["library-items", "search"])
def test_too_much_data_is_cut_off(
    api: Client, plex: Simulator, kind: str, options: dict[str, Any], endpoint: str
) -> None:
    plex.fault(kind, **options)
    failure(api, ENDPOINTS[endpoint], NONSENSE)


@pytest.mark.parametrize("kind", ["empty", "status"])
@pytest.mark.parametrize(
    ("endpoint", "path", "expected"),
    [
        ("server", "/", NONSENSE),
        ("libraries", "/library/sections", NONSENSE),
        ("search", "/hubs/search", NONSENSE),
        ("recently-added", "^/library/(recentlyAdded|all)", NONSENSE),
        # The library or collection was removed after it was listed.
        ("library-items", "/library/sections/1/all", (404, "LIBRARY_NOT_FOUND")),
        ("collections", "/library/sections/1/collections", (404, "LIBRARY_NOT_FOUND")),
        ("collection", "/library/metadata/11001000", (404, "COLLECTION_NOT_FOUND")),
        ("collection", "/library/collections/", (404, "COLLECTION_NOT_FOUND")),
    ],
)
def test_nothing_there_is_what_it_means_at_that_place(
    api: Client, plex: Simulator, kind: str, endpoint: str, path: str, expected: tuple[int, str]
) -> None:
    plex.fault(kind, path=path, **({"status": 404} if kind == "status" else {}))
    failure(api, ENDPOINTS[endpoint], expected)


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("status", {"status": 500}, NONSENSE),
        ("status", {"status": 401}, REFUSES),
        ("status", {"status": 503}, UNAVAILABLE),
        ("truncated", {}, NONSENSE),
        ("disconnect", {}, UNAVAILABLE),
    ],
    ids=name_of,
)
@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("library-items", "/library/metadata/"),
        ("library-items", "/library/sections/1/all"),
        ("search", "/library/sections"),
        ("search", "/library/metadata/"),
        ("collection", "/library/collections/"),
    ],
)
def test_a_later_call_going_wrong_has_the_same_code(
    api: Client, plex: Simulator, kind: str, options: dict, expected: Any, endpoint: str, path: str
) -> None:
    plex.fault(kind, path=path, **options)
    failure(api, ENDPOINTS[endpoint], expected)


def test_no_configured_server_is_an_unavailable_one(
    api: Client, plex: Simulator, settings: Any
) -> None:
    settings.PLEX_URL = ""
    for path in ENDPOINTS.values():
        failure(api, path, UNAVAILABLE)
    assert plex.count() == 0


def test_all_is_well_again_after_a_fault(api: Client, plex: Simulator) -> None:
    plex.fault("refused")
    for path in ENDPOINTS.values():
        failure(api, path, UNAVAILABLE)
    plex.heal()
    forget_everything()
    for path in ENDPOINTS.values():
        api.data(path)


def test_a_wrong_token_is_refused_by_plex(api: Client, plex: Simulator, settings: Any) -> None:
    settings.PLEX_TOKEN = "an-old-token"
    for path in ENDPOINTS.values():
        response = failure(api, path, REFUSES)
        assert "an-old-token" not in response.text + str(response.headers)


def test_a_redirect_is_never_followed(api: Client, plex: Simulator) -> None:
    with Simulator(seed=1, movies=1) as elsewhere:
        plex.fault("redirect", to=elsewhere.url + "/library/sections")
        for path in ENDPOINTS.values():
            failure(api, path, NONSENSE)
        assert elsewhere.count() == 0


# --- Every code that any client can meet, by a real cause ----------------------------------------


class Scene:
    """What a cause may use."""

    def __init__(
        self, api: Client, anonymous: Client, plex: Simulator, patch: pytest.MonkeyPatch
    ) -> None:
        self.api = api
        self.anonymous = anonymous
        self.plex = plex
        self.patch = patch


def plex_unavailable(scene: Scene) -> requests.Response:
    scene.plex.fault("refused")
    return scene.api.get("/plex/server")


def plex_refuses(scene: Scene) -> requests.Response:
    scene.plex.fault("status", status=401)
    return scene.api.get("/plex/server")


def plex_talks_nonsense(scene: Scene) -> requests.Response:
    scene.plex.fault("html")
    return scene.api.get("/plex/server")


def not_allowed(scene: Scene) -> requests.Response:
    scene.patch.setattr(PlexViewSet, "permission_classes", [IsAdminUser])
    return scene.api.get("/plex/server")


def database_unavailable(scene: Scene) -> requests.Response:
    def fail(*_: Any) -> None:
        raise OperationalError("unable to open database file")

    scene.patch.setattr(type(connections["default"]), "cursor", fail)
    return scene.api.get("/plex/server")


def own_defect(scene: Scene) -> requests.Response:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("the inner workings")

    scene.patch.setattr(client, "parse_server", fail)
    return scene.api.get("/plex/server")


def too_often(scene: Scene) -> requests.Response:
    answers = [scene.api.get("/plex/server") for _ in range(21)]
    assert [answer.status_code for answer in answers[:20]] == [200] * 20
    return answers[-1]


def as_writer(scene: Scene) -> Client:
    """Give the user every right."""
    User.objects.update(is_superuser=True)
    return scene.api


def key_used_again(scene: Scene) -> requests.Response:
    once = {"Idempotency-Key": "once"}
    body = {"title": "Once", "items": ["1000"]}
    made = as_writer(scene).post("/plex/playlists", json=body, headers=once)
    path = f"/plex/playlists/{made.json()['data']['playlist']['ratingKey']}"
    answer = scene.api.delete(path, headers=once)
    assert scene.api.delete(path).status_code == 200
    return answer


def written_at_the_same_time(scene: Scene) -> requests.Response:
    scene.patch.setattr(locks, "lock", lambda *_: False)
    scene.patch.setattr(held_locks, "MAX_WAIT", 0.1)
    return as_writer(scene).delete("/plex/playlists/12001000")


def too_slow(scene: Scene) -> requests.Response:
    """Promise a body and send none."""
    scene.patch.setattr(bodies, "BODY_SECONDS", 0.1)
    return scene.api.post("/auth/token", headers={"Content-Length": "10"})


def plextv_unavailable(scene: Scene) -> requests.Response:
    scene.patch.setattr(settings, "PLEX_TV_URL", scene.plex.url)
    scene.plex.fault("disconnect", "/api/v2/")
    return scene.anonymous.post("/auth/plex/pins", json={})


CAUSES: dict[str, Callable[[Scene], requests.Response]] = {
    "PLEX_SERVER_UNAVAILABLE": plex_unavailable,
    "PLEX_UNAUTHORIZED": plex_refuses,
    "PLEX_API_ERROR": plex_talks_nonsense,
    "PLEX_TV_UNAVAILABLE": plextv_unavailable,
    "PLEX_LINK_REQUIRED": lambda scene: scene.api.get("/auth/plex/home-users"),
    "PIN_NOT_FOUND": lambda scene: scene.api.get("/auth/plex/pins/1"),
    "LIBRARY_NOT_FOUND": lambda scene: scene.api.get("/plex/libraries/99/items"),
    "COLLECTION_NOT_FOUND": lambda scene: scene.api.get("/plex/collections/99"),
    "ITEM_NOT_FOUND": lambda scene: scene.api.get("/plex/items/99"),
    "PLAYLIST_NOT_FOUND": lambda scene: scene.api.get("/plex/playlists/99"),
    "IMAGE_NOT_FOUND": lambda scene: scene.api.get("/plex/items/1000/images/theme"),
    "SMART_COLLECTION": lambda scene: as_writer(scene).delete(
        "/plex/collections/11001010/items/1000"
    ),
    "SMART_PLAYLIST": lambda scene: as_writer(scene).delete("/plex/playlists/12001003/items/1000"),
    "IDEMPOTENCY_KEY_REUSED": key_used_again,
    "WRITE_IN_PROGRESS": written_at_the_same_time,
    "SEARCH_QUERY_TOO_SHORT": lambda scene: scene.api.get("/plex/search?query=a"),
    "VALIDATION_ERROR": lambda scene: scene.api.get("/plex/libraries/1/items?size=201"),
    "UNAUTHORIZED": lambda scene: scene.anonymous.get("/plex/server"),
    "ACCESS_DENIED": not_allowed,
    "NOT_FOUND": lambda scene: scene.api.get("/plex/nothing"),
    "METHOD_NOT_ALLOWED": lambda scene: scene.api.post("/plex/server"),
    "NOT_ACCEPTABLE": lambda scene: scene.api.get(
        "/plex/server", headers={"Accept": "application/xml"}
    ),
    "UNSUPPORTED_MEDIA_TYPE": lambda scene: scene.api.post("/auth/token", data={"username": "a"}),
    "REQUEST_TIMEOUT": too_slow,
    "URI_TOO_LONG": lambda scene: scene.api.get("/plex/server?a=" + "b" * 8192),
    "PAYLOAD_TOO_LARGE": lambda scene: scene.api.post("/auth/token", data=b" " * 65 * 1024),
    "SERVICE_UNAVAILABLE": database_unavailable,
    "RATE_LIMIT_EXCEEDED": too_often,
    "INTERNAL_ERROR": own_defect,
}
WITH_DETAILS = {"VALIDATION_ERROR", "RATE_LIMIT_EXCEEDED", "PLEX_LINK_REQUIRED"}


@pytest.mark.parametrize("code", CAUSES)
def test_every_code_a_client_can_meet_has_a_real_cause(
    api: Client,
    anonymous: Client,
    plex: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    code: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    row = errors.TABLE[code]
    response = CAUSES[code](Scene(api, anonymous, plex, monkeypatch))
    monkeypatch.undo()
    body = response.json()
    assert (response.status_code, body["error"]["code"]) == (row.status_code, code)
    assert body["success"] is False
    assert body["error"]["message"]
    assert ("details" in body["error"]) == (code in WITH_DETAILS)
    assert response.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in response.headers) == (response.status_code == 401)
    assert "Allow" in response.headers or response.status_code != 405
    assert ("Retry-After" in response.headers) == (response.status_code in (429, 503))
    assert_no_secrets(response.text + str(response.headers) + caplog.text, plex, api)
    for inner in ("Traceback", "ZeroDivisionError", "inner workings", "sqlite", "database file"):
        assert inner not in response.text


def test_a_defect_is_logged_with_its_trace_under_the_requests_id(
    api: Client, plex: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    own_defect(Scene(api, api, plex, monkeypatch))
    assert "ZeroDivisionError" in caplog.text


def test_the_challenges_tell_whose_token_is_refused(
    api: Client, anonymous: Client, plex: Simulator
) -> None:
    plex.fault("status", status=401)
    theirs = api.get("/plex/server")
    ours = anonymous.get("/plex/server")
    assert theirs.headers["WWW-Authenticate"] == "Plex"
    assert ours.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        *(
            (path.partition("?")[0], {"GET", "HEAD", "OPTIONS"})
            for path in ENDPOINTS.values()
            if "collections" not in path  # those are written to, too
        ),
        ("/auth/session", {"GET", "HEAD", "OPTIONS"}),
        ("/health", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_the_response_to_a_wrong_method_names_the_right_ones(
    api: Client, plex: Simulator, path: str, allowed: set[str]
) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"):
        response = api.request(method, path)
        assert response.status_code == 405
        assert response.json()["error"]["code"] == "METHOD_NOT_ALLOWED"
        assert set(response.headers["Allow"].split(", ")) == allowed
    assert plex.count() == 0
