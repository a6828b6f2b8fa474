"""Which Plex server is asked, and how. Today there is one, named by the settings."""

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

from django.conf import settings


@dataclass(frozen=True)
class Connection:
    """A Plex server as this service reaches it.

    `verify` is True, False or the path of a CA file; `seconds` is the time that all calls of one
    answer have together. The token never shows in a representation.
    """

    url: str
    token: str = field(repr=False)
    verify: bool | str
    seconds: float
    show_file_paths: bool

    @cached_property
    def viewer(self) -> str:
        """Who may see what this server answers: answers are kept apart by it.

        Today that is whoever holds the service's own token; a viewer with a token of their own
        gets a scope of their own.
        """
        scope = f"{self.url}\n{self.token}\n{self.show_file_paths}"
        return blake2b(scope.encode(), digest_size=8).hexdigest()


def current() -> Connection | None:
    """Return the configured server, or None where there is none."""
    if not settings.PLEX_URL or not settings.PLEX_TOKEN:
        return None
    return Connection(
        url=settings.PLEX_URL,
        token=settings.PLEX_TOKEN,
        verify=settings.PLEX_VERIFY_TLS,
        seconds=settings.PLEX_TIMEOUT,
        show_file_paths=settings.PLEX_SHOW_FILE_PATHS,
    )
