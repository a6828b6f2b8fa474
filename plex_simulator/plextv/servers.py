"""What plex.tv knows about servers: their names, their addresses, and which of them are online."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

PLEX_DIRECT = ".plex.direct"


@dataclass(frozen=True, slots=True)
class Address:
    """An address that a server has reported; for plex.tv a server is one of its `connections`."""

    uri: str
    local: bool = False
    relay: bool = False

    def describe(self) -> dict[str, Any]:
        parts = urlsplit(self.uri)
        address = _address(parts.hostname or "")
        return {
            "protocol": parts.scheme,
            "address": address,
            "port": parts.port or (443 if parts.scheme == "https" else 80),
            "uri": self.uri,
            "local": self.local,
            "relay": self.relay,
            "IPv6": ":" in address,
        }


@dataclass(frozen=True, slots=True)
class OtherServer:
    """A server that this simulator is not: only plex.tv's list has it.

    It belongs to the owner, or, if it is not `owned`, to somebody who shares it with the owner.
    """

    name: str
    machine_identifier: str
    access_token: str = field(repr=False)
    addresses: tuple[Address, ...] = ()
    owned: bool = True
    online: bool = True


def make_addresses(descriptions: Iterable[Mapping[str, Any]]) -> tuple[Address, ...]:
    """Make addresses of {"uri", "local"?, "relay"?}; raise TypeError for anything else."""
    return tuple(Address(**description) for description in descriptions)


def _address(host: str) -> str:
    """Return the IP address that a host name below plex.direct stands for, or the host."""
    if not host.endswith(PLEX_DIRECT):
        return host
    name = host.partition(".")[0]
    return name.replace("-", "." if re.fullmatch(r"\d+(-\d+){3}", name) else ":")
