"""Every limit of the document, with 200 requests at once to four workers of eight threads."""

from collections.abc import Sequence

import pytest

from medianest.api.limits import Limit
from plex_integration import policies
from tests.service import Person, Service, ask, at_once

PATHS = {
    "server": ["/server"],
    "library": ["/libraries", "/libraries/1/items?size=2"],
    "search": ["/search?query=the&limit=2"],
    "recent": ["/recently-added?limit=2"],
    "collections": ["/libraries/1/collections?size=2", "/collections/{collection}?size=2"],
}
DOCUMENTED = {"server": 20, "library": 60, "search": 30, "recent": 20, "collections": 40}
LIMITS = [
    policies.SERVER_INFO,
    policies.LIBRARY_OPERATIONS,
    policies.SEARCHES,
    policies.RECENT,
    policies.COLLECTION_OPERATIONS,
]


@pytest.fixture
def paths(service: Service, people: Sequence[Person], plex: object) -> dict[str, list[str]]:
    """Every scope's paths, each requested once before, so that Plex's pace is no matter."""
    listed = ask(service.url, f"/api/v1/plex{PATHS['collections'][0]}", people[-1].headers)
    collection = listed.json()["data"]["collections"][0]["ratingKey"]
    filled = {
        scope: [f"/api/v1/plex{path.format(collection=collection)}" for path in wanted]
        for scope, wanted in PATHS.items()
    }
    for wanted in filled.values():
        for path in wanted:
            assert ask(service.url, path, people[-1].headers).status == 200
    return filled


def test_the_limits_are_the_documented_five() -> None:
    assert {limit.scope: limit.requests for limit in LIMITS} == DOCUMENTED


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.scope)
def test_of_200_requests_at_once_exactly_the_documented_number_is_answered(
    limit: Limit, service: Service, people: Sequence[Person], paths: dict[str, list[str]]
) -> None:
    wanted = paths[limit.scope]
    for person in people[:5]:
        requests = [(wanted[turn % len(wanted)], person.headers) for turn in range(200)]
        answers = at_once(service.url, requests)
        good = [answer for answer in answers if answer.status == 200]
        refused = [answer for answer in answers if answer.status == 429]
        assert len(good) == limit.requests
        assert len(refused) == 200 - limit.requests
        # Each place was given out once: that many answers tell that many different rests.
        rests = sorted(int(answer.headers["x-ratelimit-remaining"]) for answer in good)
        assert rests == list(range(limit.requests))
        for answer in refused:
            assert answer.headers["x-ratelimit-limit"] == str(limit.requests)
            assert answer.headers["x-ratelimit-remaining"] == "0"
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            error = answer.json()["error"]
            assert error["code"] == "RATE_LIMIT_EXCEEDED"
            assert error["details"] == {
                "limit": limit.requests,
                "window": 60,
                "retryAfter": int(answer.headers["retry-after"]),
            }
