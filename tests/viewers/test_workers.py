"""A token that Plex has replaced, with many requests of its viewer on two workers."""

from contextlib import closing
from typing import Any

import pytest

from plex_simulator import Simulator
from tests.service import House, Valkey, at_once
from tests.viewers.conftest import LIST, RESOURCES, Viewer, started_with

ITEMS = "/api/v1/plex/libraries/1/items?details=summary&size=3&start="


@pytest.mark.slow
def test_a_replaced_token_is_renewed_once_for_twenty_requests_on_two_workers(
    anna: Viewer, home: Simulator, house: House, shared: Any, valkey: Valkey
) -> None:
    with closing(started_with(house, valkey, home)) as service:
        before = at_once(service.url, [(f"{ITEMS}{number}", anna.headers) for number in range(20)])
        assert [answer.status for answer in before] == [200] * 20
        home.rotate_server_token(anna.account)
        home.fault(
            "slow", path=LIST, delay=0.3
        )  # so that all have the old token when it is refused
        home.reset_requests()
        renewed = anna.headers | {"Cache-Control": "no-cache"}
        after = at_once(service.url, [(f"{ITEMS}{number}", renewed) for number in range(20)])
        assert [answer.status for answer in after] == [200] * 20
        assert home.count(RESOURCES) == 1
