"""Requests of many users at once, in many variants, over persistent connections."""

import gzip
import http.client
import random
import threading
from collections import Counter
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from tests.viewers.comparison import Actor, Comparison, Received, Sent
from tests.viewers.expectations import Case

CLIENTS = 12
COMPARED = "ratingKey,type,playbackProgress,viewedLeafCount"
"""The members of items that the comparison reads."""
VARIANTS = {
    "plain": 44,
    "gzip": 14,
    "renewed": 3,
    "head": 8,
    "conditional": 12,
    "sparse": 6,
    "page": 2,
    "link": 6,
    "forged link": 5,
}
"""How a request can be sent, and how often of 100 it is sent so."""
FAILURES = ("PLEX_SERVER_UNAVAILABLE", "PLEX_API_ERROR")


class Traffic:
    """Sends requests to a service in front of a Plex. `seed` decides on them and on their order."""

    def __init__(
        self, url: str, plex_url: str, actors: Sequence[Actor], cases: Sequence[Case], seed: int
    ) -> None:
        self._address, self._plex_url = urlsplit(url).netloc, plex_url
        self._actors, self._cases = list(actors), list(cases)
        self._random = random.Random(seed)
        self._comparison = Comparison()

    @property
    def leaks(self) -> Sequence[str]:
        return self._comparison.leaks

    @property
    def compared(self) -> Counter[str]:
        """How many responses were compared, by variant."""
        return self._comparison.compared

    def expect(self) -> None:
        """Ask Plex what everybody must see from now on."""
        self._comparison.expected = {
            actor.name: actor.expected(self._plex_url, self._cases) for actor in self._actors
        }

    def end_links(self, *names: str) -> None:
        """Expect the links that these users got until now to be refused."""
        self._comparison.end_links(names)

    def send(self, requests: int, *, allowed: Collection[str] = ()) -> None:
        """Send so many requests.

        An error whose code is `allowed` may come in place of any response.
        """
        self._comparison.allowed = allowed
        order = self._order(requests)
        threads = [
            threading.Thread(target=self._send_all, args=(order[number::CLIENTS],))
            for number in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._comparison.add_foreign_hits()

    def renewed(self, name: str, path: str) -> Received:
        """Return a response that is loaded anew for a user."""
        (actor,) = (each for each in self._actors if each.name == name)
        headers = _authorized(actor) | {"Cache-Control": "no-cache"}
        connection = http.client.HTTPConnection(self._address, timeout=60)
        connection.request("GET", f"/api/v1{path}", headers=headers)
        received = _received(connection.getresponse())
        connection.close()
        return received

    def _order(self, requests: int) -> Sequence[tuple[Actor, Case, str]]:
        """Return requests, half of them in waves: everybody sends the same at the same moment."""
        order: list[tuple[Actor, Case]] = []
        while len(order) < requests:
            case = self._random.choice(self._cases)
            wave = self._random.sample(self._actors, len(self._actors))
            order += [(actor, case) for actor in wave]
            order += [(self._random.choice(wave), self._random.choice(self._cases)) for _ in wave]
        variants = self._random.choices([*VARIANTS], [*VARIANTS.values()], k=requests)
        return [(*each, variant) for each, variant in zip(order, variants, strict=False)]

    def _send_all(self, order: Sequence[tuple[Actor, Case, str]]) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=60)
        for number, (actor, case, variant) in enumerate(order):
            sent = self._link(actor, case, variant, number) or self._direct(
                actor, case, variant, number
            )
            connection.request(sent.method, sent.path, headers=sent.headers)
            self._comparison.add(sent, _received(connection.getresponse()))
        connection.close()

    def _link(self, actor: Actor, case: Case, variant: str, number: int) -> Sent | None:
        """Return a request that follows a signed link; None where there is none yet."""
        if variant not in ("link", "forged link"):
            return None
        comparison = self._comparison
        find = comparison.links if variant == "link" else comparison.forged_links
        links = find(actor)
        path = links[number % len(links)] if links else None
        return Sent(actor, case, variant, "GET", path, {}) if path else None

    def _direct(self, actor: Actor, case: Case, variant: str, number: int) -> Sent:
        """Return a request with a token; a plain one where the variant is not possible."""
        path, method, more = f"/api/v1{case.path}", "GET", {}
        etags = self._comparison.etags(case)
        match variant:
            case "gzip":
                more = {"Accept-Encoding": "gzip"}
            case "renewed":
                more = {"Cache-Control": "no-cache"}
            case "head":
                method = "HEAD"
            case "sparse" if case.endpoint != "plex-item-image":
                path += f"{'&' if '?' in path else '?'}fields={COMPARED}"
            case "page" if case.endpoint != "plex-item-image":
                more = {"Accept": "text/html"}
            case "conditional" if etags:
                more = {"If-None-Match": etags[number % len(etags)]}
            case _:
                variant = "plain"
        return Sent(actor, case, variant, method, path, _authorized(actor) | more)


def _authorized(actor: Actor) -> dict[str, str]:
    return {"Authorization": f"Bearer {actor.access}"}


def _received(answer: http.client.HTTPResponse) -> Received:
    headers = {name.lower(): value for name, value in answer.getheaders()}
    body = answer.read()
    if headers.get("content-encoding") == "gzip" and body:
        body = gzip.decompress(body)
    return Received(answer.status, headers, body)
