"""What every write to Plex shares: each is sent exactly once, and its outcome can be read back."""

import time
from collections.abc import Sequence
from typing import ClassVar

import requests

from medianest.api.exceptions import Problem
from plex_integration.configuration.connection import Connection
from plex_integration.plex import media
from plex_integration.plex.client import PlexClient
from plex_integration.plex.errors import PlexNotFound, not_found_as
from plex_integration.plex.transport import enforce_deadline

# The share of the time, and the most seconds, that writes leave for reading back their outcome.
_RESERVED_SHARE, _MAX_RESERVED = 0.2, 2.0


class PlexWriter(PlexClient):
    """Write to Plex, and read what a write needs.

    Reads may use all of `seconds`, writes only a part: the rest is for reading back the outcome of
    a write that Plex did not respond to. `not_found` is the error for a write whose path Plex does
    not know.
    """

    not_found: ClassVar[type[Problem]]

    def __init__(
        self, connection: Connection, seconds: float, libraries: Sequence[media.Library] = ()
    ) -> None:
        super().__init__(connection, seconds, libraries)
        reserved = min(_MAX_RESERVED, seconds * _RESERVED_SHARE)
        self._write_deadline = time.monotonic() + seconds - reserved

    def _write(self, method: str, path: str, **parameters: str) -> None:
        with not_found_as(self.not_found), enforce_deadline(self._write_deadline):
            self._http.send(method, path, parameters)


def was_sent(problem: Problem) -> bool:
    """Return whether a failed write may have reached Plex."""
    cause = problem.__cause__
    if isinstance(cause, requests.exceptions.ConnectTimeout):
        return False
    return not (type(cause) is TimeoutError or "NewConnectionError" in repr(cause))


def was_answered(problem: Problem) -> bool:
    """Return whether Plex responded to a failed write, so that nothing more will come of it."""
    return problem.__cause__ is None or isinstance(problem.__cause__, PlexNotFound)
