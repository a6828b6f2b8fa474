"""Import users from Plex: who is listed, who becomes a user, and what goes wrong."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from accounts.models import User
from accounts.plex_links import PlexLink
from plex_integration.admin import importing
from plex_integration.configuration import runtime
from plex_simulator import Simulator
from tests.admin.conftest import IMPORT, messages_of, shown, signed_in


@pytest.fixture
def boss(plextv: Simulator, superuser: User) -> Browser:
    """A superuser's browser, in front of that Plex."""
    return signed_in(superuser)


def friend(plextv: Simulator, name: str, **attributes: Any) -> int:
    return int(plextv.add_account(name, **attributes).plex_tv_id)


def test_those_with_access_are_listed_and_only_some_can_be_chosen(
    plextv: Simulator, boss: Browser
) -> None:
    plextv.add_account("Nadia")
    plextv.add_account("Juno", restriction_profile="little_kid")
    plextv.add_account("Stranger", libraries=[])
    page = boss.get(IMPORT)
    text = shown(page)
    assert "Nadia" in text
    assert "A managed profile cannot sign in." in text
    assert "Stranger" not in text
    assert "Import Nadia" in page.content.decode()
    assert "Import Juno" not in page.content.decode()
    assert "@" not in shown(page).split("Import selected")[0].split("Plex account")[-1]


def test_chosen_accounts_become_users_who_finish_the_link_by_signing_in(
    plextv: Simulator, boss: Browser
) -> None:
    nadia, rufus = friend(plextv, "Nadia"), friend(plextv, "Rufus")
    response = boss.post(IMPORT, {"account": [nadia]}, follow=True)
    assert messages_of(response) == ["1 user imported. The next step is to sign in with Plex."]
    link = PlexLink.objects.get()
    assert (link.account_id, link.state, link.view) == (nadia, "pending", "-")
    assert link.encrypted_account_token == link.encrypted_server_token == ""
    user = link.user
    assert (user.username, user.is_staff, user.has_usable_password()) == ("Nadia", False, False)
    assert user.needs_own_view
    again = boss.post(IMPORT, {"account": [nadia, rufus]}, follow=True)
    assert messages_of(again) == ["1 user imported. The next step is to sign in with Plex."]
    assert PlexLink.objects.count() == 2


def test_only_those_with_access_are_imported_whatever_is_sent(
    plextv: Simulator, boss: Browser
) -> None:
    juno = friend(plextv, "Juno", restriction_profile="little_kid")
    response = boss.post(IMPORT, {"account": [juno, "999", "-1", "x", "1 OR 1"]})
    assert messages_of(response) == ["0 users imported. The next step is to sign in with Plex."]
    assert not PlexLink.objects.exists()


def test_names_of_users_are_unique_and_no_mail_addresses(plextv: Simulator, boss: Browser) -> None:
    User.objects.create_user("nadia")
    named = [friend(plextv, name) for name in ("Nadia", "someone@example.com")]
    boss.post(IMPORT, {"account": named})
    names = set(PlexLink.objects.values_list("user__username", flat=True))
    assert names == {f"plex-{account}" for account in named}


def test_an_account_that_is_linked_meanwhile_is_left_out(
    plextv: Simulator, boss: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    nadia, rufus = friend(plextv, "Nadia"), friend(plextv, "Rufus")
    boss.get(IMPORT)
    before = importing.read_candidates()
    boss.post(IMPORT, {"account": [nadia]})
    monkeypatch.setattr(importing, "read_candidates", lambda: before)
    response = boss.post(IMPORT, {"account": [nadia, rufus]})
    assert messages_of(response)[-1].startswith("1 user imported.")
    assert sorted(User.objects.exclude(username="root").values_list("username", flat=True)) == [
        "Nadia",
        "Rufus",
    ]


def test_a_token_of_the_server_alone_cannot_list_users(
    plextv: Simulator, settings: Any, boss: Browser
) -> None:
    settings.PLEX_TOKEN = plextv.viewer_token
    runtime.reload()
    response = boss.get(IMPORT)
    (message,) = messages_of(response)
    assert "Sign in to Plex as the server's owner" in message
    assert plextv.viewer_token not in message


@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 503}])
def test_while_plex_tv_is_unavailable_nobody_is_imported(
    plextv: Simulator, boss: Browser, fault: dict[str, int]
) -> None:
    nadia = friend(plextv, "Nadia")
    plextv.fault("status", path="/api/", **fault)
    for send in (boss.get, boss.post):
        response = send(IMPORT, {"account": [nadia]}, follow=True)
        assert messages_of(response) == ["plex.tv is not accessible. Try again."]
    assert not PlexLink.objects.exists()


def test_only_superusers_import(plextv: Simulator, staff: Callable[..., Browser]) -> None:
    browser = staff("view_user", "change_user", "add_user")
    assert browser.get(IMPORT).status_code == 403
    assert browser.post(IMPORT, {"account": ["1"]}).status_code == 403
