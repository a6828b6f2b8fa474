"""The service stays as cheap as it is, beside other ways to do the same.

If one has changed for a good reason, write the measured ratios to `tests/benchmarks/ratios.json`:
the second test fails when the recorded ones are so old that they would not notice a slower service.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from plex_simulator import Simulator
from tests.benchmarks.ratios import RATIOS, Contest, fallen, recorded
from tests.service import House, Valkey

MIN_ROUNDS, MAX_ROUNDS = 10, 60

# A round takes a third of a second, and several on a machine that does much else.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ratios"), pytest.mark.timeout(600)]


@pytest.fixture
def environment(house: House, valkey: Valkey, plex: Simulator, tmp_path: Path) -> dict[str, str]:
    """What the processes run with; Plex is healthy, and Valkey empty."""
    return house.environment | {
        "REDIS_URL": valkey.url,
        "IS_PATIENT_WITH_REDIS": "1",
        "ANSWERS": str(tmp_path),
    }


@pytest.fixture
def tokens(house: House) -> list[str]:
    return [person.access for person in house.people]


@pytest.fixture
def contest(environment: dict[str, str], tokens: list[str]) -> Iterator[Contest]:
    with closing(Contest(environment, tokens)) as contest:
        yield contest


def test_no_ratio_has_fallen_by_a_quarter(contest: Contest) -> None:
    for turn in range(MAX_ROUNDS):
        contest.run_round()
        # More rounds only while a ratio is too low: the machine may have been busy.
        if turn + 1 >= MIN_ROUNDS and not fallen(contest.ratios(), recorded()):
            break
    assert not fallen(contest.ratios(), recorded()), contest.ratios()


def test_a_service_that_does_everything_four_times_is_noticed(
    environment: dict[str, str], tokens: list[str]
) -> None:
    with closing(Contest(environment, tokens, repeated=4)) as contest:
        for _ in range(MIN_ROUNDS):
            contest.run_round()
    assert set(fallen(contest.ratios(), recorded())) == set(RATIOS), contest.ratios()
