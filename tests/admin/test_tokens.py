"""The pages of issued tokens: who has which, and until when; nothing can be changed there."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import tokens
from accounts.models import User
from tests.admin.conftest import shown

OUTSTANDING = "/admin/token_blacklist/outstandingtoken/"
BLACKLISTED = "/admin/token_blacklist/blacklistedtoken/"
PAGES = [OUTSTANDING, BLACKLISTED]


@pytest.fixture
def used(transactional_db: None) -> OutstandingToken:
    """A refresh token of a user that has been used, beside the one it was exchanged for."""
    pair = tokens.issue(User.objects.create_user("ada"))
    tokens.rotate(pair.refresh)
    return OutstandingToken.objects.get(blacklistedtoken__isnull=False)


def key_of(used: OutstandingToken, page: str) -> int:
    """Return the key that a page knows a used token by."""
    return int(used.pk if page == OUTSTANDING else used.blacklistedtoken.pk)


def test_an_operator_sees_whose_tokens_are_issued_and_used_up(
    boss: Browser, used: OutstandingToken
) -> None:
    page = shown(boss.get(OUTSTANDING))
    assert page.count(" ada ") == 2
    assert "2 Outstanding Tokens" in page
    page = shown(boss.get(BLACKLISTED))
    assert page.count(" ada ") == 1
    assert "1 Blacklisted Token" in page
    assert "Outstanding Tokens" in shown(boss.get("/admin/"))


@pytest.mark.parametrize("page", PAGES)
def test_no_page_shows_a_token_or_its_id(boss: Browser, used: OutstandingToken, page: str) -> None:
    OutstandingToken.objects.update(token="eyJ-a-token")
    for path, status in ((page, 200), (f"{page}{key_of(used, page)}/change/", 403)):
        response = boss.get(path)
        assert response.status_code == status
        for secret in ("eyJ-a-token", used.jti):
            assert secret not in response.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_nobody_can_add_change_or_delete_a_token(
    boss: Browser, used: OutstandingToken, page: str
) -> None:
    key = key_of(used, page)
    for path in (f"{page}add/", f"{page}{key}/change/", f"{page}{key}/delete/"):
        assert boss.post(path, {"post": "yes"}).status_code == 403
    boss.post(page, {"action": "delete_selected", "_selected_action": [key], "post": "yes"})
    assert BlacklistedToken.objects.count() == 1


def test_staff_need_the_permission_to_see_tokens(
    staff: Callable[..., Browser], used: OutstandingToken
) -> None:
    browser = staff("view_outstandingtoken")
    assert browser.get(OUTSTANDING).status_code == 200
    assert browser.get(BLACKLISTED).status_code == 403


def test_a_user_with_tokens_can_be_deleted(boss: Browser, used: OutstandingToken) -> None:
    path = f"/admin/accounts/user/{used.user_id}/delete/"
    assert boss.post(path, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(username="ada").exists()
