"""The audit: every change with its old and new values, who made it, and from where."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone

from accounts import audit
from accounts.audit import AuditEntry
from accounts.audited_admin import AuditedAdmin
from accounts.models import User
from accounts.plex_links import PlexLink
from plex_integration.configuration.models import PlexConnection
from tests.admin.conftest import CONNECTION, POLICIES, STATUS, connection_form, shown
from tests.admin.test_users import USERS, changed
from tests.conftest import Client

AUDIT = "/admin/accounts/auditentry/"
SECRET = "a-token-that-nobody-may-see-4711"


def entries() -> list[tuple[str, str]]:
    """Return what was changed, and the descriptions, in the order of the changes."""
    return [(str(each), each.description) for each in AuditEntry.objects.order_by("pk")]


def test_an_entry_says_who_changed_what_from_where_and_in_which_request(
    boss: Browser, superuser: User, settings: Any
) -> None:
    settings.PROXY_COUNT = 1
    headers = {"x-forwarded-for": "192.0.2.7", "x-request-id": "change-of-a-group"}
    boss.post("/admin/auth/group/add/", {"name": "Editors"}, headers=headers)
    (entry,) = AuditEntry.objects.all()
    assert (entry.user, entry.user_name) == (superuser, "root")
    assert str(entry) == "group “Editors” added"
    assert entry.object_id == str(Group.objects.get().pk)
    assert (entry.address, entry.request_id) == ("192.0.2.7", "change-of-a-group")
    assert timezone.now() - entry.at < timedelta(minutes=5)


def test_old_and_new_values_of_a_setting_are_recorded_but_no_secret(boss: Browser) -> None:
    boss.get(CONNECTION, follow=True)
    row = PlexConnection.objects.get()
    before, page = row.url, f"{CONNECTION}{row.pk}/change/"
    form = connection_form(row, url="http://192.0.2.1:32400", token=SECRET, seconds="7")
    assert boss.post(page, form).status_code == 302
    ((what, text),) = entries()
    assert what.startswith("Plex connection “")
    assert f"{before} → http://192.0.2.1:32400." in text
    assert "10.0 → 7.0." in text
    assert "Token changed." in text
    assert SECRET not in text


def test_changed_rights_name_the_permissions_and_a_mail_address_is_not_shown(
    boss: Browser, user: User
) -> None:
    group = Group.objects.create(name="Editors")
    changed(boss, user, groups=[group.pk], email="ada@example.org")
    ((what, text),) = entries()
    assert what == "user “ada” changed"
    assert "Groups: none → Editors." in text
    assert "Email address changed." in text
    assert "example.org" not in text


def test_a_changed_password_is_recorded_without_it(boss: Browser, user: User) -> None:
    form = {"password1": SECRET, "password2": SECRET, "usable_password": "true"}
    assert boss.post(f"{USERS}{user.pk}/password/", form).status_code == 302
    assert entries() == [("user “ada” changed", "Password changed.")]


def test_every_page_that_changes_something_is_audited(boss: Browser, user: User) -> None:
    boss.post(POLICIES, {"reset": "all"})
    boss.post(f"{STATUS}clear/", {"what": "everything", "confirmed": "yes"})
    for action in ("deactivate", "revoke_all_tokens"):
        boss.post(USERS, {"action": action, "_selected_action": [user.pk]})
    boss.post(f"{USERS}{user.pk}/delete/", {"post": "yes"})
    described = [text for _, text in entries()]
    assert described == ["Cleared the cache.", "Deactivated.", "Revoked all tokens.", ""]
    assert entries()[-1][0] == "user “ada” deleted"


def test_no_page_that_can_change_something_is_left_out() -> None:
    read_only = {"AuditEntry", "BlacklistedToken", "OutstandingToken", "VisibilityCheck"}
    pages = {model.__name__: page for model, page in admin.site._registry.items()}
    left_out = {name for name, page in pages.items() if not isinstance(page, AuditedAdmin)}
    assert left_out == read_only


def test_an_entry_survives_who_made_it(boss: Browser, superuser: User) -> None:
    boss.post("/admin/auth/group/add/", {"name": "Editors"})
    superuser.delete()
    (entry,) = AuditEntry.objects.all()
    assert (entry.user, entry.user_name) == (None, "root")


def test_the_page_shows_and_finds_changes_and_changes_none(
    boss: Browser, staff: Callable[..., Browser]
) -> None:
    for name in ("Editors", "Viewers"):
        boss.post("/admin/auth/group/add/", {"name": name})
    assert "group “Editors” added" in shown(boss.get(AUDIT))
    found = shown(boss.get(AUDIT, {"q": "viewers"}))
    assert "group “Viewers” added" in found
    assert "group “Editors” added" not in found
    assert "(0 minutes ago)" in found
    (first, _) = AuditEntry.objects.all()
    assert boss.get(f"{AUDIT}{first.pk}/change/", follow=True).status_code in (200, 403)
    assert boss.post(f"{AUDIT}{first.pk}/change/", {}).status_code == 403
    assert boss.post(f"{AUDIT}{first.pk}/delete/", {"post": "yes"}).status_code == 403
    assert boss.get(f"{AUDIT}add/").status_code == 403
    assert AuditEntry.objects.count() == 2
    assert staff().get(AUDIT).status_code == 403


def test_who_may_see_changes_sees_them(staff: Callable[..., Browser]) -> None:
    assert staff("view_auditentry").get(AUDIT).status_code == 200


def test_entries_older_than_a_year_are_deleted(user: User) -> None:
    for age in (timedelta(days=364), timedelta(days=366)):
        audit.record(user, AuditEntry.Action.CHANGED, user, str(age))
        AuditEntry.objects.filter(description=str(age)).update(at=timezone.now() - age)
    call_command("delete_expired")
    assert [each.description for each in AuditEntry.objects.all()] == ["364 days, 0:00:00"]


@pytest.mark.parametrize("linked", [True, False])
def test_a_user_who_removes_the_own_link_is_recorded_once(
    api: Client, user: User, linked: bool
) -> None:
    if linked:
        PlexLink.objects.create(user=user, account_id=4711, viewer_id=4711)
    api.delete("/auth/plex")
    expected = [("user “ada” changed", "Unlinked from Plex account 4711.")] if linked else []
    assert entries() == expected
