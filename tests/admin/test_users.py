"""The users' page and the admin's own sign-in."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import hashers
from django.contrib.auth.models import Group, Permission
from django.test import Client as Browser

from accounts.models import User
from accounts.plex_links import PlexLink
from accounts.throttling import FAILED_SIGN_INS
from tests.admin.conftest import messages_of
from tests.conftest import PASSWORD, Client
from tests.service import until

USERS = "/admin/accounts/user/"
LOGIN = "/admin/login/"
ITEMS = "/plex/libraries/1/items?size=2"
WRONG_PASSWORD = "Please enter the correct username and password for a staff account."


@pytest.fixture
def root(transactional_db: None) -> User:
    user: User = User.objects.create_superuser("root", password=PASSWORD)
    return user


def sign_in(username: str, password: str, **headers: Any) -> Any:
    return Browser().post(LOGIN, {"username": username, "password": password}, **headers)


def hit_of(api: Client) -> None:
    """Request a response until it comes from the cache."""
    api.data(ITEMS)
    until(lambda: api.get(ITEMS).headers["X-Plex-Cache-Status"] == "HIT", 10, "it is a hit")


def test_all_tokens_of_the_selected_users_are_revoked_and_logged(
    boss: Browser, api: Client, user: User
) -> None:
    hit_of(api)
    answer = boss.post(USERS, {"action": "revoke_all_tokens", "_selected_action": [user.pk]})
    assert messages_of(answer) == ["All tokens of 1 user revoked."]
    for path in (ITEMS, "/auth/session"):
        api.error(path, 401, "UNAUTHORIZED")
    (entry,) = LogEntry.objects.all()
    assert (entry.object_repr, entry.get_change_message()) == ("ada", "Revoked all tokens.")


def test_a_user_who_is_deactivated_in_the_admin_is_refused(
    boss: Browser, api: Client, user: User
) -> None:
    hit_of(api)
    page = boss.get(f"{USERS}{user.pk}/change/").context["adminform"].form
    filled = {name: value for name, value in page.initial.items() if value not in (None, False)}
    joined = filled.pop("date_joined")
    filled |= {"date_joined_0": joined.date(), "date_joined_1": joined.time()}
    filled.pop("last_login", None)
    del filled["is_active"]
    assert boss.post(f"{USERS}{user.pk}/change/", filled).status_code == 302
    for path in (ITEMS, "/auth/session"):
        api.error(path, 401, "UNAUTHORIZED")


def changed(browser: Browser, user: User, **values: str) -> Any:
    """Send the form of a user as the page shows it, with other values."""
    page = browser.get(f"{USERS}{user.pk}/change/").context["adminform"].form
    filled = {name: value for name, value in page.initial.items() if value not in (None, False, [])}
    joined = filled.pop("date_joined")
    filled |= {"date_joined_0": joined.date(), "date_joined_1": joined.time()}
    filled.pop("last_login", None)
    return browser.post(f"{USERS}{user.pk}/change/", filled | values)


def test_staff_who_may_change_users_cannot_give_rights(
    staff: Callable[..., Browser], user: User
) -> None:
    browser = staff("view_user", "change_user")
    own = User.objects.get(username="staff")
    permission = Permission.objects.get(codename="clear_cache")
    group = Group.objects.create(name="all rights")
    for each in (own, user):
        rights = {
            "is_superuser": "on",
            "user_permissions": str(permission.pk),
            "groups": str(group.pk),
        }
        assert changed(browser, each, email="new@example.com", **rights).status_code == 302
        each.refresh_from_db()
        assert each.email == "new@example.com"
        assert not each.is_superuser
        assert not each.groups.exists()
        assert not each.has_perm("plex_integration.clear_cache")


def test_a_superuser_gives_rights(boss: Browser, user: User) -> None:
    assert changed(boss, user, is_superuser="on").status_code == 302
    user.refresh_from_db()
    assert user.is_superuser


def test_staff_cannot_change_a_superuser(staff: Callable[..., Browser], root: User) -> None:
    browser = staff("view_user", "change_user", "delete_user")
    before = User.objects.values().get(pk=root.pk)
    for path, body in (
        (f"{root.pk}/change/", {"username": "mine"}),
        (f"{root.pk}/password/", {"password1": PASSWORD * 2, "password2": PASSWORD * 2}),
        (f"{root.pk}/delete/", {"post": "yes"}),
    ):
        assert browser.post(f"{USERS}{path}", body).status_code == 403
    for action in ("revoke_all_tokens", "delete_selected"):
        chosen = {"action": action, "_selected_action": [root.pk], "post": "yes"}
        assert browser.post(USERS, chosen).status_code in (302, 403)
    assert User.objects.values().get(pk=root.pk) == before


def test_a_superuser_signs_in_at_the_admin(root: User) -> None:
    assert sign_in("root", PASSWORD).status_code == 302


def test_failed_sign_ins_are_refused_before_any_password_is_hashed(
    root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(FAILED_SIGN_INS.requests):
        answer = sign_in("root", "wrong")
        assert WRONG_PASSWORD in " ".join(answer.content.decode().split())
        assert answer.status_code == 200
    hashed: list[str] = []
    monkeypatch.setattr(
        hashers.MD5PasswordHasher, "verify", lambda *given: bool(hashed.append("verified"))
    )
    refused = sign_in("root", PASSWORD)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "Too many failed attempts. Try again in a minute." in refused.content.decode()
    assert WRONG_PASSWORD not in refused.content.decode()
    assert sign_in("ROOT", PASSWORD, REMOTE_ADDR="192.0.2.1").status_code == 429, "the name counts"
    assert sign_in("other", PASSWORD).status_code == 429, "the address counts"
    assert hashed == []


def test_the_right_password_of_a_user_without_staff_status_counts_as_failed(root: User) -> None:
    User.objects.create_user("ada", password=PASSWORD)
    for _ in range(FAILED_SIGN_INS.requests):
        assert sign_in("ada", PASSWORD).status_code == 200
    assert sign_in("ada", PASSWORD).status_code == 429


def test_successful_sign_ins_are_not_limited(root: User) -> None:
    answers = [sign_in("root", PASSWORD).status_code for _ in range(FAILED_SIGN_INS.requests + 2)]
    assert set(answers) == {302}


def rows(page: Any) -> list[str]:
    """Return the text of each row in a list of users."""
    return [" ".join(re.sub("<[^>]+>", " ", row).split()) for row in _ROW.findall(page.text)]


_ROW = re.compile(r"<tr><td class=\"action-checkbox\".*?</tr>", re.DOTALL)


def test_the_list_says_in_words_what_each_user_may_do(boss: Browser, user: User) -> None:
    user.user_permissions.set(Permission.objects.filter(codename="manage_playlists"))
    editors = Group.objects.create(name="Editors")
    editors.permissions.set(Permission.objects.filter(codename="manage_collections"))
    helper = User.objects.create_user("helper", is_staff=True)
    helper.groups.add(editors)
    User.objects.create_user("guest")
    ada, guest, assistant, root = rows(boss.get(USERS, {"o": "1"}))
    assert "ada never may edit playlists - never" in ada
    assert "guest never may read - never" in guest
    assert "helper never staff, may edit collections - never" in assistant
    assert root.startswith("root 20")


def test_users_are_filtered_by_their_plex_account(boss: Browser, user: User) -> None:
    revoked = User.objects.create_user("bob")
    state = PlexLink.State.REVOKED
    PlexLink.objects.create(user=revoked, account_id=7, viewer_id=7, state=state)
    assert [row.split()[0] for row in rows(boss.get(USERS, {"plex": "revoked"}))] == ["bob"]
    assert [row.split()[0] for row in rows(boss.get(USERS, {"plex": "none"}))] == ["ada", "root"]


def test_a_sign_in_with_a_password_is_shown_as_the_last_one_but_a_renewal_is_not(
    boss: Browser, user: User, anonymous: Client
) -> None:
    user.set_password(PASSWORD)
    user.save()
    credentials = {"username": "ada", "password": PASSWORD}
    pair = anonymous.post("/auth/token", json=credentials).json()["data"]
    user.refresh_from_db()
    at = user.last_login
    assert at is not None
    assert anonymous.post("/auth/token/refresh", json={"refresh": pair["refresh"]}).ok
    user.refresh_from_db()
    assert user.last_login == at


def test_a_failed_sign_in_is_no_last_sign_in(user: User, anonymous: Client) -> None:
    anonymous.post("/auth/token", json={"username": "ada", "password": "wrong"})
    user.refresh_from_db()
    assert user.last_login is None


def test_selected_users_are_deactivated_but_not_the_one_who_does_it(
    boss: Browser, superuser: User, api: Client, user: User
) -> None:
    hit_of(api)
    chosen = {"action": "deactivate", "_selected_action": [user.pk, superuser.pk]}
    assert messages_of(boss.post(USERS, chosen)) == ["1 user deactivated."]
    api.error(ITEMS, 401, "UNAUTHORIZED")
    superuser.refresh_from_db()
    assert superuser.is_active


def test_the_list_shows_when_tokens_were_revoked(boss: Browser, user: User) -> None:
    boss.post(USERS, {"action": "revoke_all_tokens", "_selected_action": [user.pk]})
    user.refresh_from_db()
    assert user.tokens_revoked_at is not None
    assert f"{user.tokens_revoked_at:%Y}" in rows(boss.get(USERS, {"q": "ada"}))[0]
