"""The page of the rules for viewers: for superusers, one row, in force at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection, ViewerSettings
from plex_integration.configuration.viewer_rules import ViewerRules
from tests.admin.conftest import messages_of, shown

VIEWERS = "/admin/plex_integration/viewersettings/"


def test_without_a_row_the_defaults_hold_and_are_shown(boss: Browser) -> None:
    assert runtime.current().viewers == ViewerRules(True, False, False)
    page = boss.get(VIEWERS, follow=True)
    assert page.context["adminform"].form.instance.rules() == ViewerRules(True, False, False)
    assert "Create users on Plex sign-in" in shown(page)


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ({"unlinked": "refuse"}, ViewerRules(False, False, True)),
        ({"plex_sign_in": "on", "unlinked": "service"}, ViewerRules(True, False, False)),
        ({"create_users": "on", "unlinked": "service"}, ViewerRules(False, True, False)),
    ],
)
def test_saved_rules_are_in_force_at_once(
    boss: Browser, given: dict[str, str], rules: ViewerRules
) -> None:
    assert runtime.current().viewers == ViewerRules()
    response = boss.post(f"{VIEWERS}add/", given)
    assert messages_of(response) == ["Settings saved. Take effect within 2 seconds."]
    assert runtime.current().viewers == rules


def test_there_is_one_row_of_rules_and_nobody_deletes_it(boss: Browser) -> None:
    ViewerSettings.objects.create()
    ViewerSettings(create_users=True).save()
    assert ViewerSettings.objects.count() == 1
    assert boss.get(f"{VIEWERS}add/").status_code == 403
    assert boss.post(f"{VIEWERS}1/delete/", {"post": "yes"}).status_code == 403
    assert boss.get(VIEWERS)["Location"] == f"{VIEWERS}1/change/"


def test_only_superusers_see_the_rules(staff: Callable[..., Any]) -> None:
    ViewerSettings.objects.create()
    browser = staff("view_viewersettings", "change_viewersettings", "add_viewersettings")
    assert browser.get(VIEWERS).status_code == 403
    assert browser.post(f"{VIEWERS}1/change/", {"unlinked": "refuse"}).status_code == 403


def test_the_identity_of_plex_is_forgotten_with_another_address(boss: Browser) -> None:
    runtime.current()
    PlexConnection.objects.update(machine_identifier="abc")
    row = PlexConnection.objects.get()
    row.save()
    assert PlexConnection.objects.get().machine_identifier == "abc"
    connection = row.connection()
    assert connection is not None
    assert connection.machine_identifier == "abc"
    row.url = "http://other:32400"
    row.save()
    assert PlexConnection.objects.get().machine_identifier == ""
