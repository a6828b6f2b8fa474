"""The addresses of Redis: one server, or the master that Sentinel names.

The URL of one server is redis-py's own. That of a master names the Sentinels, with commas:
`redis+sentinel://user:password@host:26379,host:26379/mymaster/0`. With `rediss` in place of `redis`
all connections use TLS. The query has redis-py's parameters.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis.connection import parse_url

SENTINEL_PORT = 26379
_CREDENTIALS = {"sentinel_username": "username", "sentinel_password": "password"}
"""The parameters that sign in to Sentinel, which has passwords of its own, and redis-py's names."""


class Kind(enum.Enum):
    """What answers at an address."""

    SERVER = ""
    SENTINEL = "sentinel"


@dataclass(frozen=True)
class RedisAddress:
    """Where a Redis is, and how to sign in.

    `nodes` are the Sentinels, and `master` is the name that they give to the master.
    """

    kind: Kind
    url: str = field(repr=False)
    nodes: tuple[tuple[str, int], ...] = ()
    master: str = ""
    sentinel_credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    _scheme: str = ""
    _user: str = field(default="", repr=False)
    _rest: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> "RedisAddress":
        """Read a URL. Raises ValueError, which may show the password."""
        parts = urlsplit(url)
        scheme, _, kind = parts.scheme.partition("+")
        if not kind:
            _options(url)
            return cls(Kind.SERVER, url)
        user, separator, hosts = parts.netloc.rpartition("@")
        master, _, database = parts.path.strip("/").partition("/")
        if not master:
            raise ValueError("the name of the master is missing")
        query = parse_qsl(parts.query)
        rest = urlencode([each for each in query if each[0] not in _CREDENTIALS])
        address = cls(
            Kind(kind),
            url,
            tuple(_nodes(hosts)),
            unquote(master),
            {_CREDENTIALS[name]: value for name, value in query if name in _CREDENTIALS},
            scheme,
            user + separator,
            f"/{int(database or 0)}?{rest}",
        )
        _options(address.url_of(*address.nodes[0]))
        return address

    def url_of(self, host: str, port: int) -> str:
        """Return the URL of one server, which this address leads to."""
        name = f"[{host}]" if ":" in host else host
        return f"{self._scheme}://{self._user}{name}:{port}{self._rest}"

    def options(self) -> dict[str, Any]:
        """Return what redis-py needs for each connection, besides the host and the port."""
        found = _options(self.url_of(*self.nodes[0]))
        is_encrypted = found.pop("connection_class", None) is not None
        del found["host"], found["port"]
        return found | {"ssl": True} if is_encrypted else found


def _options(url: str) -> dict[str, Any]:
    found: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
    return found


def _nodes(hosts: str) -> Iterator[tuple[str, int]]:
    for each in hosts.split(","):
        parts = urlsplit(f"//{each}")
        if not parts.hostname:
            raise ValueError("a host is missing")
        yield parts.hostname, parts.port or SENTINEL_PORT
