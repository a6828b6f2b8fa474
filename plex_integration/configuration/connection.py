"""How this service reaches a Plex server, as one value that every client of Plex is given."""

from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory


@dataclass(frozen=True)
class Connection:
    """A Plex server as this service reaches it.

    `verify` is True, False or the path of a CA file. `seconds` is the time limit for all calls of
    one response together. The representation does not contain the token.
    """

    url: str
    token: str = field(repr=False)
    verify: bool | str
    seconds: float
    show_file_paths: bool

    @cached_property
    def scope(self) -> str:
        """Who may see a cached response of this server.

        Responses are cached per scope. Today all users of the service share the scope of its token.
        """
        identity = f"{self.url}\n{self.token}\n{self.show_file_paths}"
        return blake2b(identity.encode(), digest_size=8).hexdigest()


def authority_file(certificates: str) -> str:
    """Write certificates to a file of this process, for TLS libraries; return its path."""
    name = blake2b(certificates.encode(), digest_size=16).hexdigest()
    path = Path(_folder().name) / f"{name}.pem"
    if not path.exists():
        path.write_text(certificates)
    return str(path)


@cache
def _folder() -> "TemporaryDirectory[str]":
    # Only this user can read it. It is removed when the process ends.
    return TemporaryDirectory(prefix="medianest-authorities-")
