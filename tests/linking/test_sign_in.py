"""Signing in with Plex: who is signed in, who is refused, and what is stored."""

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from accounts.plex_links import PlexLink
from plex_integration.configuration.models import PlexConnection
from plex_integration.linking import pins, views
from plex_integration.linking.pins import PlexPin
from plex_integration.plex.plextv import http
from plex_simulator import Simulator
from tests.conftest import Client
from tests.linking.conftest import PINS, PLEX_TV, Start, ended, linked, rules
from tests.service import until
from tests.writing.conftest import SMALL

OWNER = 7_000_001
SignIn = Callable[..., Any]


def test_a_linked_account_signs_its_user_in_once(
    anonymous: Client, user: User, start: Start, plextv: Simulator
) -> None:
    link = linked(user, OWNER)
    pin = start(anonymous)
    assert pin.get().json()["data"] == {
        "status": "pending",
        "expiresIn": pytest.approx(900, abs=5),
        "interval": 2,
    }
    plextv.link_pin(pin.row.plex_id)
    response = pin.end()
    data = response.json()["data"]
    assert data["status"] == "complete"
    assert data["expiresIn"] == 900
    assert response.headers["Cache-Control"] == "no-store"
    session = Client(anonymous.root, data["access"]).data("/auth/session")
    assert session["user"]["username"] == "ada"
    again = anonymous.post("/auth/token/refresh", json={"refresh": data["refresh"]})
    assert again.status_code == 200
    ended(pin.get(), 404, "PIN_NOT_FOUND")
    link.refresh_from_db()
    assert link.account_token == plextv.owner_token
    assert link.server_token == plextv.accounts.owner.server_token
    assert link.state == "active"
    assert PlexPin.objects.get().encrypted_token == ""


def test_the_browser_is_sent_to_plextv_with_the_code(
    anonymous: Client, user: User, start: Start, plextv: Simulator
) -> None:
    body = start(anonymous).body
    assert len(body["code"]) == 25
    assert body["authUrl"].startswith(f"{plextv.url}/auth#?clientID=medianest-")
    assert f"-viewers&code={body['code']}" in body["authUrl"]
    assert (body["expiresIn"], body["interval"]) == (900, 2)
    assert len(body["secret"]) == 43
    assert body["secret"] not in str(PlexPin.objects.values().get())


@pytest.mark.parametrize("secret", ["", "wrong", "ü", None])
def test_another_browser_does_not_get_the_result(
    anonymous: Client, user: User, start: Start, plextv: Simulator, secret: str | None
) -> None:
    linked(user, OWNER)
    pin = start(anonymous)
    plextv.link_pin(pin.row.plex_id)
    until(lambda: pin.row.state == "complete", 10, "the sign-in is finished")
    headers = {"X-Pin-Secret": secret.encode()} if secret is not None else {}
    wrong = anonymous.get(f"{PINS}/{pin.id}", headers=headers)
    unknown = anonymous.get(f"{PINS}/99999", headers={"X-Pin-Secret": pin.secret})
    assert ended(wrong, 404, "PIN_NOT_FOUND") == ended(unknown, 404, "PIN_NOT_FOUND")
    assert pin.get().json()["data"]["status"] == "complete"


@pytest.mark.parametrize("pin_id", ["abc", "٣", "1" * 30, "-1", "%00"])
def test_an_id_that_is_no_number_is_an_unknown_one(
    anonymous: Client, user: User, pin_id: str
) -> None:
    ended(anonymous.get(f"{PINS}/{pin_id}"), 404, "PIN_NOT_FOUND")


def test_the_token_is_stored_although_the_browser_went_away(
    anonymous: Client, user: User, start: Start, plextv: Simulator
) -> None:
    link = linked(user, OWNER)
    pin = start(anonymous)
    plextv.link_pin(pin.row.plex_id)
    until(lambda: pin.row.state == "complete", 10, "the sign-in is finished")
    link.refresh_from_db()
    assert link.account_token == plextv.owner_token


def test_two_pins_of_one_account_end_with_one_link(
    anonymous: Client, user: User, start: Start, plextv: Simulator
) -> None:
    rules(create_users=True)
    first, second = start(anonymous), start(anonymous)
    for pin in (first, second):
        plextv.link_pin(pin.row.plex_id)
    # plex.tv has ended the first token, unless it was read before the second sign-in.
    assert first.end().status_code in (200, 403)
    assert second.end().status_code == 200
    assert PlexLink.objects.get().account_token == plextv.owner_token
    assert User.objects.count() == 2


