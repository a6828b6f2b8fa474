"""A service on a cluster while slots are moved, to and from a node that has just been added."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import pytest
from redis.crc import key_slot

from medianest.store.rate_windows import PREFIX as LIMITS
from medianest.store.stamps import stamp_key
from medianest.store.values import EVERYTHING, PREFIX, VERSIONS_KEY
from plex_simulator import Simulator
from tests.redis_topologies.conftest import ITEMS, SMALL, is_hit
from tests.redis_topologies.test_service import SERVER, outcome
from tests.service import Answer, House, Person, Service, Stores, Valkey, ask, at_once, until
from tests.topologies import Cluster, Migration, identity


@dataclass(frozen=True)
class Resharded:
    """A service, its cluster, and the node that had no slots at first."""

    service: Service
    cluster: Cluster
    added: Valkey

    def migration(self, key: str) -> Migration:
        """Begin to move the slot of a key between the node that was added and another one."""
        slot = key_slot(key.encode())
        source = next(node for node in self.cluster.masters if owns(node, slot))
        target = self.cluster.masters[0] if source is self.added else self.added
        return Migration(slot, source, target)


def owns(node: Valkey, slot: int) -> bool:
    """Tell whether a node says that a slot is its own."""
    ranges = node.client.cluster("SLOTS")
    ports = [master[1] for first, last, master, *_ in ranges if first <= slot <= last]
    return ports == [node.port]


@pytest.fixture(scope="module")
def _resharded(house: House) -> Iterator[Resharded]:
    with ExitStack() as stack:
        plex = stack.enter_context(Simulator(seed=7, **SMALL))
        cluster = stack.enter_context(closing(Cluster(house.folder)))
        environment = {
            "REDIS_URL": cluster.url,
            "DATABASE_URL": house.copied(),
            "PLEX_URL": plex.url,
            "PLEX_TOKEN": plex.owner_token,
            "IS_PATIENT_WITH_REDIS": "1",
        }
        service = house.service(None, workers=2, **environment)
        stack.enter_context(closing(service))
        until(lambda: is_hit(service, house), 20, "the service is normal")
        yield Resharded(service, cluster, cluster.add_node(house.folder))


@pytest.fixture
def resharded(_resharded: Resharded, house: House) -> Resharded:
    """The service with an empty cache, where nobody is counted but the last user."""
    _resharded.cluster.clear()
    until(lambda: is_hit(_resharded.service, house), 20, "the service is normal")
    return _resharded


def refusals(cluster: Cluster) -> Counter[str]:
    """Return how often all nodes have refused a command, by the name of the error."""
    found: Counter[str] = Counter()
    for node in cluster.masters:
        for name, about in node.client.info("errorstats").items():
            found[name.removeprefix("errorstat_")] += about["count"]
    return found


def rests(answers: Sequence[Answer]) -> list[int]:
    """Return how many requests each answer leaves to its user."""
    return [int(each.headers["x-ratelimit-remaining"]) for each in answers]


@pytest.mark.parametrize("is_stamp_first", [True, False])
def test_limits_are_exact_and_hits_are_hits_while_the_slot_of_a_user_is_moved(
    resharded: Resharded, people: Sequence[Person], *, is_stamp_first: bool
) -> None:
    url, person, before = resharded.service.url, people[0], refusals(resharded.cluster)
    ask(url, SERVER, people[1].headers)
    stamp, window = stamp_key(str(person.id)), f"{LIMITS}server:{{{person.id}}}"
    first, second = (stamp, window) if is_stamp_first else (window, stamp)
    answers = at_once(url, [(SERVER, person.headers)] * 4)
    migration = resharded.migration(stamp)
    answers += at_once(url, [(SERVER, person.headers)] * 4)
    migration.move(first)
    answers += at_once(url, [(SERVER, person.headers)] * 4)
    # Another limit of the same user, whose window nobody has seen.
    others = at_once(url, [(ITEMS, person.headers)] * 4)
    migration.move(second)
    answers += at_once(url, [(SERVER, person.headers)] * 4)
    others += at_once(url, [(ITEMS, person.headers)] * 4)
    migration.finish(*resharded.cluster.masters)
    answers += at_once(url, [(SERVER, person.headers)] * 4)
    assert Counter(map(outcome, [*answers, *others])) == {"HIT": 28}
    assert sorted(rests(answers)) == list(range(20))
    assert sorted(rests(others)) == list(range(52, 60))
    assert {"ASK", "TRYAGAIN", "MOVED"} <= set(refusals(resharded.cluster) - before)
    assert outcome(ask(url, SERVER, person.headers)) == "429"


def test_while_a_user_is_split_over_two_nodes_the_limit_is_the_same(
    resharded: Resharded, people: Sequence[Person]
) -> None:
    url, person = resharded.service.url, people[2]
    ask(url, SERVER, people[1].headers)
    ask(url, SERVER, person.headers)
    migration = resharded.migration(stamp_key(str(person.id)))
    migration.move(stamp_key(str(person.id)))
    answers = at_once(url, [(SERVER, person.headers)] * 60)
    migration.finish(*resharded.cluster.masters)
    assert Counter(map(outcome, answers)) == {"HIT": 19, "429": 41}


def test_no_response_is_lost_or_stale_while_the_slots_of_the_cache_are_moved(
    resharded: Resharded, people: Sequence[Person], stores: Stores
) -> None:
    url, headers = resharded.service.url, people[3].headers
    other = stores.use(resharded.cluster.url)

    def is_seen() -> None:
        """Let another process invalidate everything: the response is loaded again, once."""
        assert outcome(ask(url, ITEMS, headers)) == "HIT"
        assert other.values.invalidate_tags([EVERYTHING])
        assert outcome(ask(url, ITEMS, headers)) == "MISS"
        assert [outcome(each) for each in at_once(url, [(ITEMS, headers)] * 2)] == ["HIT"] * 2

    response = next(
        key.decode()
        for node in resharded.cluster.masters
        for key in node.client.keys(f"{PREFIX}responses-*library-items*")
    )
    for key in (VERSIONS_KEY, response):
        migration = resharded.migration(key)
        is_seen()
        migration.move(key)
        is_seen()
        migration.finish(*resharded.cluster.masters)
        is_seen()


def key_by_key(resharded: Resharded, slot: int, source: Valkey, target: Valkey) -> None:
    """Move a slot as `redis-cli --cluster reshard` does."""
    migration = Migration(slot, source, target)
    for key in migration.rest():
        migration.move(key)
    migration.finish(*resharded.cluster.masters)


def at_one_stroke(resharded: Resharded, slot: int, source: Valkey, target: Valkey) -> None:
    """Move a slot as a whole, which Valkey does since its version 9."""
    source.client.execute_command(
        "CLUSTER MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", identity(target)
    )
    until(lambda: owns(target, slot), 20, "the slot is moved")
    until(lambda: not owns(source, slot), 20, "its node knows that")


@pytest.mark.parametrize("move", [key_by_key, at_one_stroke])
def test_limits_are_exact_and_nothing_fails_while_all_slots_are_moved_under_load(
    resharded: Resharded, people: Sequence[Person], move: Callable[..., Any]
) -> None:
    url, users = resharded.service.url, people[10:20]
    at_once(url, [(SERVER, person.headers) for person in users])

    def ask_all() -> list[list[Answer]]:
        return [at_once(url, [(SERVER, person.headers)] * 60) for person in users]

    masters, moved = resharded.cluster.masters, 0
    with ThreadPoolExecutor(1) as executor:
        done = executor.submit(ask_all)
        while not done.done() or not moved:
            for source in masters:
                target = masters[0] if source is resharded.added else resharded.added
                for slot in sorted({key_slot(key) for key in source.client.keys("*")}):
                    move(resharded, slot, source, target)
                    moved += 1
    for answers in done.result():
        assert Counter(map(outcome, answers)) == {"HIT": 19, "429": 41}
        allowed = [each for each in answers if each.status == 200]
        assert sorted(rests(allowed)) == list(range(19))
