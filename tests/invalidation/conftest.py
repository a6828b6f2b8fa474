"""A simulated Plex whose catalogue changes, the service, and `manage.py plex_listen`."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plex_simulator import Simulator
from tests.pace import Stopwatch
from tests.service import Answer, House, Process, Service, Valkey, ask, until

TOKEN = "a-token-that-no-log-line-may-hold-4711"
VERSIONS = "medianest:cache:versions"


class Listening(Process):
    """`manage.py plex_listen`, and what it has logged so far."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        number = len(list(folder.glob("listen-*.log")))
        argv = [sys.executable, "manage.py", "plex_listen"]
        super().__init__(argv, folder / f"listen-{number}.log", environment)

    @property
    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def says(self, words: str) -> int:
        """Tell how many lines hold these words."""
        return sum(words in line for line in self.lines)

    def end(self, number: signal.Signals) -> tuple[int, bool]:
        """Send a signal; return the exit code, and whether it came at once."""
        watch = Stopwatch()
        self.send(number)
        return self._popen.wait(10), watch.keeps(1)

    def code(self) -> int:
        """Wait for the end; return the exit code."""
        return self._popen.wait(60)


class Freshness:
    """What one user of the service sees, and what the listener has dropped."""

    def __init__(self, service: Service, valkey: Valkey, headers: dict[str, str]) -> None:
        self._service, self._valkey, self._headers = service, valkey, headers

    def ask(self, path: str) -> Answer:
        answer = ask(self._service.url, f"/api/v1/plex{path}", self._headers)
        assert answer.status == 200, answer.body
        return answer

    def data(self, path: str) -> Any:
        return self.ask(path).json()["data"]

    def status(self, path: str) -> str:
        return self.ask(path).headers["x-plex-cache-status"]

    def cache(self, *paths: str) -> None:
        """Have the responses to these paths cached."""
        for path in paths:
            self.ask(path)
            assert self.status(path) == "HIT", path

    def dropped(self) -> dict[str, str]:
        """Return what was dropped, and when last."""
        versions = json.loads(self._valkey.client.get(VERSIONS) or b"{}")
        # Each tag begins with its server. The tag of a whole server is "server".
        tags = {tag.partition("/")[2]: moment for tag, moment in versions.items() if "/" in tag}
        return {{"server": "everything"}.get(tag, tag): moment for tag, moment in tags.items()}

    def within_2_seconds(self, tag: str, change: Callable[[], object]) -> None:
        """Change something, and wait until a tag is dropped for it."""
        before = self.dropped().get(tag)
        change()
        until(lambda: self.dropped().get(tag) != before, 2, f"{tag} is dropped")


@pytest.fixture(scope="session")
def _changing() -> Iterator[Simulator]:
    with Simulator(
        seed=7, edge_cases=True, movies=60, shows=6, artists=4, owner_token=TOKEN
    ) as simulator:
        yield simulator


@pytest.fixture
def changing(_changing: Simulator) -> Iterator[Simulator]:
    """A simulated Plex that nobody else uses."""
    yield _changing
    _changing.heal()
    assert not any(TOKEN in str(each) for each in _changing.requests), "only in the header"


@pytest.fixture(scope="session")
def _listened_service(house: House, _valkey: Valkey, _changing: Simulator) -> Iterator[Service]:
    service = house.service(
        _valkey,
        workers=2,
        DATABASE_URL=house.copied(),
        PLEX_URL=_changing.url,
        PLEX_TOKEN=TOKEN,
        PLEX_TIMEOUT="3",
    )
    yield service
    service.close()


@pytest.fixture
def freshness(
    _listened_service: Service,
    valkey: Valkey,
    house: House,
    changing: Simulator,
) -> Freshness:
    """An empty store, and a user."""
    return Freshness(_listened_service, valkey, house.people[0].headers)


@pytest.fixture
def listen(house: House, valkey: Valkey, changing: Simulator) -> Iterator[Callable[..., Listening]]:
    """Start `manage.py plex_listen`; whatever it logs, the token is not in it."""
    started: list[Listening] = []

    def start(**environment: str) -> Listening:
        given = house.environment | {
            "REDIS_URL": valkey.url,
            "DATABASE_URL": house.copied(),
            "PLEX_URL": changing.url,
            "PLEX_TOKEN": TOKEN,
            "IS_PATIENT_WITH_REDIS": "1",
        }
        started.append(Listening(house.folder, given | environment))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        log = each.log.read_text()
        assert log
        assert TOKEN not in log
        assert "Traceback" not in log, log


@pytest.fixture
def listening(
    listen: Callable[..., Listening],
    freshness: Freshness,
    changing: Simulator,
    request: pytest.FixtureRequest,
) -> Listening:
    """A listener that Plex and Redis know of; a parameter is a part of its environment."""
    changing.drop_listeners()  # of those who went without a word
    process = listen(**getattr(request, "param", {}))
    until(lambda: changing.broadcast.listeners, 30, "Plex has a listener")
    until(lambda: "everything" in freshness.dropped(), 2, "all is dropped once")
    return process
