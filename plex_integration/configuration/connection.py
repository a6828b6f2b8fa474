"""How this service reaches a Plex server: one value, handed to whoever talks to Plex."""

from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory


@dataclass(frozen=True)
class Connection:
    """A Plex server as this service reaches it.

    `verify` is True, False or the path of a CA file; `seconds` is the time that all calls of one
    response have together. The token never shows in a representation.
    """

    url: str
    token: str = field(repr=False)
    verify: bool | str
    seconds: float
    show_file_paths: bool

    @cached_property
    def scope(self) -> str:
        """Who may see what this server answers: cached responses of two scopes never meet.

        Today that is whoever holds the service's own token.
        """
        identity = f"{self.url}\n{self.token}\n{self.show_file_paths}"
        return blake2b(identity.encode(), digest_size=8).hexdigest()


def authority_file(certificates: str) -> str:
    """Return a file of this process that holds these certificates, as TLS libraries want them."""
    name = blake2b(certificates.encode(), digest_size=16).hexdigest()
    path = Path(_folder().name) / f"{name}.pem"
    if not path.exists():
        path.write_text(certificates)
    return str(path)


@cache
def _folder() -> "TemporaryDirectory[str]":
    # Readable by this user alone, and removed when the process ends.
    return TemporaryDirectory(prefix="medianest-authorities-")
