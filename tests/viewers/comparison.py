"""Compare each response with what Plex itself says to the user who gets it.

A leak is a response that differs from that: in its facts, with another user's signed links, 304 for
another user's data, or a hit on what nobody has loaded for this user.
"""

import html
import json
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from plex_simulator.models import Account
from tests.viewers.expectations import Case, Facts, Plex

JPEG = b"\xff\xd8"
_VIEW = re.compile(r"viewer=([\w.-]+)")
_SHOWN_KEY = re.compile(r'"ratingKey": ?"(\d+)"')
_EXPECTED_KEY = re.compile(r"'(\d{4,})'")


@dataclass(frozen=True)
class Actor:
    """A user of the service, and the account as which the user should see Plex.

    The account is None for a user whose link is revoked, and the owner's for one without a link.
    """

    name: str
    access: str = field(repr=False)
    account: Account | None = field(repr=False)

    @property
    def viewer(self) -> str:
        """Return the id that the user's signed links name; "" for the service's own view."""
        if self.account is None or self.account.is_owner:
            return ""
        return str(self.account.plex_tv_id)

    def expected(self, url: str, cases: Iterable[Case]) -> dict[str, Facts]:
        """Return the facts of each case, or the code of its error, by its path."""
        if self.account is None or not self.account.has_access:
            return {case.path: "PLEX_LINK_REQUIRED" for case in cases}
        plex = Plex(url, self.account)
        return {case.path: case.expected(plex) for case in cases}


@dataclass(frozen=True)
class Sent:
    """A request: by whom, for what, and how; `path` is that of the case or a signed link."""

    actor: Actor
    case: Case
    variant: str
    method: str
    path: str
    headers: dict[str, str] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.actor.name}, {self.method} {self.path} ({self.variant})"


