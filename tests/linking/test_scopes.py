"""Whose view of Plex a user has is published with the user's stamp, in the same moment."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import stamps, tokens
from accounts.models import User
from accounts.plex_links import PlexLink
from medianest.store.stamps import Stamp, stamp_key

ACTIVE, REVOKED = PlexLink.State.ACTIVE, PlexLink.State.REVOKED


def link(user: User, viewer_id: int = 555, state: str = ACTIVE) -> PlexLink:
    made: PlexLink = PlexLink.objects.create(
        user=user, account_id=555, viewer_id=viewer_id, state=state
    )
    return made


def published(valkey: Any, user: User) -> Stamp:
    stored = valkey.client.get(stamp_key(str(user.pk)))
    stamp = Stamp.parse(stored)
    assert stamp is not None
    return stamp


@pytest.mark.parametrize(
    ("change", "scope"),
    [
        (lambda each: each.save(), "555.0"),
        (lambda each: PlexLink.objects.filter(pk=each.pk).update(viewer_id=777), "777.0"),
        (lambda each: PlexLink.objects.filter(pk=each.pk).update(state=REVOKED), "-"),
        (lambda each: each.delete(), ""),
        (lambda each: PlexLink.objects.filter(pk=each.pk).delete(), ""),
        (lambda each: each.user.save(), "555.0"),
        (lambda each: User.objects.filter(pk=each.user_id).update(password="!x"), "555.0"),
    ],
    ids=["save", "profile", "revoked", "delete", "queryset delete", "user save", "user update"],
)
def test_a_changed_link_publishes_its_users_scope(
    user: User, shared: Any, valkey: Any, change: Callable[[PlexLink], Any], scope: str
) -> None:
    change(link(user))
    stamp = published(valkey, user)
    assert (stamp.text, stamp.scope) == (User.objects.get().token_stamp(), scope)


@pytest.mark.parametrize("state", [each for each in PlexLink.State if each != ACTIVE])
def test_a_link_that_cannot_be_used_is_not_the_scope_of_a_user_without_one(
    user: User, shared: Any, valkey: Any, state: str
) -> None:
    link(user, state=state)
    assert published(valkey, user).scope == "-"


def test_a_link_that_is_rolled_back_publishes_nothing(user: User, shared: Any, valkey: Any) -> None:
    tokens.issue(user)
    before = published(valkey, user)
    with transaction.atomic():
        link(user)
        transaction.set_rollback(True)
    assert published(valkey, user) == before
    assert before.scope == ""


def test_a_new_token_publishes_the_scope_of_its_user(user: User, shared: Any, valkey: Any) -> None:
    link(user)
    valkey.client.flushall()
    tokens.issue(User.objects.get())
    assert published(valkey, user).scope == "555.0"


def test_a_comparison_with_the_database_finds_a_link_that_was_made_with_sql(
    user: User, shared: Any, valkey: Any
) -> None:
    link(user)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_plexlink SET viewer_id = 888")
    stamps.check({str(user.pk): published(valkey, user)})
    assert published(valkey, user).scope == "888.0"


def test_links_created_in_bulk_publish_their_scopes(user: User, shared: Any, valkey: Any) -> None:
    PlexLink.objects.bulk_create([PlexLink(user=user, account_id=1, viewer_id=1)])
    assert published(valkey, user).scope == "1.0"


@pytest.mark.parametrize("is_linked", [True, False])
def test_a_request_reads_its_user_and_the_link_with_one_query(user: User, is_linked: bool) -> None:
    if is_linked:
        link(user)
    token = tokens.read(tokens.issue(user).access, tokens.AccessToken)
    with CaptureQueriesContext(connection) as queries:
        found = tokens.bearer(token)
        assert found.plex_view == ("555.0" if is_linked else "")
    assert len(queries) == 1


def test_the_tokens_of_a_link_are_encrypted_and_in_no_text_of_it(user: User) -> None:
    made = link(user)
    made.account_token, made.profile_token, made.server_token = "account", "profile", "server"
    made.save()
    row = PlexLink.objects.values().get()
    assert not {"account", "profile", "server"} & set(map(str, row.values()))
    found = PlexLink.objects.get()
    assert (found.account_token, found.profile_token, found.server_token) == (
        "account",
        "profile",
        "server",
    )
    assert str(found) == "Plex account 555"
    assert repr(found) == "<PlexLink: Plex account 555>"


def test_a_token_of_another_encryption_key_is_none(user: User, settings: Any) -> None:
    made = link(user)
    made.server_token = "server"
    settings.ENCRYPTION_KEY = "another-key-another-key-another-key"
    assert made.server_token is None


def test_a_user_who_needs_a_plex_account_has_no_view_without_one(
    user: User, shared: Any, valkey: Any
) -> None:
    User.objects.filter(pk=user.pk).update(needs_own_view=True)
    assert published(valkey, user).scope == "-"
    made = link(user)
    assert published(valkey, user).scope == "555.0"
    made.delete()
    assert published(valkey, user).scope == "-"
