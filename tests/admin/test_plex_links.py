"""Users and their Plex accounts in the admin: shown, and unlinked."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.test import Client as Browser

from accounts.models import User
from accounts.plex_links import PlexLink
from plex_integration.configuration import runtime
from tests.admin.conftest import messages_of, shown

USERS = "/admin/accounts/user/"
TOKENS = ("token-of-the-account", "token-of-the-profile", "token-of-the-server")


def link(user: User, account: int = 555, **values: Any) -> PlexLink:
    made = PlexLink(user=user, account_id=account, viewer_id=account, **values)
    made.account_token, made.profile_token, made.server_token = TOKENS
    made.save()
    return made


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create_user("ada", "ada@example.com")


def unlink(browser: Browser, *users: User) -> Any:
    form = {"action": "unlink_from_plex", "_selected_action": [user.pk for user in users]}
    return browser.post(USERS, form)


@pytest.mark.parametrize("path", [USERS, f"{USERS}{{pk}}/change/"])
def test_a_user_is_shown_with_the_plex_account_and_its_state(
    boss: Browser, ada: User, path: str
) -> None:
    link(ada, account_name="Nadia", state="revoked", profile_uuid="u", profile_name="Juno")
    response = boss.get(path.format(pk=ada.pk))
    assert "Nadia, as Juno: plex.tv refused the account's token" in shown(response)
    assert not [token for token in TOKENS if token in response.content.decode()]


def test_an_account_without_a_public_name_is_shown_by_its_number(boss: Browser, ada: User) -> None:
    link(ada)
    assert "account 555: active" in shown(boss.get(USERS))


def test_the_list_of_users_needs_no_query_for_each_user(
    boss: Browser,
    ada: User,
    django_assert_max_num_queries: Callable[[int], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link(ada)
    editors = Group.objects.create(name="Editors")
    editors.permissions.set(Permission.objects.filter(codename="manage_playlists"))
    for number in range(20):
        user = User.objects.create_user(f"user-{number}")
        user.groups.add(editors)
        link(user, 600 + number)
    boss.get(USERS)  # reads the settings and the migrations for the banner
    monkeypatch.setattr(runtime, "_checked_until", float("inf"))
    with django_assert_max_num_queries(12):
        boss.get(USERS)


def test_selected_users_are_unlinked_and_it_is_logged(boss: Browser, ada: User) -> None:
    link(ada)
    bob = User.objects.create_user("bob")
    response = unlink(boss, ada, bob)
    assert messages_of(response) == ["1 user unlinked from Plex."]
    assert not PlexLink.objects.exists()
    (entry,) = LogEntry.objects.all()
    assert entry.object_repr == "ada"
    assert entry.get_change_message() == "Unlinked from Plex account 555."


def test_a_user_who_needs_a_link_and_has_none_is_not_unlinked(boss: Browser, ada: User) -> None:
    ada.needs_own_view = True
    ada.save()
    assert messages_of(unlink(boss, ada)) == ["0 users unlinked from Plex."]
    assert not LogEntry.objects.exists()


def test_staff_who_may_only_see_users_cannot_unlink_them(
    staff: Callable[..., Browser], ada: User
) -> None:
    link(ada)
    unlink(staff("view_user"), ada)
    assert PlexLink.objects.exists()


def test_an_unlinked_user_has_no_view_of_the_account_any_more(boss: Browser, ada: User) -> None:
    before = link(ada).view
    assert User.objects.get(pk=ada.pk).plex_view == before
    unlink(boss, ada)
    assert User.objects.get(pk=ada.pk).plex_view == ""
    again = PlexLink(user=ada, account_id=555)
    again.view_as(555)
    assert again.view != before


@pytest.mark.parametrize("state", list(PlexLink.State))
def test_every_state_of_a_link_is_shown_in_words(
    boss: Browser, ada: User, state: PlexLink.State
) -> None:
    link(ada, state=state)
    assert str(state.label) in shown(boss.get(USERS))


def test_staff_unlink_nobody_beyond_their_reach(staff: Callable[..., Browser], ada: User) -> None:
    ada.is_superuser = True
    ada.save()
    link(ada)
    response = unlink(staff("view_user", "change_user"), ada)
    assert messages_of(response) == ["0 users unlinked from Plex."]
    assert PlexLink.objects.exists()
