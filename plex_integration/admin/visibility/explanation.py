"""The way from a user to an item or a library, step by step, up to the first refusal.

It only looks: no link, token or cached response is changed.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from accounts.models import User
from accounts.plex_links import PlexLink
from medianest.api.exceptions import Problem
from medianest.serving import upstream
from plex_integration.admin.labels import duration
from plex_integration.admin.visibility import cached_lists, links
from plex_integration.admin.visibility.hidden_items import HiddenItem, name_of
from plex_integration.caching import failures
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Connection
from plex_integration.errors import (
    ItemNotFound,
    PlexApiError,
    PlexLinkRequired,
    PlexUnauthorized,
)
from plex_integration.plex import PlexClient
from plex_integration.plex.media import Item, Library
from plex_integration.plex.plextv.accounts import read_server_token
from plex_integration.plex.plextv.http import AccountTokenRefused
from plex_integration.plex.transport import enforce_deadline
from plex_integration.viewers.connections import connection_of
from plex_integration.viewers.identity import machine_identifier

MAX_SECONDS = 10.0
"""How long all requests to plex.tv and to Plex may take together."""


class Outcome(Enum):
    """What a step found, as the page shows it."""

    PASSED = "Passed"
    REFUSED = "Refused"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Step:
    """A step of the way, and what was found in one or more sentences."""

    name: str
    outcome: Outcome
    finding: str


@dataclass(frozen=True)
class Explanation:
    """The answer in one sentence, and the steps that led to it."""

    sentence: str
    steps: Sequence[Step] = ()


@dataclass(frozen=True)
class Subject:
    """What the user does not see: an item by its rating key, or a library by its key."""

    is_item: bool
    key: str


def explain(user: User, subject: Subject) -> Explanation:
    """Return whether a user can see something, and what refuses it first if not.

    Raises UpstreamNeeded where this thread must not wait.
    """
    try:
        if not upstream.may_wait():
            raise failures.busy()
        with enforce_deadline(time.monotonic() + MAX_SECONDS):
            return _Way(user, subject).explanation()
    except Problem as problem:
        return Explanation(_unknown(user, str(problem.detail)))


class _Refused(Exception):
    """A step refuses the way. Its text is the finding."""


class _Way:
    """The way of one user to one subject; the steps leave what the next ones need."""

    def __init__(self, user: User, subject: Subject) -> None:
        self._user, self._subject = user, subject
        self._link: PlexLink | None = getattr(user, "plex_link", None)
        self._viewer = links.viewer_of(self._link)
        self._service = runtime.required_connection()
        self._token = ""
        self._libraries: dict[str, Library] = {}
        self._connection: Connection
        self._library: Library
        self._item: Item
        self._old = cached_lists.OldLists(0, 0)

    def explanation(self) -> Explanation:
        """Walk the way."""
        steps = list(self._steps())
        if steps[-1].outcome is Outcome.REFUSED:
            return Explanation(steps[-1].finding, steps)
        if steps[-1].outcome is Outcome.UNKNOWN:
            return Explanation(_unknown(self._user, steps[-1].finding), steps)
        return Explanation(self._visible(), steps)

    def _steps(self) -> Iterator[Step]:
        yield (step := _taken("Link", self._check_link))
        if step.outcome is Outcome.PASSED:
            # Without an answer of plex.tv, the stored token shows what the viewer sees.
            yield (step := _taken("Share", self._check_share))
        if step.outcome is not Outcome.REFUSED:
            yield from self._steps_in_plex()

    def _steps_in_plex(self) -> Iterator[Step]:
        checks = [("Server token", self._check_token), ("Library", self._check_library)]
        if self._subject.is_item:
            checks.append(("Filter or profile", self._check_item))
        for name, check in [*checks, ("Cache", self._check_cache)]:
            yield (step := _taken(name, check))
            if step.outcome is not Outcome.PASSED:
                return

    def _check_link(self) -> str:
        if refusal := links.refusal(self._user, self._link):
            raise _Refused(refusal)
        if self._link is None:
            return f"{self._user} has no link, and sees what {self._viewer} sees."
        return f"{self._user} sees Plex as {self._viewer}. {self._link.description}."

    def _check_share(self) -> str:
        link = self._link
        if link is None:
            return "The service's own token is used."
        account = link.profile_token if link.encrypted_profile_token else link.account_token
        try:
            token = read_server_token(account or "", machine_identifier(self._service))
        except AccountTokenRefused:
            raise _Refused(links.SIGN_IN_AGAIN.format(user=self._user)) from None
        if token is None:
            raise _Refused(f"plex.tv does not list this server for {self._viewer}.")
        self._token = token
        is_new = token != link.server_token
        replaced = " Plex has replaced the token; the service gets the new one when it needs it."
        return f"plex.tv lists this server for {self._viewer}.{replaced if is_new else ''}"

    def _check_token(self) -> str:
        self._connection = self._viewer_connection()
        try:
            found = PlexClient(self._connection, MAX_SECONDS).libraries()
        except PlexUnauthorized:
            raise _Refused(f"Plex refuses the server token of {self._viewer}.") from None
        self._libraries = {library.id: library for library in found}
        return f"Plex accepts the server token of {self._viewer}, and shows {len(found)} libraries."

    def _viewer_connection(self) -> Connection:
        """Return the connection with the token that plex.tv named, or else with the stored one."""
        if self._link and self._token:
            return replace(self._service, token=self._token, viewer=self._link.view)
        try:
            return connection_of(self._link)
        except PlexLinkRequired:
            raise _Refused(
                "The link has no token for this server, "
                "and plex.tv does not say whether there is one."
            ) from None

    def _check_library(self) -> str:
        key = self._library_key() if self._subject.is_item else self._subject.key
        if key in self._libraries:
            self._library = self._libraries[key]
            return f"Plex shows the library {_library_name(self._library)} to {self._viewer}."
        own = PlexClient(self._service, MAX_SECONDS).libraries()
        library = next((each for each in own if each.id == key), None)
        if library is None or self._link is None:
            raise _Refused(self._missing("library", key))
        raise _Refused(f"The library {_library_name(library)} is not shared with {self._viewer}.")

    def _library_key(self) -> str:
        try:
            self._item = PlexClient(self._service, MAX_SECONDS).item(self._subject.key)
        except ItemNotFound:
            raise _Refused(self._missing("item", self._subject.key)) from None
        if self._item.library is None:
            raise PlexApiError("Plex does not say in which library the item is.")
        return self._item.library.id

    def _missing(self, what: str, key: str) -> str:
        return f"Plex has no {what} {key}, or does not show it to this service's own account."

    def _check_item(self) -> str:
        link, shown = self._link, f"Plex shows {name_of(self._item)} to {self._viewer}."
        if link is None:
            return shown
        try:
            PlexClient(self._connection, MAX_SECONDS).item(self._subject.key)
        except (ItemNotFound, PlexUnauthorized):
            hidden = HiddenItem(self._item, self._library, link.viewer_id, self._viewer)
            raise _Refused(
                hidden.reason(self._service, machine_identifier(self._service))
            ) from None
        return shown

    def _check_cache(self) -> str:
        scope = self._connection.scope
        if self._subject.is_item:
            self._old = cached_lists.without_item(scope, self._item)
        else:
            self._old = cached_lists.without_library(scope, self._library.id)
        if not self._old.count:
            return "No cached list leaves it out."
        return f"{self._old_lists()}. A list is loaded again when its cache time is over."

    def _visible(self) -> str:
        is_item = self._subject.is_item
        name = name_of(self._item) if is_item else _library_name(self._library)
        visible = f"{self._user} can see {name}"
        return f"{visible}, but {self._old_lists()}." if self._old.count else f"{visible}."

    def _old_lists(self) -> str:
        count, age = self._old.count, duration(self._old.oldest)
        if count == 1:
            return f"1 cached list does not show it, which is {age} old"
        return f"{count} cached lists do not show it, of which the oldest is {age} old"


def _taken(name: str, check: Callable[[], str]) -> Step:
    """Take a step."""
    try:
        return Step(name, Outcome.PASSED, check())
    except _Refused as refused:
        return Step(name, Outcome.REFUSED, str(refused))
    except Problem as problem:
        return Step(name, Outcome.UNKNOWN, str(problem.detail))


def _unknown(user: User, why: str) -> str:
    return f"It is not known whether {user} can see this: {why}"


def _library_name(library: Library) -> str:
    return f"“{library.title or library.id}”"
