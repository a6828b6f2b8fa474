"""The policies' page: what is shown, what is refused, and that all workers obey it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser

from plex_integration.configuration.models import PolicyChange
from plex_integration.policies import ENDPOINTS, LIMITS
from tests.admin.conftest import POLICIES, shown, told
from tests.conftest import Client

VALUES = {f"ttl-{each.name}": each.ttl for each in ENDPOINTS} | {
    f"rate-{each.scope}": each.requests for each in LIMITS
}


def save(boss: Browser, **changes: Any) -> Any:
    given = {name.replace("_", "-"): value for name, value in changes.items()}
    return boss.post(POLICIES, VALUES | given)


def changed() -> dict[str, int]:
    return {f"{each.kind}-{each.name}": each.value for each in PolicyChange.objects.all()}


def test_every_value_is_shown_beside_the_documented_one(boss: Browser) -> None:
    page = boss.get(POLICIES)
    form = page.context["form"]
    assert {name: form.initial[name] for name in form.fields} == VALUES
    text = shown(page)
    for each in (*ENDPOINTS, *LIMITS):
        name = getattr(each, "name", getattr(each, "scope", ""))
        assert f" {name} " in text
    assert "Back to" not in text


def test_a_time_to_live_is_changed_and_set_back_with_one_click(boss: Browser, api: Client) -> None:
    assert save(boss, ttl_libraries=5).status_code == 302
    assert changed() == {"ttl-libraries": 5}
    assert api.get("/plex/libraries").headers["Cache-Control"] == "max-age=5, private"
    page = boss.get(POLICIES)
    assert "Back to 1800" in shown(page)
    assert boss.post(POLICIES, {"back": "ttl-libraries"}).status_code == 302
    assert changed() == {}
    assert api.get("/plex/libraries").headers["Cache-Control"] == "max-age=1800, private"


def test_a_rate_is_obeyed_by_the_next_request(boss: Browser, api: Client) -> None:
    assert api.get("/plex/search?query=an").headers["X-RateLimit-Limit"] == "30"
    save(boss, rate_search=2)
    assert api.get("/plex/search?query=an").headers["X-RateLimit-Limit"] == "2"
    api.error("/plex/search?query=an", 429, "RATE_LIMIT_EXCEEDED")
    boss.post(POLICIES, {"back": "all"})
    assert api.get("/plex/search?query=an").headers["X-RateLimit-Remaining"] == "27"


def test_with_a_time_of_zero_every_request_asks_plex(boss: Browser, api: Client, plex: Any) -> None:
    save(boss, ttl_on_deck=0)
    statuses = [api.get("/plex/on-deck").headers["X-Plex-Cache-Status"] for _ in range(3)]
    assert statuses == ["MISS"] * 3
    plex.fault("status", status=500)
    assert api.get("/plex/on-deck").headers["X-Plex-Cache-Status"] == "STALE"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ttl-server", "-1"),
        ("ttl-server", "86401"),
        ("ttl-server", "ten"),
        ("ttl-server", ""),
        ("ttl-server", "1.5"),
        ("rate-server", "0"),
        ("rate-server", "10001"),
    ],
)
def test_a_value_out_of_bounds_changes_nothing(boss: Browser, name: str, value: str) -> None:
    refused = boss.post(POLICIES, VALUES | {"ttl-search": 7, name: value})
    assert refused.status_code == 200
    assert list(refused.context["form"].errors) == [name]
    assert changed() == {}


def test_saving_the_documented_values_keeps_no_row(boss: Browser) -> None:
    assert told(save(boss)) == ["Nothing was changed."]
    save(boss, ttl_server=60, rate_server=5)
    assert changed() == {"ttl-server": 60, "rate-server": 5}
    assert told(save(boss))[-1] == "2 changed; in force within 5 seconds."
    assert changed() == {}
    boss.post(POLICIES, {"back": "nonsense"})
    assert LogEntry.objects.count() == 4


def test_every_change_is_in_the_log_with_both_values(boss: Browser) -> None:
    save(boss, ttl_server=60)
    boss.post(POLICIES, {"back": "ttl-server"})
    notes = [each.get_change_message() for each in LogEntry.objects.order_by("pk")]
    assert notes == [
        "server, seconds: from 1800 to 60.",
        "server, seconds: from 60 to 1800, as documented.",
    ]


def test_staff_need_the_right_to_see_and_to_change(staff: Callable[..., Browser]) -> None:
    viewer = staff("view_policychange")
    page = viewer.get(POLICIES)
    assert page.status_code == 200
    assert "<button" not in page.content.decode().partition('id="content"')[2]
    assert save(viewer, ttl_server=60).status_code == 403
    assert changed() == {}


def test_staff_without_the_right_see_nothing(staff: Callable[..., Browser]) -> None:
    assert staff().get(POLICIES).status_code == 403