def test_an_unknown_account_is_refused_while_no_users_are_created(
    anonymous: Client, user: User, sign_in: SignIn
) -> None:
    ended(sign_in(anonymous), 403, "ACCESS_DENIED")
    assert User.objects.count() == 1
    assert not PlexLink.objects.exists()


def test_an_unknown_account_becomes_a_user_without_a_password_and_without_rights(
    anonymous: Client, user: User, sign_in: SignIn, plextv: Simulator
) -> None:
    rules(create_users=True)
    assert sign_in(anonymous).status_code == 200
    link = PlexLink.objects.select_related("user").get()
    created = link.user
    assert created != user
    assert created.username == link.account_name
    assert not created.has_usable_password()
    assert (created.is_staff, created.is_superuser) == (False, False)
    assert not created.user_permissions.exists()
    assert created.email == ""
    assert (link.account_id, link.viewer_id, link.state) == (OWNER, OWNER, "active")
    assert link.machine_identifier == PlexConnection.objects.get().machine_identifier != ""
    assert sign_in(anonymous).status_code == 200
    assert User.objects.count() == 2


def test_a_name_that_is_taken_is_not_given_twice(
    anonymous: Client, sign_in: SignIn, plextv: Simulator, transactional_db: None
) -> None:
    rules(create_users=True)
    name = anonymous_name(anonymous, sign_in)
    PlexLink.objects.all().delete()
    assert anonymous_name(anonymous, sign_in) == f"plex-{OWNER}"
    PlexLink.objects.all().delete()
    assert anonymous_name(anonymous, sign_in) == f"plex-{OWNER}-2"
    assert name


def anonymous_name(anonymous: Client, sign_in: SignIn) -> str:
    """Sign in and return the name of the user who is signed in."""
    data = sign_in(anonymous).json()["data"]
    session = Client(anonymous.root, data["access"]).data("/auth/session")
    name: str = session["user"]["username"]
    return name


def test_a_deactivated_user_is_refused_and_the_token_is_stored(
    anonymous: Client, user: User, sign_in: SignIn, plextv: Simulator
) -> None:
    link = linked(user, OWNER)
    User.objects.update(is_active=False)
    ended(sign_in(anonymous), 403, "ACCESS_DENIED")
    link.refresh_from_db()
    assert link.account_token == plextv.owner_token


def test_a_user_who_is_deactivated_before_the_tokens_are_issued_gets_none(
    anonymous: Client, user: User, start: Start, plextv: Simulator
) -> None:
    linked(user, OWNER)
    pin = start(anonymous)
    plextv.link_pin(pin.row.plex_id)
    until(lambda: pin.row.state == "complete", 10, "the sign-in is finished")
    User.objects.update(is_active=False)
    ended(pin.get(), 403, "ACCESS_DENIED")


def test_a_user_who_is_deleted_before_the_tokens_are_issued_gets_none(
    anonymous: Client, user: User, start: Start, plextv: Simulator
) -> None:
    linked(user, OWNER)
    pin = start(anonymous)
    plextv.link_pin(pin.row.plex_id)
    until(lambda: pin.row.state == "complete", 10, "the sign-in is finished")
    user.delete()
    ended(pin.get(), 403, "ACCESS_DENIED")


def test_no_sign_in_starts_while_it_is_switched_off(
    anonymous: Client, user: User, plextv: Simulator
) -> None:
    rules(plex_sign_in=False)
    ended(anonymous.post(PINS, json={}), 403, "ACCESS_DENIED")
    assert plextv.count(PLEX_TV) == 0


def test_a_sign_in_that_had_started_is_refused_after_it_is_switched_off(
    anonymous: Client, user: User, start: Start, plextv: Simulator
) -> None:
    link = linked(user, OWNER)
    pin = start(anonymous)
    rules(plex_sign_in=False)
    plextv.link_pin(pin.row.plex_id)
    ended(pin.end(), 403, "ACCESS_DENIED")
    link.refresh_from_db()
    assert link.account_token == plextv.owner_token


def test_a_finished_sign_in_gives_no_tokens_after_it_is_switched_off(
    anonymous: Client, user: User, start: Start, plextv: Simulator
) -> None:
    linked(user, OWNER)
    pin = start(anonymous)
    plextv.link_pin(pin.row.plex_id)
    until(lambda: pin.row.state == "complete", 10, "the sign-in is finished")
    rules(plex_sign_in=False)
    ended(pin.get(), 403, "ACCESS_DENIED")


