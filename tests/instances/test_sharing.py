"""What one of two instances knows or changes holds at the other."""

import base64
import json
from collections.abc import Sequence
from functools import partial
from itertools import cycle
from urllib.parse import parse_qsl

import pytest
import requests

from plex_simulator import Simulator
from tests.admin.test_workers import Operator
from tests.instances.conftest import ENOUGH, LIBRARIES, POLICIES, Instances
from tests.service import Answer, ask, at_once, until

LIST = "/library/sections/1/all"
ITEMS = "/api/v1/plex/libraries/1/items?details=summary"
SEARCH = "/api/v1/plex/search?limit=2&query="


def cache_statuses(answers: Sequence[Answer]) -> set[str]:
    return {answer.headers.get("x-plex-cache-status", "") for answer in answers}


def warm(instances: Instances, path: str, user: dict[str, str]) -> None:
    """Let every worker have a response in its memory."""
    wanted = [(path, user)] * ENOUGH
    until(lambda: cache_statuses(instances.ask(wanted)) == {"HIT"}, 10, "all workers know it")


@pytest.mark.parametrize(
    ("paths", "limit"),
    [([f"{ITEMS}&size=1"] * 90, 60), ([f"{SEARCH}film{number}" for number in range(60)], 30)],
    ids=["cached", "not cached"],
)
def test_a_limit_is_exact_over_both(instances: Instances, paths: list[str], limit: int) -> None:
    other, user = instances.take(2)
    if len(set(paths)) == 1:
        warm(instances, paths[0], other)
    answers = instances.ask([(path, user) for path in paths])
    good = [answer for answer in answers if answer.status == 200]
    remaining = [int(answer.headers["x-ratelimit-remaining"]) for answer in good]
    assert sorted(remaining) == list(range(limit))
    assert {answer.status for answer in answers} == {200, 429}
    for service in (instances.first, instances.second):
        assert ask(service.url, paths[0], user).status == 429


def test_fifty_requests_at_both_for_what_nobody_has_loaded_are_one_request_to_plex(
    instances: Instances, shared_plex: Simulator
) -> None:
    users = instances.take(10)
    wanted = [(f"{ITEMS}&size=7", user) for user in users] * 5
    shared_plex.fault("slow", path=LIST, delay=1.0)
    answers = instances.ask(wanted)
    assert [answer.status for answer in answers] == [200] * 50
    assert shared_plex.count(LIST) == 1
    assert len({str(answer.json()["data"]) for answer in answers}) == 1


def test_a_setting_changed_at_one_takes_effect_at_the_other(
    instances: Instances, operator: Operator
) -> None:
    path, users = f"{ITEMS}&size=3", cycle(instances.take(20))

    def seen() -> set[tuple[str, str]]:
        # One user may send 60 requests a minute.
        answers = instances.ask([(path, next(users))] * ENOUGH)
        return {
            (each.headers["cache-control"], each.headers["x-ratelimit-limit"]) for each in answers
        }

    assert seen() == {("max-age=600, private", "60")}
    operator.submit(POLICIES, {"ttl-library-items": "55", "rate-library": "9000"})
    until(lambda: seen() == {("max-age=55, private", "9000")}, 5, "both use the new settings")
    operator.submit(POLICIES, {"reset": "all"})
    until(lambda: seen() == {("max-age=600, private", "60")}, 5, "both use the old settings")


def test_a_cache_cleared_at_one_is_cleared_in_the_memory_of_every_worker_of_the_other(
    instances: Instances, operator: Operator, shared_plex: Simulator
) -> None:
    users = instances.take(3)
    path = f"{ITEMS}&size=1&sort=year&start=3"
    warm(instances, path, users[0])
    (item,) = ask(instances.second.url, path, users[1]).json()["data"]["items"]
    address = f"{shared_plex.url}/simulator/items/{item['ratingKey']}"
    assert requests.put(address, json={"title": "Renamed"}, timeout=10).ok
    assert titles(instances.ask([(path, users[1])] * ENOUGH)) == {item["title"]}
    post(operator, "plex_integration/cachestatus/clear/", what="everything", confirmed="yes")
    assert titles(instances.ask([(path, users[2])] * ENOUGH)) == {"Renamed"}
    assert shared_plex.count(LIST) == 2


def titles(answers: Sequence[Answer]) -> set[str]:
    return {answer.json()["data"]["items"][0]["title"] for answer in answers}


def post(operator: Operator, path: str, **values: str) -> None:
    """Press a button of the admin."""
    values["csrfmiddlewaretoken"] = operator.cookies["csrftoken"]
    done = operator.post(f"{operator.root}/admin/{path}", values, allow_redirects=False, timeout=20)
    assert done.status_code == 302, done.text


def test_tokens_revoked_at_one_are_refused_by_the_other_at_once(
    instances: Instances, operator: Operator
) -> None:
    (user,) = instances.take()
    path = f"{ITEMS}&size=2"
    warm(instances, path, user)
    _, payload, _ = user["Authorization"].split(".")
    key = json.loads(base64.urlsafe_b64decode(payload + "=="))["user_id"]
    post(operator, "accounts/user/", action="revoke_all_tokens", _selected_action=key)
    answers = at_once(instances.second.url, [(path, user)] * ENOUGH)
    assert {answer.status for answer in answers} == {401}


def test_a_plex_account_linked_or_unlinked_at_one_decides_at_once_what_the_other_shows(
    instances: Instances, shared_plex: Simulator
) -> None:
    (user,) = instances.take()
    first, second = instances.first.url, instances.second.url
    friend = shared_plex.add_account("Nadia", libraries=["2"])

    def libraries() -> set[str]:
        answers = at_once(second, [(LIBRARIES, user)] * 8)
        return {
            str([each["id"] for each in answer.json()["data"]["libraries"]]) for answer in answers
        }

    everything = libraries()
    assert everything != {"['2']"}
    pin = requests.post(f"{first}/api/v1/auth/plex/pins", headers=user, timeout=30).json()["data"]
    query = dict(parse_qsl(pin["authUrl"].partition("#?")[2]))
    form = {"code": pin["code"], "clientID": query["clientID"], "account": friend.uuid}
    assert requests.post(f"{shared_plex.url}/auth", data=form, timeout=30).ok
    secret = {**user, "X-Pin-Secret": pin["secret"]}
    # Either instance may have asked plex.tv.
    for url in (first, second):
        address = f"{url}/api/v1/auth/plex/pins/{pin['id']}"
        until(partial(is_complete, address, secret), 20, "the account is linked")
    assert libraries() == {"['2']"}
    assert requests.delete(f"{first}/api/v1/auth/plex", headers=user, timeout=30).ok
    assert libraries() == everything


def is_complete(address: str, headers: dict[str, str]) -> bool:
    found = requests.get(address, headers=headers, timeout=30).json()
    return bool(found["data"]["status"] == "complete")


def test_a_signed_link_to_a_picture_from_one_is_valid_at_the_other(instances: Instances) -> None:
    (user,) = instances.take()
    (item,) = ask(instances.first.url, f"{ITEMS}&size=1", user).json()["data"]["items"]
    picture = ask(instances.second.url, item["thumbUrl"])
    assert (picture.status, picture.headers["content-type"]) == (200, "image/jpeg")
