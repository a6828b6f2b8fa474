"""When access is checked, what a check costs, and what it does while something is unavailable."""

from typing import Any

import pytest

from accounts import tokens
from accounts.models import User
from accounts.plex_links import PlexLink
from plex_integration.caching import access_checks, views
from plex_integration.caching.breaker import FAILURES
from plex_integration.configuration.models import PlexConnection, ViewerSettings
from plex_integration.viewers import access
from plex_simulator import Simulator
from tests import counting
from tests.conftest import Client
from tests.pace import Stopwatch
from tests.service import Valkey
from tests.viewers.conftest import ITEMS, SECTIONS, Later, MakeViewer, Viewer, reason_of

REQUIRED = access_checks.MAX_AGE + 1


@pytest.mark.parametrize("fault", ["refused", "silent", "status"])
def test_a_plex_that_fails_at_the_required_check_keeps_no_cached_response_from_the_viewer(
    each_store: None, anna: Viewer, home: Simulator, later: Later, fault: str
) -> None:
    anna.client.data(ITEMS)
    later(REQUIRED)
    home.fault(fault)
    watch = Stopwatch()
    response = anna.client.get(ITEMS)
    assert (response.status_code, response.headers["X-Plex-Cache-Status"]) == (200, "HIT")
    assert watch.keeps(3), watch


def test_a_check_that_did_not_reach_plex_is_repeated_after_a_moment(
    each_store: None, anna: Viewer, home: Simulator, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna.client.data(ITEMS)
    home.fault("status", status=500)
    monkeypatch.setattr(access_checks, "MAX_AGE", 0)
    anna.client.data(ITEMS)
    home.reset_requests()
    anna.client.data(ITEMS)
    assert home.count(SECTIONS) == 0
    home.heal()
    home.remove_share(anna.account)
    later(access_checks.RETRY_AGE)
    assert reason_of(anna.client.get(ITEMS)) == "no_access"


def test_pictures_of_the_disk_are_checked_too_while_redis_is_unavailable(
    anna: Viewer, home: Simulator, stores: Any, valkey: Valkey, later: Later
) -> None:
    stores.use(valkey.url)
    item = next(each for each in anna.client.data(ITEMS)["items"] if each.get("thumbUrl"))
    link = item["thumbUrl"].removeprefix("/api/v1")
    nobody = Client(anna.client.root)
    assert nobody.get(link).status_code == 200
    stores.use("redis://127.0.0.1:1/0")
    home.remove_share(anna.account)
    later(REQUIRED)
    assert nobody.get(link).status_code == 403
    assert nobody.get(link).status_code == 401


def test_access_is_checked_as_rarely_while_redis_is_unavailable(
    anna: Viewer, home: Simulator, stores: Any, later: Later
) -> None:
    stores.use("redis://127.0.0.1:1/0")
    item = next(each for each in anna.client.data(ITEMS)["items"] if each.get("thumbUrl"))
    link, nobody = item["thumbUrl"].removeprefix("/api/v1"), Client(anna.client.root)
    assert nobody.get(link).status_code == 200
    home.reset_requests()
    for _ in range(3):
        assert nobody.get(link).status_code == 200
    assert home.count(SECTIONS) == 0


def test_a_background_check_of_an_unusable_plex_is_reported_and_raises_nothing(
    anna: Viewer, home: Simulator, caplog: Any
) -> None:
    PlexConnection.objects.update(machine_identifier="")
    home.fault("html")
    access.check_user(str(anna.user.pk))
    assert "access to Plex is not checked" in caplog.text
    assert anna.link.state == PlexLink.State.ACTIVE


@pytest.fixture
def refusing(home: Simulator, transactional_db: None) -> None:
    ViewerSettings(unlinked=ViewerSettings.Unlinked.REFUSE).save()


def test_a_user_without_a_link_is_refused_where_the_operator_says_so(
    each_store: None, home: Simulator, refusing: None, server: Any, anna: Viewer
) -> None:
    user = User.objects.create(username="without a link", password="!")
    client = Client(server.url, tokens.issue(user).access)
    assert anna.client.get(ITEMS).status_code == 200
    for path in (ITEMS, "/plex/items/1000/images/thumb"):
        assert reason_of(client.get(path)) == "not_linked"
        assert reason_of(client.get(path)) == "not_linked"


def test_refusing_users_without_a_link_also_ends_what_is_cached_for_the_service(
    each_store: None, home: Simulator, server: Any, transactional_db: None
) -> None:
    user = User.objects.create(username="without a link", password="!")
    client = Client(server.url, tokens.issue(user).access)
    client.data(ITEMS)
    assert client.get(ITEMS).headers["X-Plex-Cache-Status"] == "HIT"
    ViewerSettings(unlinked=ViewerSettings.Unlinked.REFUSE).save()
    assert reason_of(client.get(ITEMS)) == "not_linked"


def test_a_hit_of_a_viewer_is_one_round_trip_and_no_query(
    anna: Viewer, shared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        anna.client.data(ITEMS)
    queries, trips = counting.queries(monkeypatch), counting.round_trips(monkeypatch)
    assert anna.client.get(ITEMS).headers["X-Plex-Cache-Status"] == "HIT"
    assert queries == []
    assert len(trips) == 1


def test_the_first_hit_of_a_viewer_in_a_worker_goes_the_full_path_once(
    anna: Viewer, shared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        anna.client.data(ITEMS)
    views.forget()
    queries, trips = counting.queries(monkeypatch), counting.round_trips(monkeypatch)
    assert anna.client.get(ITEMS).headers["X-Plex-Cache-Status"] == "HIT"
    assert len(queries) == 1
    trips.clear()
    queries.clear()
    assert anna.client.get(ITEMS).headers["X-Plex-Cache-Status"] == "HIT"
    assert (queries, len(trips)) == ([], 1)


def test_checks_that_a_slow_plex_does_not_answer_in_time_do_not_open_the_breaker(
    each_store: None, home: Simulator, viewer_of: MakeViewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewers = [viewer_of(home.add_account(f"Viewer {number}")) for number in range(FAILURES + 1)]
    for viewer in viewers:
        viewer.client.data(ITEMS)
    home.fault("slow", delay=0.5)  # less than a request may take, more than a check
    monkeypatch.setattr(access, "CHECK_SECONDS", 0.1)
    monkeypatch.setattr(access_checks, "MAX_AGE", 0)
    for viewer in viewers:
        assert viewer.client.get(ITEMS).headers["X-Plex-Cache-Status"] == "HIT"
    renewed = viewers[0].client.get(ITEMS, headers={"Cache-Control": "no-cache"})
    assert renewed.headers["X-Plex-Cache-Status"] == "MISS"
