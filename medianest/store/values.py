"""Cached values, and the versions of the tags that they depend on.

A value is stored together with the versions of its tags. Invalidating a tag gives it a new version,
so that every value stored under the old one is a miss: no value has to be found and deleted.
"""

import json
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol
from uuid import uuid4

from django.core.cache import caches

from medianest.store.loop_connection import Command
from medianest.store.redis_server import MICROSECONDS, RecentWrites, RedisServer, Script

EVERYTHING = "base"
"""The tag of every value: invalidating it makes every cached value a miss."""

MAX_TAGS = 1_000
"""Every read returns the versions of all tags that changed within two days. When there are more
than this, all versions are removed together, and every value is a miss once."""

VERSION_SECONDS = 2 * 24 * 3600
"""How long a version is stored: longer than any value."""

PREFIX = "medianest:cache:"
VERSIONS_KEY = f"{PREFIX}versions"

_INVALIDATE_TAGS = Script("invalidate_tags")


@dataclass(frozen=True)
class TagVersions:
    """The versions of all tags at one moment. Two are equal if their raw bytes are."""

    raw: bytes | None
    _versions: Mapping[str, str] = field(compare=False, repr=False)
    _shared: "TagVersions | None" = field(default=None, compare=False, repr=False)

    @classmethod
    def parse(cls, raw: bytes | None) -> "TagVersions":
        """Read the versions from the store's JSON; anything else has none. Never raises."""
        return _parse(raw)

    @classmethod
    def found(cls, replies: Sequence[bytes | None]) -> "TagVersions":
        """Read the versions of all scopes and, if there are any, a scope's own.

        A tag's version then is made of both. There are no versions before all of it exists: what
        was lost may have been newer.
        """
        if None in replies:
            return _parse(None)
        return _parse(replies[0]) if len(replies) == 1 else _parse_with_own(*replies)

    def changed_at(self, tag: str) -> float | None:
        """Return when a scope's own version of a tag was made, in epoch seconds."""
        microseconds = self.get(tag).rpartition(" ")[2]
        return int(microseconds) / MICROSECONDS if microseconds.isdigit() else None

    @property
    def shared(self) -> "TagVersions":
        """The versions of all scopes alone."""
        return self._shared or self

    def get(self, tag: str) -> str:
        """Return a tag's version; "" for a tag that was never invalidated."""
        return self._versions.get(tag, "")

    def match(self, recorded: Mapping[str, str]) -> bool:
        """Tell whether all of these tags still have the recorded versions."""
        # A loop, since this runs for every hit, often over more than 50 tags.
        for tag, version in recorded.items():  # noqa: SIM110
            if self._versions.get(tag, "") != version:
                return False
        return True


@lru_cache(maxsize=4)
def _parse(raw: bytes | None) -> TagVersions:
    return TagVersions(raw, _versions_in(raw))


@lru_cache(maxsize=256)
def _parse_with_own(raw: bytes | None, own: bytes) -> TagVersions:
    shared, scoped = _parse(raw), _versions_in(own)
    versions = dict(shared._versions)
    for tag, version in scoped.items():
        versions[tag] = f"{shared.get(tag)} {version}"
    return TagVersions(b"%b\n%b" % (raw or b"", own), versions, shared)


def _versions_in(raw: bytes | None) -> Mapping[str, str]:
    try:
        found = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {tag: version for tag, version in found.items() if isinstance(version, str)}


@dataclass(frozen=True)
class ScannedValue:
    """A cached value as `scan` finds it: its key, its first bytes and its whole size."""

    key: str
    beginning: bytes
    size: int


class Values(Protocol):
    """Cached values and the versions of their tags. `Store.read` reads both."""

    def set(self, key: str, value: bytes, seconds: int) -> bool:
        """Store a value; tell whether it was stored."""

    def delete(self, key: str) -> None:
        """Delete a value."""

    def scan(self, prefix: str, limit: int, size: int) -> list[ScannedValue]:
        """Return at most `limit` values whose key begins so, each with its first `size` bytes.

        It walks through all keys: for the operator's page only.
        """

    def tag_versions(self, scope: str = "") -> TagVersions | None:
        """Return the versions, created where there are none; None while they are unavailable.

        With a `scope` they are those of all scopes and its own.
        """

    def invalidate_tags(self, tags: Collection[str], scope: str = "") -> bool:
        """Make every value under these tags a miss; tell whether all processes see it already.

        With a `scope`, only its values. False: Redis is unavailable, and receives it before it is
        used again.
        """


class LocalValues(Values):
    """Cached values of this process, in Django's cache."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._versions = {"": {EVERYTHING: uuid4().hex}}

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the value under each key."""
        found = caches["default"].get_many(keys)
        return [found.get(key) for key in keys]

    def set(self, key: str, value: bytes, seconds: int) -> bool:
        caches["default"].set(key, value, seconds)
        return True

    def delete(self, key: str) -> None:
        caches["default"].delete(key)

    def scan(self, prefix: str, limit: int, size: int) -> list[ScannedValue]:
        cache: Any = caches["default"]
        keys = [key.split(":", 2)[2] for key in list(cache._cache)]
        found = cache.get_many([key for key in keys if key.startswith(prefix)][:limit])
        return [ScannedValue(key, value[:size], len(value)) for key, value in found.items()]

    def tag_versions(self, scope: str = "") -> TagVersions:
        if scope and scope not in self._versions:
            self.invalidate_tags((), scope)
        names = ("", scope) if scope else ("",)
        return TagVersions.found([json.dumps(self._versions[name]).encode() for name in names])

    def invalidate_tags(self, tags: Collection[str], scope: str = "") -> bool:
        version = f"{time.time_ns() // 1000}"
        with self._lock:
            versions = self._versions.get(scope, {EVERYTHING: uuid4().hex})
            versions = versions | dict.fromkeys(tags, version)
            if len(versions) > MAX_TAGS:
                versions = {EVERYTHING: uuid4().hex}
            self._versions[scope] = versions
        return True