def test_a_finished_sign_in_gives_no_tokens_once_its_pin_is_due_for_deletion(
    anonymous: Client, user: User, start: Start, plextv: Simulator
) -> None:
    linked(user, OWNER)
    pin = start(anonymous)
    plextv.link_pin(pin.row.plex_id)
    until(lambda: pin.row.state == "complete", 10, "the sign-in is finished")
    PlexPin.objects.update(expires_at=time.time() - 3601)
    ended(pin.get(), 404, "PIN_NOT_FOUND")


def test_an_expired_pin_says_so(
    anonymous: Client, user: User, start: Start, plextv: Simulator
) -> None:
    pin = start(anonymous)
    plextv.expire_pin(pin.row.plex_id)
    assert pin.end().json()["data"] == {"status": "expired"}
    assert pin.row.state == "waiting"


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("status", {"status": 429}),
        ("status", {"status": 429, "retry_after": 1}),
        ("status", {"status": 500}),
        ("disconnect", {}),
        ("html", {}),
    ],
)
@pytest.mark.parametrize("path", ["/api/v2/pins/", "/api/v2/user", "/api/v2/resources"])
def test_a_sign_in_goes_on_when_plextv_answers_again(
    anonymous: Client,
    user: User,
    start: Start,
    plextv: Simulator,
    path: str,
    fault: str,
    options: dict[str, Any],
) -> None:
    link = linked(user, OWNER)
    pin = start(anonymous)
    plextv.fault(fault, path, **options)
    plextv.link_pin(pin.row.plex_id)
    until(lambda: plextv.count(path) >= 1, 10, "a request to plex.tv")
    assert pin.get().json()["data"]["status"] == "pending"
    link.refresh_from_db()
    assert link.state == "active"
    plextv.heal()
    assert pin.end().json()["data"]["status"] == "complete"


@pytest.mark.parametrize("path", ["/api/v2/pins/", "/api/v2/user", "/api/v2/resources"])
def test_a_sign_in_goes_on_after_plextv_did_not_respond_in_time(
    anonymous: Client,
    user: User,
    start: Start,
    plextv: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    path: str,
) -> None:
    caplog.set_level(logging.INFO)
    linked(user, OWNER)
    pin = start(anonymous)
    with monkeypatch.context() as hurried:
        hurried.setattr(http, "MAX_SECONDS", 0.3)
        plextv.fault("silent", path)
        plextv.link_pin(pin.row.plex_id)
        until(lambda: caplog.text.count("PLEX_TV_UNAVAILABLE") >= 2, 10, "two requests to plex.tv")
    assert pin.get().json()["data"]["status"] == "pending"
    plextv.heal()
    assert pin.end().json()["data"]["status"] == "complete"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_to_say_whether_a_pin_is_used_does_not_end_it(
    anonymous: Client, user: User, start: Start, plextv: Simulator, status: int
) -> None:
    linked(user, OWNER)
    pin = start(anonymous)
    plextv.fault("status", "/api/v2/pins/", status=status)
    plextv.link_pin(pin.row.plex_id)
    until(lambda: plextv.count("/api/v2/pins/") >= 2, 10, "another request to plex.tv")
    assert pin.get().json()["data"]["status"] == "pending"
    plextv.heal()
    assert pin.end().json()["data"]["status"] == "complete"


def test_a_pin_that_is_finished_while_it_is_read_has_not_expired(
    anonymous: Client, user: User, start: Start, plextv: Simulator
) -> None:
    pin = start(anonymous)
    found = pins.find(str(pin.id), pin.secret, None)
    PlexPin.objects.update(state=PlexPin.State.COMPLETE)
    assert views._status(found)["status"] == "pending"


def test_a_token_that_was_claimed_is_in_the_database_while_plextv_is_unavailable(
    anonymous: Client, user: User, start: Start, plextv: Simulator
) -> None:
    linked(user, OWNER)
    pin = start(anonymous)
    plextv.fault("status", "/api/v2/user", status=503)
    plextv.link_pin(pin.row.plex_id)
    until(lambda: pin.row.state == "claimed", 10, "the token is claimed")
    assert pin.row.token == plextv.owner_token
    assert plextv.owner_token not in str(PlexPin.objects.values().get())


def test_an_account_whose_token_died_before_it_was_used_must_sign_in_again(
    anonymous: Client, user: User, start: Start, plextv: Simulator
) -> None:
    linked(user, OWNER)
    pin = start(anonymous)
    plextv.fault("status", "/api/v2/user", status=401)
    plextv.link_pin(pin.row.plex_id)
    error = ended(pin.end(), 403, "PLEX_LINK_REQUIRED")
    assert error["details"] == {"reason": ["revoked"]}