@dataclass(frozen=True)
class Received:
    """A response; names of headers are lower case, the body is unpacked."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """Return the code of an error."""
        return str(json.loads(self.body)["error"]["code"])

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


class Comparison:
    """What everybody must see, and what has been seen of ETags, signed links, loads and hits."""

    def __init__(self) -> None:
        self.expected: dict[str, dict[str, Facts]] = {}
        self.allowed: Collection[str] = ()
        self.leaks: list[str] = []
        self.compared: Counter[str] = Counter()
        self._facts_of_etags: dict[str, Facts] = {}
        self._etags: dict[str, list[str]] = defaultdict(list)
        self._links: dict[str, list[str]] = defaultdict(list)
        self._ended_links: list[str] = []
        self._loads: set[tuple[str, str]] = set()
        self._hits: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def etags(self, case: Case) -> Sequence[str]:
        """Return the ETags that anybody has got for a case."""
        return self._etags[case.path]

    def links(self, actor: Actor) -> Sequence[str]:
        """Return the signed links that a user has got and that must work."""
        return self._links[actor.name]

    def forged_links(self, actor: Actor) -> Sequence[str]:
        """Return links of other views as ones of this user's view, and those that have ended."""
        own = next((_VIEW.search(link) for link in self._links[actor.name]), None)
        if own is None:
            return list(self._ended_links)
        others = [links for name, links in self._links.items() if name != actor.name]
        foreign = [link for links in others for link in links if _VIEW.search(link)]
        return [*self._ended_links, *(_VIEW.sub(own[0], link) for link in foreign)]

    def end_links(self, names: Iterable[str]) -> None:
        """Expect the links that these users got until now to be refused."""
        for name in names:
            self._ended_links += self._links.pop(name)

    def add(self, sent: Sent, received: Received) -> None:
        """Compare a response, and remember what later ones are compared with."""
        problem = self._problem(sent, received)
        with self._lock:
            self.compared[sent.variant] += 1
            self._count_load(sent, received)
            if problem:
                self.leaks.append(f"{sent}: {received.status} {problem}")

    def add_foreign_hits(self) -> None:
        """Report hits on what was never loaded for the user who got it."""
        for name, path in sorted(self._hits - self._loads):
            self.leaks.append(f"{name}, {path}: a hit on what was never loaded for this user")

    def _problem(self, sent: Sent, received: Received) -> str:
        """Return what is wrong with a response, "" if nothing is."""
        expected = self.expected[sent.actor.name][sent.case.path]
        match sent.variant:
            case "forged link":
                return "" if received.status == 401 else "it was accepted"
            case "link":
                return self._link_problem(received)
            case "page":
                return self._page_problem(sent, received, expected)
            case "head" if received.status >= 400:
                is_expected = isinstance(expected, str) or self.allowed
                return "" if is_expected else f"it is not {expected!r}"
        return self._facts_problem(sent, received, expected)

    def _facts_problem(self, sent: Sent, received: Received, expected: Facts) -> str:
        facts = self._facts(sent, received, expected)
        if isinstance(facts, str) and facts in self.allowed:
            return ""
        if facts != expected:
            return f"{facts!r} is not {expected!r}"
        viewers = {view.partition(".")[0] for view in _VIEW.findall(received.text)}
        if viewers - {sent.actor.viewer}:
            return f"it has links of {viewers}"
        if received.status == 200 and received.body:
            self._remember(sent, received, facts)
        return ""

    def _facts(self, sent: Sent, received: Received, expected: Facts) -> Facts:
        """Return the facts of a response, or its error code; without a body, those of its ETag."""
        if received.status >= 400:
            return received.code
        if not received.body:
            # Nobody has got an unknown ETag with a body yet. It is wrong where an error is right.
            unknown = received.headers["etag"] if isinstance(expected, str) else expected
            return self._facts_of_etags.get(received.headers["etag"], unknown)
        if sent.case.endpoint == "plex-item-image":
            return sent.case.read(received.body)
        return sent.case.read(json.loads(received.body)["data"])

    def _link_problem(self, received: Received) -> str:
        if received.status == 200:
            return "" if received.body.startswith(JPEG) else "it is no picture"
        return "" if received.code in self.allowed else received.code

    def _page_problem(self, sent: Sent, received: Received, expected: Facts) -> str:
        """Compare the ids in a page of the browsable API with those that are expected."""
        text = html.unescape(re.sub("<[^>]+>", "", received.text))
        if received.status >= 400:
            codes = {*self.allowed, expected} if isinstance(expected, str) else {*self.allowed}
            return "" if any(code in text for code in codes) else "it is another page"
        own = set(sent.case.path.split("/"))
        shown = set(_SHOWN_KEY.findall(text)) - own
        known = set(_EXPECTED_KEY.findall(repr(expected))) - own
        return "" if shown == known else f"it shows {sorted(shown)}, not {sorted(known)}"

    def _count_load(self, sent: Sent, received: Received) -> None:
        """Note whether a response was loaded for this user, or was cached."""
        status = received.headers.get("x-plex-cache-status")
        if received.status < 400 and status is not None:
            path = _picture_path(sent.path) if sent.variant == "link" else sent.case.path
            seen = self._hits if status in ("HIT", "STALE") else self._loads
            seen.add((sent.actor.name, path))

    def _remember(self, sent: Sent, received: Received, facts: Facts) -> None:
        """Remember a response's ETag, and the signed links of movies."""
        etag = received.headers["etag"]
        with self._lock:
            self._facts_of_etags[etag] = facts
            self._etags[sent.case.path].append(etag)
            if sent.case.endpoint == "plex-item":
                item = json.loads(received.body)["data"]["item"]
                if item["type"] == "movie" and "thumbUrl" in item:
                    self._links[sent.actor.name].append(f"{item['thumbUrl']}&width=160")


def _picture_path(link: str) -> str:
    """Return the path of the case that shows the picture of a signed link."""
    return f"{urlsplit(link).path.removeprefix('/api/v1')}?width=160"
