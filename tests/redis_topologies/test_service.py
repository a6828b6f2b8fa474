"""The service behind Sentinel: cache, limits, locks, revocation, listener, and a failover."""

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import count, cycle

from tests.invalidation.conftest import Listening
from tests.limits.test_revocation import Shell, access
from tests.redis_topologies.conftest import ITEMS, Replaceable
from tests.service import Answer, House, Person, ask, at_once, until

SERVER = "/api/v1/plex/server"
MISSES = "/api/v1/plex/libraries/1/items?size=1&start={}"


def outcome(answer: Answer) -> str:
    """Return how an answer came: its cache status, or the number of an error."""
    return answer.headers["x-plex-cache-status"] if answer.status == 200 else str(answer.status)


def test_limits_are_exact_over_both_workers_and_hits_count(
    replaceable: Replaceable, people: Sequence[Person]
) -> None:
    ask(replaceable.service.url, SERVER, people[0].headers)
    for person in people[1:4]:
        answers = at_once(replaceable.service.url, [(SERVER, person.headers)] * 60)
        assert Counter(map(outcome, answers)) == {"HIT": 20, "429": 40}
        rests = [int(a.headers["x-ratelimit-remaining"]) for a in answers if a.status == 200]
        assert sorted(rests) == list(range(20))


def test_100_equal_misses_over_both_workers_ask_plex_once(
    replaceable: Replaceable, people: Sequence[Person]
) -> None:
    replaceable.plex.fault("slow", delay=0.3)
    path = MISSES.format(7)
    answers = at_once(
        replaceable.service.url, [(path, people[turn % 20].headers) for turn in range(100)]
    )
    assert {answer.status for answer in answers} == {200}
    requested = Counter(
        f"{each.path}{sorted(each.query.items())}" for each in replaceable.plex.requests
    )
    assert set(requested.values()) == {1}, requested


def test_a_token_that_is_revoked_in_another_process_is_refused_at_once(
    replaceable: Replaceable,
) -> None:
    with closing(Shell(replaceable.environment)) as shell:
        shell.run("user = User.objects.create(username='changed', password='!')")
        headers = access(shell)
        answers = at_once(replaceable.service.url, [(ITEMS, headers)] * 8)
        assert {answer.status for answer in answers} == {200}
        shell.run("user.revoke_tokens()")
        answers = at_once(replaceable.service.url, [(ITEMS, headers)] * 8)
        assert {answer.status for answer in answers} == {401}
        shell.run("user.delete()")


def test_a_write_that_is_repeated_at_once_is_done_once(
    replaceable: Replaceable, house: House
) -> None:
    plex, writer = replaceable.plex, house.writers[0]
    body = {"title": "Once", "items": [plex.catalogue.items("1", "movie")[0].rating_key]}
    path = "/api/v1/plex/libraries/1/collections"
    request = (path, writer.headers | {"Idempotency-Key": "once"})
    answers = at_once(replaceable.service.url, [request] * 6, body)
    assert {answer.status for answer in answers} <= {201, 409, 503}
    assert at_once(replaceable.service.url, [request] * 6, body)[0].status == 201
    assert [each.title for each in plex.catalogue.collections("1")].count("Once") == 1


def test_a_change_in_plex_is_seen_after_the_listener_has_received_it(
    replaceable: Replaceable, people: Sequence[Person], house: House
) -> None:
    service, plex = replaceable.service, replaceable.plex
    key = plex.catalogue.items("1", "movie")[0].rating_key
    path = "/api/v1/plex/libraries/1/items?size=50&sort=addedAt:desc"
    users = cycle(people[:36])  # one of them alone may not ask so often

    def answer() -> Answer:
        return ask(service.url, path, next(users).headers)

    def is_seen(title: str) -> bool:
        return any(each["title"] == title for each in answer().json()["data"]["items"])

    until(lambda: outcome(answer()) == "HIT", 10, "the page is cached")
    plex.catalogue.change(key, title="Changed before")
    listening = Listening(house.folder, replaceable.environment)
    try:
        until(lambda: is_seen("Changed before"), 60, "the listener has cleared the cache")
        plex.catalogue.change(key, title="Changed in Plex")
        until(lambda: is_seen("Changed in Plex"), 10, "the change is seen")
    finally:
        listening.kill()


class Stream:
    """Requests of many users without a pause, hits and misses, until it is stopped."""

    def __init__(self, service_url: str, people: Sequence[Person]) -> None:
        self._url, self._people = service_url, people
        self._is_over = threading.Event()
        self.answers: list[Answer] = []

    def run(self) -> None:
        for turn in count():
            if self._is_over.wait(0.05):
                return
            people = [self._people[(turn * 4 + each) % len(self._people)] for each in range(4)]
            paths = (ITEMS, SERVER, ITEMS, MISSES.format(turn % 50))
            requests = [(path, each.headers) for path, each in zip(paths, people, strict=True)]
            self.answers += at_once(self._url, requests)

    def outcomes(self) -> Counter[str]:
        return Counter(map(outcome, self.answers))

    def is_normal(self) -> bool:
        """Tell whether the last answers are hits of a Redis that works."""
        return "HIT" in map(outcome, self.answers[-4:]) and "BYPASS" not in map(
            outcome, self.answers[-24:]
        )

    def stop(self) -> None:
        self._is_over.set()


def test_a_failover_costs_no_5xx_and_the_service_uses_the_new_master(
    replaceable: Replaceable, people: Sequence[Person]
) -> None:
    redis, stream = replaceable.redis, Stream(replaceable.service.url, people[:36])
    with ThreadPoolExecutor(1) as executor:
        done: Future[None] = executor.submit(stream.run)
        try:
            until(lambda: stream.outcomes()["HIT"] > 8, 20, "hits are served")
            for replace in redis.failovers():
                replace()
                until(redis.is_promoted, 90, "another server is the master")
                redis.forget_limits()
                until(lambda: redis.limits() and stream.is_normal(), 20, "it is used")
        finally:
            stream.stop()
        done.result()
    assert set(stream.outcomes()) <= {"HIT", "MISS", "BYPASS", "STALE", "429"}, stream.outcomes()