def test_a_sign_in_ends_while_the_plex_server_is_unavailable_if_it_is_known(
    anonymous: Client, user: User, sign_in: SignIn, plextv: Simulator
) -> None:
    linked(user, OWNER)
    assert sign_in(anonymous).status_code == 200
    plextv.fault("status", "/identity", status=503)
    assert sign_in(anonymous).status_code == 200


def test_a_sign_in_waits_for_a_plex_server_that_is_not_known(
    anonymous: Client, user: User, start: Start, plextv: Simulator
) -> None:
    linked(user, OWNER)
    plextv.fault("status", "/identity", status=503)
    pin = start(anonymous)
    plextv.link_pin(pin.row.plex_id)
    until(lambda: plextv.count("/identity") >= 1, 10, "a request to the server")
    assert pin.get().json()["data"]["status"] == "pending"
    plextv.heal()
    assert pin.end().json()["data"]["status"] == "complete"


@pytest.mark.parametrize(
    ("fault", "options"),
    [("status", {"status": 429}), ("status", {"status": 400}), ("disconnect", {}), ("html", {})],
)
def test_a_sign_in_cannot_start_while_plextv_is_unavailable(
    anonymous: Client, user: User, plextv: Simulator, fault: str, options: dict[str, Any]
) -> None:
    plextv.fault(fault, "/api/v2/pins", **options)
    response = anonymous.post(PINS, json={})
    ended(response, 503, "PLEX_TV_UNAVAILABLE")
    assert response.headers["Retry-After"] == "5"


def test_an_address_requests_ten_pins_a_minute(
    anonymous: Client, user: User, plextv: Simulator
) -> None:
    responses = [anonymous.post(PINS, json={}) for _ in range(11)]
    assert [each.status_code for each in responses] == [201] * 10 + [429]
    assert [each.headers["X-RateLimit-Remaining"] for each in responses[:2]] == ["9", "8"]
    assert responses[0].headers["X-RateLimit-Limit"] == "10"
    assert plextv.count("/api/v2/pins") >= 10
    assert PlexPin.objects.count() == 10


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "javascript:alert(1)",
        "//evil.example/",
        "ftp://client.example/",
        "https://client.example@evil.example/",
        "https://client.example:x/",
        "https://client.example.evil.example/",
        "http://client.example/",
        "https://[client.example/",
    ],
)
def test_the_browser_is_not_sent_to_a_foreign_address(
    anonymous: Client, user: User, plextv: Simulator, settings: Any, address: str
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://client.example"]
    response = anonymous.post(PINS, json={"forwardUrl": address})
    assert "forwardUrl" in ended(response, 400, "VALIDATION_ERROR")["details"]


def test_the_browser_goes_on_to_an_allowed_origin_or_to_this_service(
    anonymous: Client, user: User, plextv: Simulator, settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://client.example"]
    for address in ("https://client.example/back?a=1", f"{anonymous.root}/"):
        body = anonymous.post(PINS, json={"forwardUrl": address}).json()["data"]
        assert "&forwardUrl=http" in body["authUrl"]


def test_no_secret_is_in_an_answer_or_a_line_of_the_log(
    anonymous: Client,
    user: User,
    start: Start,
    plextv: Simulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    linked(user, OWNER)
    pin = start(anonymous)
    plextv.fault("status", "/api/v2/user", status=500, times=1)
    plextv.link_pin(pin.row.plex_id)
    response = pin.end()
    lines = "\n".join(record.getMessage() for record in caplog.records)
    assert "PLEX_TV_UNAVAILABLE" in lines
    for secret in (pin.secret, plextv.owner_token, "an-old-token", "@"):
        assert secret not in lines
    for secret in (plextv.owner_token, "an-old-token", "@"):
        assert secret not in response.text


def test_a_server_token_of_an_unsupported_kind_ends_the_sign_in_with_what_to_do(
    anonymous: Client, user: User, start: Start, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Simulator(seed=11, **SMALL) as other:
        settings.PLEX_URL = settings.PLEX_TV_URL = other.url
        settings.PLEX_TOKEN = other.owner_token
        linked(user, OWNER)
        other.issue_jwt(other.accounts.owner)
        pin = start(anonymous)
        other.link_pin(pin.row.plex_id)
        error = ended(pin.end(), 502, "PLEX_API_ERROR")
    assert "Ask the operator to update this service." in error["message"]
    assert "eyJ" not in str(error)
