"""How this service reaches a Plex server, as one value that every client of Plex is given."""

from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory


@dataclass(frozen=True)
class Scope:
    """Who may see a response: those who have the same view of the same server.

    `name` stands for it in keys; it reveals nothing. `server` identifies the server. `viewer` is
    the view of a Plex account (`PlexLink.view`); it is empty for that of the service's own token.
    `versions` is the name of the scope's own tag versions in the store, which a change that only
    one viewer sees makes anew; the service's own view has none.
    """

    name: str
    server: str
    viewer: str = ""
    versions: str = ""

    @property
    def viewer_id(self) -> str:
        """The Plex id of the viewer, whose view may have had another generation before."""
        return self.viewer.partition(".")[0]


@dataclass(frozen=True)
class Connection:
    """A Plex server as this service reaches it, with the token of the service or of a viewer.

    `verify` is True, False or the path of a CA file. `seconds` is the time limit for all calls of
    one response together. `machine_identifier` is "" until it is known which server this is.
    `viewer` is the view of the Plex account whose token it is; it is empty for the service's own
    token. The representation does not contain the token.
    """

    url: str
    token: str = field(repr=False)
    verify: bool | str
    seconds: float
    show_file_paths: bool
    machine_identifier: str = ""
    viewer: str = ""

    @cached_property
    def server(self) -> str:
        """What identifies the server in keys, tags and links."""
        return _digest(self.url)[:8]

    @cached_property
    def scope(self) -> Scope:
        """Who may see what this connection's token reads."""
        if self.viewer:
            return self.viewer_scope(self.viewer)
        return Scope(_digest(f"{self.url}\n{self.token}\n{self.show_file_paths}"), self.server)

    def viewer_scope(self, viewer: str) -> Scope:
        """Return the scope of a viewer of this server.

        It does not depend on the token: Plex replaces tokens, and the account stays.
        """
        return _viewer_scope(self.server, viewer, self.show_file_paths)


@lru_cache(maxsize=4096)
def _viewer_scope(server: str, viewer: str, show_file_paths: bool) -> Scope:
    # The fast path needs it for every request; its name is computed once.
    name = _digest(f"{server}\n{viewer}\n{show_file_paths}")
    return Scope(name, server, viewer, versions=name)


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


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
