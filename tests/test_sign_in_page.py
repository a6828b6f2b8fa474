"""The sign-in page of the browsable API: for every user, limited, and safe against other sites."""

import re
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.test import Client as Browser

from accounts.models import User
from accounts.throttling import FAILED_SIGN_INS
from plex_simulator import Simulator
from tests.conftest import PASSWORD
from tests.viewers.conftest import link_to

SIGN_IN, SIGN_OUT = "/api/v1/auth/sign-in", "/api/v1/auth/sign-out"
LIBRARIES = "/api/v1/plex/libraries"
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def browser(user: Any, plex: Simulator) -> Browser:
    """A browser that checks forms as a real one makes the service do; nobody has signed in."""
    return Browser(enforce_csrf_checks=True, headers=PAGE)


def submit(browser: Browser, path: str = SIGN_IN, **fields: str) -> Any:
    """Open the sign-in page, and send its form or another one with the same token."""
    page = browser.get(SIGN_IN, {"next": fields.get("next", "")}).content.decode()
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    return browser.post(path, {"csrfmiddlewaretoken": token, **fields})


def sign_in(browser: Browser, username: str = "ada", password: str = PASSWORD, **more: str) -> Any:
    return submit(browser, username=username, password=password, **more)


def test_a_user_who_is_not_staff_signs_in_and_reads(browser: Browser, user: User) -> None:
    assert not user.is_staff
    refused = browser.get(LIBRARIES)
    assert refused.status_code == 401
    assert f'href="{SIGN_IN}?next={LIBRARIES.replace("/", "%2F")}"' in refused.content.decode()
    assert sign_in(browser, next=LIBRARIES).headers["Location"] == LIBRARIES
    page = browser.get(LIBRARIES)
    assert page.status_code == 200
    assert "totalMediaItems" in page.content.decode()
    assert "/admin/" not in page.content.decode()
    assert browser.get("/admin/").status_code == 302


def test_the_session_changes_nothing_and_gives_programs_nothing(browser: Browser) -> None:
    sign_in(browser)
    assert browser.post("/api/v1/plex/playlists").status_code == 401
    assert browser.delete("/api/v1/plex/collections/1").status_code == 401
    for accept in ("application/json", "application/problem+json", "*/*"):
        assert browser.get(LIBRARIES, headers={"Accept": accept}).status_code == 401


def test_a_viewer_reads_with_their_own_view_of_plex(
    browser: Browser, user: User, plex: Simulator, settings: Any
) -> None:
    settings.PLEX_TV_URL = plex.url
    link_to(user, plex.add_account("Anna", libraries=["2"]), plex)
    sign_in(browser)
    page = browser.get(LIBRARIES).content.decode()
    assert "/library/sections/2" in page
    assert "/library/sections/1" not in page


@pytest.mark.parametrize(
    "wanted",
    ["", "https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example",
     "javascript:alert(1)", "http:elsewhere.example"],
)  # fmt: skip
def test_after_a_sign_in_no_page_of_another_host_opens(browser: Browser, wanted: str) -> None:
    assert sign_in(browser, next=wanted).headers["Location"] == "/api/v1/plex/"
    out = submit(browser, SIGN_OUT, next=wanted)
    assert out.headers["Location"] in ("/api/v1/plex/", SIGN_OUT)


@pytest.mark.parametrize("username", ["ada", "nobody"])
def test_a_wrong_password_is_reported_and_a_right_one_is_needed(
    browser: Browser, username: str
) -> None:
    answer = sign_in(browser, username, "wrong", next=LIBRARIES)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert f'name="next" value="{LIBRARIES}"' in answer.content.decode()
    assert "wrong" not in answer.content.decode()
    assert browser.get(LIBRARIES).status_code == 401


def test_a_deactivated_user_does_not_sign_in(browser: Browser, user: User) -> None:
    User.objects.update(is_active=False)
    assert sign_in(browser).status_code == 200
    assert browser.get(LIBRARIES).status_code == 401


def test_failed_attempts_are_limited_together_with_those_of_the_api_and_the_admin(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(FAILED_SIGN_INS.requests - 1):
        assert sign_in(browser, password="wrong").status_code == 200
    wrong = {"username": "ada", "password": "wrong"}
    assert browser.post("/api/v1/auth/token", wrong, "application/json").status_code == 401
    monkeypatch.setattr(hashers.MD5PasswordHasher, "verify", None)  # no password is looked at
    refused = sign_in(browser)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "Too many failed attempts. Try again in a minute." in refused.content.decode()


def test_a_form_of_another_site_neither_signs_in_nor_out(browser: Browser) -> None:
    forged = browser.post(SIGN_IN, {"username": "ada", "password": PASSWORD})
    assert forged.status_code == 403
    assert "ACCESS_DENIED" in forged.content.decode()
    sign_in(browser)
    assert browser.post(SIGN_OUT).status_code == 403
    assert browser.get(LIBRARIES).status_code == 200


def test_signing_out_is_a_form_and_no_link(browser: Browser) -> None:
    sign_in(browser)
    refused = browser.get(SIGN_OUT)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST, OPTIONS")
    assert "METHOD_NOT_ALLOWED" in refused.content.decode()
    assert browser.get(LIBRARIES).status_code == 200
    assert submit(browser, SIGN_OUT, next=LIBRARIES).headers["Location"] == LIBRARIES
    assert browser.get(LIBRARIES).status_code == 401


def test_nobody_may_store_the_page_or_frame_it(browser: Browser) -> None:
    page = browser.get(SIGN_IN)
    assert "no-store" in page.headers["Cache-Control"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [(SIGN_IN, {"GET", "HEAD", "POST", "OPTIONS"}), (SIGN_OUT, {"POST", "OPTIONS"})],
)
def test_the_pages_refuse_other_methods_as_the_endpoints_do(
    browser: Browser, path: str, allowed: set[str]
) -> None:
    refused = browser.generic("TRACE", path, headers={"Accept": "application/json"})
    assert refused.status_code == 405
    assert refused.json()["error"]["code"] == "METHOD_NOT_ALLOWED"
    assert set(refused.headers["Allow"].split(", ")) == allowed