class RedisValues(Values):
    """Cached values of all workers and machines, under `medianest:cache:`."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._owed: dict[str, set[str]] = {}
        self._recent = RecentWrites[tuple[Collection[str], str]](server.availability)
        server.availability.add_delivery(self._deliver_owed)

    @staticmethod
    def read_commands(keys: Sequence[str], scope: str) -> list[Command]:
        """Return the commands that read values and then the tag versions of a scope."""
        return [*(("GET", PREFIX + key) for key in keys), *_versions_commands(scope)]

    @staticmethod
    @lru_cache(maxsize=4096)
    def fast_read_commands(key: str, size: int | None, scope: str) -> Sequence[Command]:
        """Return the commands that read a value, or its first bytes, and then the tag versions."""
        name = PREFIX + key
        value = ("GET", name) if size is None else ("GETRANGE", name, 0, size - 1)
        return (value, *_versions_commands(scope))

    @staticmethod
    def value_command(key: str) -> Command:
        """Return the command that reads a value alone."""
        return ("GET", PREFIX + key)

    def set(self, key: str, value: bytes, seconds: int) -> bool:
        replies = self._server.send(("SET", PREFIX + key, value, "EX", seconds))
        return bool(replies and replies[0] == b"OK")

    def delete(self, key: str) -> None:
        self._server.execute(("UNLINK", PREFIX + key))

    def scan(self, prefix: str, limit: int, size: int) -> list[ScannedValue]:
        names: dict[bytes, None] = {}
        for batch in self._server.scan(f"{PREFIX}{prefix}*"):
            names |= dict.fromkeys(batch)
            if len(names) >= limit:
                break
        some = list(names)[:limit]
        batches = [some[first : first + 200] for first in range(0, len(some), 200)]
        return [value for batch in batches for value in self._beginnings(batch, size)]

    def tag_versions(self, scope: str = "") -> TagVersions | None:
        scopes = ("", scope) if scope else ("",)
        replies = self._server.execute(*(("GET", versions_key(each)) for each in scopes))
        if replies is None:
            return None
        found = [
            reply if isinstance(reply, bytes) else self._run((), each)
            for each, reply in zip(scopes, replies, strict=True)
        ]
        return None if None in found else TagVersions.found(found)

    def invalidate_tags(self, tags: Collection[str], scope: str = "") -> bool:
        if self._invalidate(tags, scope):
            self._recent.add((tags, scope))
            return True
        with self._server.availability.lock:
            if not self._server.availability.is_available():
                self._owe(tags, scope)
                return False
        return self._invalidate(tags, scope)  # it is available again since, or refuses

    def _invalidate(self, tags: Collection[str], scope: str) -> bool:
        return self._run(tags, scope) is not None

    def _run(self, tags: Collection[str], scope: str) -> bytes | None:
        arguments = _arguments(scope, tags)
        written: bytes | None = self._server.run(_INVALIDATE_TAGS, versions_key(scope), *arguments)
        return written

    def _owe(self, tags: Collection[str], scope: str) -> None:
        owed = self._owed.setdefault(scope, set())
        owed.update(tags)
        if sum(map(len, self._owed.values())) > MAX_TAGS:
            self._owed = {"": {EVERYTHING}}

    def _deliver_owed(self) -> None:
        for recent, scope in self._recent.take():
            self._owe(recent, scope)
        for scope, tags in list(self._owed.items()):
            arguments = _arguments(scope, sorted(tags))
            self._server.client.eval(_INVALIDATE_TAGS.text, 1, versions_key(scope), *arguments)
            del self._owed[scope]

    def _beginnings(self, names: Sequence[bytes], size: int) -> list[ScannedValue]:
        commands = [
            command
            for name in names
            for command in (("GETRANGE", name, 0, size - 1), ("STRLEN", name))
        ]
        replies = self._server.execute(*commands) or []
        return [
            ScannedValue(name.decode()[len(PREFIX) :], beginning, length)
            for name, beginning, length in zip(names, replies[::2], replies[1::2], strict=False)
            if isinstance(beginning, bytes) and isinstance(length, int)
        ]


def versions_key(scope: str) -> str:
    """Return the key of a scope's own versions; "" stands for those of all scopes."""
    return f"{VERSIONS_KEY}:{scope}" if scope else VERSIONS_KEY


@lru_cache(maxsize=4096)
def _versions_commands(scope: str) -> Sequence[Command]:
    """Return the commands that read what `TagVersions.found` takes."""
    return [("GET", versions_key(each)) for each in (("", scope) if scope else ("",))]


def _arguments(scope: str, tags: Collection[str]) -> tuple[Any, ...]:
    # A scope's own versions expire when nobody has the view any more; its values are misses then.
    expiry = 2 * VERSION_SECONDS if scope else 0
    return (uuid4().hex, VERSION_SECONDS, MAX_TAGS, expiry, *tags)
