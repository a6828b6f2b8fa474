"""Who may write, and how often."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission

from accounts import tokens
from accounts.models import User
from plex_simulator import Simulator
from tests.conftest import Client
from tests.writing.conftest import Writer, sent

COLLECTION, PLAYLIST = "/plex/collections/11001000", "/plex/playlists/12001000"
WRITES: dict[str, list[tuple[str, str, Any]]] = {
    "manage_collections": [
        ("POST", "/plex/libraries/1/collections", {"title": "x", "items": ["1000"]}),
        ("PATCH", COLLECTION, {"title": "x"}),
        ("DELETE", COLLECTION, None),
        ("POST", f"{COLLECTION}/items", {"items": ["1000"]}),
        ("DELETE", f"{COLLECTION}/items/1000", None),
        ("PUT", f"{COLLECTION}/items/1000/position", {"after": None}),
    ],
    "manage_playlists": [
        ("POST", "/plex/playlists", {"title": "x", "items": ["1000"]}),
        ("PATCH", PLAYLIST, {"title": "x"}),
        ("DELETE", PLAYLIST, None),
        ("POST", f"{PLAYLIST}/items", {"items": ["1000"]}),
        ("DELETE", f"{PLAYLIST}/items/1000", None),
        ("PUT", f"{PLAYLIST}/items/1000/position", {"after": None}),
    ],
}
OTHER = {"manage_collections": "manage_playlists", "manage_playlists": "manage_collections"}


@pytest.mark.parametrize("right", WRITES)
def test_who_has_not_the_right_writes_nothing(
    signed_in: Callable[..., Writer], plex: Simulator, right: str
) -> None:
    for api in (signed_in(), signed_in(OTHER[right]), signed_in(is_staff=True)):
        for method, path, body in WRITES[right]:
            error = api.refused(method, path, 403, "ACCESS_DENIED", json=body)
            assert error["message"] == "You are not allowed to do this."
            api.refused(method, f"{path}?dryRun=true", 403, "ACCESS_DENIED", json=body)
    assert sent(plex) == []


@pytest.mark.parametrize("right", WRITES)
def test_the_right_is_enough_and_superusers_need_none(
    signed_in: Callable[..., Writer], plex: Simulator, right: str
) -> None:
    group = Group.objects.create(name="editors")
    group.permissions.add(Permission.objects.get(codename=right))
    by_group = signed_in()
    User.objects.latest("pk").groups.add(group)
    for api in (signed_in(right), signed_in(is_superuser=True), by_group):
        method, path, body = WRITES[right][0]
        api.wrote(method, f"{path}?dryRun=true", json=body)


def test_nobody_writes_without_a_token(anonymous: Client, plex: Simulator) -> None:
    for method, path, body in (*WRITES["manage_collections"], *WRITES["manage_playlists"]):
        response = anonymous.request(method, path, json=body)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "UNAUTHORIZED"
    assert sent(plex) == []


def test_a_permission_that_is_granted_or_revoked_counts_at_once(
    signed_in: Callable[..., Writer],
) -> None:
    api = signed_in()
    user = User.objects.latest("pk")
    right = Permission.objects.get(codename="manage_collections")
    method, path, body = WRITES["manage_collections"][0]
    for _ in range(2):
        api.refused(method, f"{path}?dryRun=1", 403, "ACCESS_DENIED", json=body)
        user.user_permissions.add(right)
        api.wrote(method, f"{path}?dryRun=1", json=body)
        user.user_permissions.remove(right)


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "!"}])
def test_who_may_not_sign_in_any_more_does_not_write_for_a_moment_longer(
    signed_in: Callable[..., Writer], change: dict[str, Any]
) -> None:
    api = signed_in(is_superuser=True)
    method, path, body = WRITES["manage_collections"][0]
    api.wrote(method, f"{path}?dryRun=1", json=body)
    User.objects.update(**change)
    api.refused(method, f"{path}?dryRun=1", 401, "UNAUTHORIZED", json=body)


def test_the_admin_can_give_both_rights(transactional_db: None) -> None:
    rights = Permission.objects.filter(codename__startswith="manage_")
    assert {(each.content_type.app_label, each.codename) for each in rights} == {
        ("accounts", "manage_collections"),
        ("accounts", "manage_playlists"),
    }


def test_thirty_writes_a_minute_and_user_whatever_they_are(
    signed_in: Callable[..., Writer],
) -> None:
    api = signed_in("manage_collections")
    kinds = [
        ("POST", "/plex/libraries/1/collections?dryRun=1", {"title": "x", "items": ["1000"]}, 200),
        ("POST", "/plex/libraries/1/collections", {}, 400),
        ("DELETE", "/plex/playlists/12001000", None, 403),
        ("DELETE", "/plex/collections/x", None, 404),
        ("PATCH", "/plex/collections/11001000", "x", 400),
    ]
    for number in range(30):
        method, path, body, status = kinds[number % len(kinds)]
        response = api.request(method, path, json=body)
        assert response.status_code == status, response.text
        assert response.headers["X-RateLimit-Limit"] == "30"
        assert response.headers["X-RateLimit-Remaining"] == str(29 - number)
    for method, path, body, _ in kinds:
        response = api.request(method, path, json=body)
        assert response.status_code == 429
        assert response.json()["error"]["details"]["limit"] == 30
        assert int(response.headers["Retry-After"]) <= 60
    assert api.status("/plex/collections/11001000") == "MISS", "reading has a limit of its own"
    another = signed_in("manage_collections")
    assert another.post(kinds[0][1], json=kinds[0][2]).status_code == 200


def test_the_response_to_a_wrong_method_names_the_right_ones(
    signed_in: Callable[..., Writer],
) -> None:
    api = signed_in(is_superuser=True)
    for path, allowed in (
        ("/plex/libraries/1/collections", {"GET", "POST", "HEAD", "OPTIONS"}),
        ("/plex/collections/1", {"GET", "PATCH", "DELETE", "HEAD", "OPTIONS"}),
        ("/plex/collections/1/items", {"POST", "OPTIONS"}),
        ("/plex/collections/1/items/2", {"DELETE", "OPTIONS"}),
        ("/plex/collections/1/items/2/position", {"PUT", "OPTIONS"}),
        ("/plex/playlists", {"GET", "POST", "HEAD", "OPTIONS"}),
        ("/plex/playlists/1", {"GET", "PATCH", "DELETE", "HEAD", "OPTIONS"}),
        ("/plex/playlists/1/items", {"POST", "OPTIONS"}),
        ("/plex/playlists/1/items/2", {"DELETE", "OPTIONS"}),
        ("/plex/playlists/1/items/2/position", {"PUT", "OPTIONS"}),
    ):
        response = api.request("BREW", path)
        assert response.status_code == 405
        assert set(response.headers["Allow"].replace(" ", "").split(",")) == allowed


def test_a_wrong_method_is_a_405_for_users_without_the_permission_too(
    signed_in: Callable[..., Writer],
) -> None:
    api = signed_in()
    for method in ("PUT", "BREW"):
        api.refused(method, "/plex/collections/1", 405, "METHOD_NOT_ALLOWED")


def test_a_web_page_may_send_the_idempotency_key(
    signed_in: Callable[..., Writer], settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://example.org"]
    preflight = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }
    response = signed_in().options("/plex/playlists/1/items/2/position", headers=preflight)
    assert "PUT" in response.headers["Access-Control-Allow-Methods"]
    assert "idempotency-key" in response.headers["Access-Control-Allow-Headers"]


def test_the_session_of_a_browser_writes_nothing(
    signed_in: Callable[..., Writer], client: Any, plex: Simulator
) -> None:
    signed_in(is_superuser=True)
    admin = User.objects.latest("pk")
    client.force_login(admin)
    response = client.delete("/api/v1/plex/collections/11001000", headers={"Accept": "text/html"})
    assert response.status_code == 401
    assert tokens.issue(admin).access
    assert sent(plex) == []
