"""A viewer whose access to Plex ends sees nothing any more, and sees again when it is restored."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.plex_links import PlexLink
from plex_integration.caching import access_checks
from plex_integration.viewers import access
from plex_simulator import Simulator
from plex_simulator.models import Share
from tests.service import until
from tests.viewers.conftest import (
    ITEMS,
    PLEX_TV,
    RESOURCES,
    SECTIONS,
    Later,
    MakeViewer,
    Viewer,
    reason_of,
)

REQUIRED, DUE = access_checks.MAX_AGE + 1, access_checks.DUE_AGE + 1
RENEWED = {"Cache-Control": "no-cache"}


def first_poster(viewer: Viewer) -> Any:
    """Return an item of the first page that has a poster."""
    return next(item for item in viewer.client.data(ITEMS)["items"] if item.get("thumbUrl"))


def followed(viewer: Viewer, link: str) -> Any:
    """Follow a signed link, as an `<img>` does: without a token."""
    return viewer.client.get(link.removeprefix("/api/v1"), headers={"Authorization": ""})


def poster_path(item: Any) -> str:
    return f"/plex/items/{item['ratingKey']}/images/thumb"


def test_a_removed_share_ends_cached_responses_pictures_and_links_at_the_next_check(
    each_store: None, anna: Viewer, home: Simulator, later: Later
) -> None:
    item = first_poster(anna)
    assert followed(anna, item["thumbUrl"]).status_code == 200
    assert anna.client.get(poster_path(item)).status_code == 200
    home.remove_share(anna.account)
    later(REQUIRED)
    home.reset_requests()
    assert followed(anna, item["thumbUrl"]).status_code == 403
    assert followed(anna, item["thumbUrl"]).status_code == 401
    for path in (ITEMS, poster_path(item), "/plex/libraries"):
        assert reason_of(anna.client.get(path)) == "no_access"
    assert home.count("/photo") == 0
    assert anna.link.state == PlexLink.State.NO_ACCESS


def test_a_request_that_plex_refuses_ends_the_view_before_the_next_check(
    each_store: None, anna: Viewer, home: Simulator
) -> None:
    item = first_poster(anna)
    followed(anna, item["thumbUrl"])
    home.remove_share(anna.account)
    assert reason_of(anna.client.get(ITEMS, headers=RENEWED)) == "no_access"
    assert reason_of(anna.client.get(ITEMS)) == "no_access"
    assert followed(anna, item["thumbUrl"]).status_code == 401


def test_an_ended_view_is_not_served_stale_while_plex_fails(
    each_store: None, anna: Viewer, home: Simulator
) -> None:
    anna.client.data(ITEMS)
    home.remove_share(anna.account)
    anna.client.get(ITEMS, headers=RENEWED)
    home.fault("disconnect")
    assert reason_of(anna.client.get(ITEMS)) == "no_access"


def test_the_other_viewers_of_the_server_keep_what_is_cached_for_them(
    each_store: None, anna: Viewer, home: Simulator, viewer_of: MakeViewer
) -> None:
    bert = viewer_of(home.add_account("Bert", libraries=("1",)))
    bert.client.data(ITEMS)
    home.remove_share(anna.account)
    anna.client.get(ITEMS, headers=RENEWED)
    assert bert.client.get(ITEMS).headers["X-Plex-Cache-Status"] == "HIT"


def test_a_share_that_is_restored_works_again_without_a_new_sign_in(
    each_store: None, anna: Viewer, home: Simulator, without_pauses: None
) -> None:
    before = first_poster(anna)
    home.remove_share(anna.account)
    assert reason_of(anna.client.get(ITEMS, headers=RENEWED)) == "no_access"
    anna.account.share = Share(frozenset(("1", "2")))
    restored = anna.client.get(ITEMS)
    assert (restored.status_code, restored.headers["X-Plex-Cache-Status"]) == (200, "MISS")
    assert followed(anna, first_poster(anna)["thumbUrl"]).status_code == 200
    # A link of the view that has ended stays ended.
    assert followed(anna, before["thumbUrl"]).status_code == 401


def test_a_library_that_is_not_shared_any_more_is_dropped_at_the_next_check(
    each_store: None, anna: Viewer, home: Simulator, later: Later
) -> None:
    item = first_poster(anna)
    assert followed(anna, item["thumbUrl"]).status_code == 200
    home.unshare_library(anna.account, "1")
    later(REQUIRED)
    anna.client.error(ITEMS, 404, "LIBRARY_NOT_FOUND")
    assert [each["id"] for each in anna.client.data("/plex/libraries")["libraries"]] == ["2"]
    anna.client.error(f"/plex/items/{item['ratingKey']}", 404, "ITEM_NOT_FOUND")
    assert followed(anna, item["thumbUrl"]).status_code == 401
    assert anna.link.state == PlexLink.State.ACTIVE


def test_a_library_that_plex_refuses_is_dropped_at_once(
    each_store: None, anna: Viewer, home: Simulator
) -> None:
    anna.client.data(ITEMS)
    anna.client.data("/plex/libraries")
    home.unshare_library(anna.account, "1")
    anna.client.error(ITEMS, 404, "LIBRARY_NOT_FOUND", headers=RENEWED)
    assert [each["id"] for each in anna.client.data("/plex/libraries")["libraries"]] == ["2"]


def test_access_is_checked_in_the_background_while_hits_go_on(
    anna: Viewer, home: Simulator, shared: Any, later: Later
) -> None:
    anna.client.data(ITEMS)
    anna.client.data(ITEMS)
    home.remove_share(anna.account)
    later(DUE)
    assert anna.client.get(ITEMS).headers["X-Plex-Cache-Status"] == "HIT"
    until(lambda: anna.link.state == PlexLink.State.NO_ACCESS, 10, "the background check ended it")
    assert reason_of(anna.client.get(ITEMS)) == "no_access"


def test_a_check_that_changes_nothing_leaves_the_cached_responses(
    each_store: None, anna: Viewer, home: Simulator, later: Later
) -> None:
    anna.client.data(ITEMS)
    later(REQUIRED)
    home.reset_requests()
    assert anna.client.get(ITEMS).headers["X-Plex-Cache-Status"] == "HIT"
    assert home.count(SECTIONS) == 1


@pytest.mark.parametrize("age", [timedelta(hours=4), None], ids=["old", "never compared"])
def test_an_account_whose_tokens_were_revoked_is_noticed_when_the_link_is_compared(
    each_store: None, anna: Viewer, home: Simulator, age: timedelta | None
) -> None:
    home.revoke_account_tokens(anna.account)
    at = None if age is None else timezone.now() - age
    PlexLink.objects.update(checked_at=at)
    assert reason_of(anna.client.get(ITEMS)) == "revoked"
    assert reason_of(anna.client.get(ITEMS)) == "revoked"


def test_an_account_without_access_and_with_revoked_tokens_must_sign_in_again(
    each_store: None, anna: Viewer, home: Simulator
) -> None:
    anna.client.data(ITEMS)
    home.revoke_account_tokens(anna.account)
    home.remove_share(anna.account)
    assert reason_of(anna.client.get(ITEMS, headers=RENEWED)) == "revoked"


def test_a_refused_viewer_does_not_cost_a_request_to_plex_tv_each_time(
    each_store: None, anna: Viewer, home: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "OTHER_WORKER", timedelta(0))
    home.remove_share(anna.account)
    for _ in range(5):
        assert reason_of(anna.client.get(ITEMS)) == "no_access"
    assert home.count(RESOURCES) == 1


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("status", {"status": 429, "retry_after": 5}),
        ("status", {"status": 500}),
        ("status", {"status": 403}),
        ("silent", {}),
        ("html", {}),
    ],
)
def test_a_failing_plex_tv_ends_no_link(
    each_store: None,
    anna: Viewer,
    home: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    options: Any,
) -> None:
    monkeypatch.setattr("plex_integration.plex.plextv.http.MAX_SECONDS", 0.3)
    home.fault(kind, path=PLEX_TV, **options)
    PlexLink.objects.update(checked_at=timezone.now() - timedelta(hours=4))
    assert anna.client.get(ITEMS).status_code == 200
    assert timezone.now() - anna.link.checked_at < timedelta(hours=1)  # it has been tried
    assert anna.client.get(ITEMS).headers["X-Plex-Cache-Status"] == "HIT"
    assert anna.link.state == PlexLink.State.ACTIVE


def test_a_share_that_ends_right_after_a_sign_in_is_noticed_at_once(
    each_store: None, home: Simulator, viewer_of: MakeViewer
) -> None:
    bert = viewer_of(home.add_account("Bert"), checked_at=timezone.now())
    bert.client.data(ITEMS)
    home.remove_share(bert.account)
    assert reason_of(bert.client.get(ITEMS, headers=RENEWED)) == "no_access"


def test_users_with_the_same_view_share_what_is_cached_and_lose_it_together(
    each_store: None, home: Simulator, viewer_of: MakeViewer
) -> None:
    child = home.add_account("Kim", restriction_profile="teen")
    parents = [viewer_of(home.add_account(name, home=True)) for name in ("Paul", "Petra")]
    for parent in parents:
        link = parent.link
        link.view_as(child.plex_tv_id)
        link.profile_token, link.server_token = child.token, child.server_token
        link.save()
    paul, petra = parents
    item = first_poster(paul)
    assert petra.client.get(ITEMS).headers["X-Plex-Cache-Status"] == "HIT"
    home.remove_share(child)
    assert reason_of(paul.client.get(ITEMS, headers=RENEWED)) == "no_access"
    assert followed(petra, item["thumbUrl"]).status_code == 401
    assert reason_of(petra.client.get(ITEMS)) == "no_access"


def test_an_item_that_plex_forbids_makes_no_request_wait_for_another_token(
    each_store: None, anna: Viewer, home: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plex knows the token, so no other worker can be about to store a new one."""
    key = first_poster(anna)["ratingKey"]
    home.fault("status", path=f"/library/metadata/{key}", status=403)
    waited: list[PlexLink] = []
    monkeypatch.setattr(access, "_wait_for_other", waited.append)
    for _ in range(3):
        anna.client.error(f"/plex/items/{key}", 401, "PLEX_UNAUTHORIZED")
    assert waited == []
    assert anna.client.get(ITEMS).status_code == 200
