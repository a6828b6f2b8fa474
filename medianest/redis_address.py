"""The addresses of Redis: one server, the master that Sentinel names, or a cluster.

The URL of one server is redis-py's own. Those of the others name several hosts, with commas:
`redis+sentinel://user:password@host:26379,host:26379/mymaster/0` and
`redis+cluster://user:password@host:6379,host:6379`. With `rediss` in place of `redis` all
connections use TLS. The query has redis-py's parameters.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis.connection import ConnectionPool, parse_url

SENTINEL_PORT, PORT = 26379, 6379
_CREDENTIALS = {"sentinel_username": "username", "sentinel_password": "password"}
"""The parameters that sign in to Sentinel, which has passwords of its own, and redis-py's names."""


class Kind(enum.Enum):
    """What answers at an address."""

    SERVER = ""
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True)
class RedisAddress:
    """Where a Redis is, and how to sign in.

    `nodes` are the hosts that are named: Sentinels, or some of a cluster. `master` is the name that
    Sentinel gives to the master.
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
        query = parse_qsl(parts.query)
        port, master, path = _path(Kind(kind), parts.path.strip("/"))
        rest = urlencode([each for each in query if each[0] not in _CREDENTIALS])
        address = cls(
            Kind(kind),
            url,
            tuple(_nodes(hosts, port)),
            master,
            {_CREDENTIALS[name]: value for name, value in query if name in _CREDENTIALS},
            scheme,
            user + separator,
            f"{path}?{rest}",
        )
        _options(address.url_of(*address.nodes[0]))
        return address

    def check_parameters(self) -> None:
        """Raise ValueError if redis-py refuses a parameter, as it would when it connects.

        This reads files, so it is not for the event loop.
        """
        first = self.url_of(*self.nodes[0]) if self.nodes else self.url
        try:
            ConnectionPool(**_options(first)).make_connection()
        except TypeError as error:
            raise ValueError("a parameter cannot be used here") from error

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


def _path(kind: Kind, path: str) -> tuple[int, str, str]:
    """Return the default port, the name of the master, and the path of the URL of one server."""
    if kind is Kind.CLUSTER:
        if path not in ("", "0"):
            raise ValueError("a cluster has one database")
        return PORT, "", ""
    master, _, database = path.partition("/")
    if not master:
        raise ValueError("the name of the master is missing")
    return SENTINEL_PORT, unquote(master), f"/{int(database or 0)}"


def _options(url: str) -> dict[str, Any]:
    found: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
    return found


def _nodes(hosts: str, port: int) -> Iterator[tuple[str, int]]:
    for each in hosts.split(","):
        parts = urlsplit(f"//{each}")
        if not parts.hostname:
            raise ValueError("a host is missing")
        yield parts.hostname, parts.port or port
