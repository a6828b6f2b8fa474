"""The page of cache times and rate limits: shown, refused, changed and reset values."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser

from accounts.throttling import LIMITS as SIGN_IN_LIMITS
from plex_integration.admin.labels import ENDPOINT_LABELS, duration
from plex_integration.admin.policies import LIMIT_LABELS
from plex_integration.configuration.models import PolicyChange
from plex_integration.policies import CATALOG, ENDPOINTS
from plex_integration.policies import LIMITS as ENDPOINT_LIMITS
from tests.admin.conftest import POLICIES, messages_of, shown
from tests.conftest import Client

LIMITS = (*ENDPOINT_LIMITS, *SIGN_IN_LIMITS)
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
    for endpoint in ENDPOINTS:
        words = duration(endpoint.ttl)
        assert f" {ENDPOINT_LABELS[endpoint.name]} {words} {endpoint.ttl} ({words}) " in text
    for limit in LIMITS:
        assert f" {LIMIT_LABELS[limit]} " in text
    assert "Reset to" not in text


def test_every_endpoint_is_shown_with_its_path() -> None:
    assert ENDPOINT_LABELS["library-items"] == "/libraries/:libraryKey/items"
    assert ENDPOINT_LABELS["image-paths"] == "/items/:ratingKey/images/:kind"
    assert set(ENDPOINT_LABELS) == {each.name for each in (*ENDPOINTS, CATALOG)}
    assert len(set(ENDPOINT_LABELS.values())) == len(ENDPOINT_LABELS)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (60, "1 min"), (90, "1 min 30 s"), (1800, "30 min"), (86400, "24 h")],
)
def test_durations_are_shown_in_words(seconds: int, words: str) -> None:
    assert duration(seconds) == words


def test_a_cache_time_is_changed_and_reset_with_one_click(boss: Browser, api: Client) -> None:
    assert save(boss, ttl_libraries=5).status_code == 302
    assert changed() == {"ttl-libraries": 5}
    assert (
        api.get("/plex/libraries").headers["Cache-Control"]
        == "max-age=5, private, stale-while-revalidate=60"
    )
    page = boss.get(POLICIES)
    assert "Reset to 1800" in shown(page)
    assert boss.post(POLICIES, {"reset": "ttl-libraries"}).status_code == 302
    assert changed() == {}
    assert (
        api.get("/plex/libraries").headers["Cache-Control"]
        == "max-age=1800, private, stale-while-revalidate=60"
    )


def test_a_changed_rate_limit_applies_to_the_next_request(boss: Browser, api: Client) -> None:
    assert api.get("/plex/search?query=an").headers["X-RateLimit-Limit"] == "30"
    save(boss, rate_search=2)
    assert api.get("/plex/search?query=an").headers["X-RateLimit-Limit"] == "2"
    api.error("/plex/search?query=an", 429, "RATE_LIMIT_EXCEEDED")
    boss.post(POLICIES, {"reset": "all"})
    assert api.get("/plex/search?query=an").headers["X-RateLimit-Remaining"] == "27"


def test_with_a_cache_time_of_zero_every_request_loads_from_plex(
    boss: Browser, api: Client, plex: Any
) -> None:
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


def test_a_setting_with_the_documented_value_has_no_row(boss: Browser) -> None:
    assert messages_of(save(boss)) == ["No changes."]
    save(boss, ttl_server=60, rate_server=5)
    assert changed() == {"ttl-server": 60, "rate-server": 5}
    assert messages_of(save(boss))[-1] == "2 settings saved. Takes effect within 5 seconds."
    assert changed() == {}
    boss.post(POLICIES, {"reset": "nonsense"})
    assert LogEntry.objects.count() == 4


def test_every_change_is_in_the_log_with_both_values(boss: Browser) -> None:
    save(boss, ttl_server=60)
    boss.post(POLICIES, {"reset": "ttl-server"})
    notes = [each.get_change_message() for each in LogEntry.objects.order_by("pk")]
    assert notes == [
        "Changed cache time of /server from 1800 to 60 seconds.",
        "Reset cache time of /server from 60 to 1800 seconds.",
    ]


def test_the_number_of_saved_settings_is_reported(boss: Browser) -> None:
    saved = messages_of(save(boss, ttl_server=60))
    assert saved == ["1 setting saved. Takes effect within 5 seconds."]


def test_staff_need_permissions_to_see_and_to_change(staff: Callable[..., Browser]) -> None:
    viewer = staff("view_policychange")
    page = viewer.get(POLICIES)
    assert page.status_code == 200
    assert "<button" not in page.content.decode().partition('id="content"')[2]
    assert save(viewer, ttl_server=60).status_code == 403
    assert changed() == {}


def test_staff_without_permission_see_nothing(staff: Callable[..., Browser]) -> None:
    assert staff().get(POLICIES).status_code == 403
