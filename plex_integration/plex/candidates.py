"""Try the addresses of a server for an operator who chooses one of them.

plex.tv lists them, so they may lead anywhere. Each is only asked which server it is (`/identity`),
without a token; a token is for the address that the operator chooses. Without TLS a machine on the
way can claim to be any server, as it can whenever Plex is used without TLS.
"""

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from medianest.addresses import refusal
from medianest.api.exceptions import Problem
from medianest.serving import upstream
from plex_integration.configuration.connection import Connection
from plex_integration.errors import PlexApiError, PlexServerUnavailable
from plex_integration.plex.diagnostics import NOT_PLEX, unavailable_reason
from plex_integration.plex.http import PlexHttp
from plex_integration.plex.transport import enforce_deadline

MAX_SECONDS = 3.0
"""How long an address may take to answer."""
MAX_TOTAL_SECONDS = 16.0
"""How long all addresses of a server may take together."""

_pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="candidates")


@dataclass(frozen=True)
class Trial:
    """Whether the expected server answers at an address, in one sentence."""

    is_reachable: bool
    message: str


TOO_BUSY = Trial(False, "Not tested: too many requests wait for Plex. Try again.")
NOT_TESTED = Trial(False, "Not tested: the other addresses took too long. Try again.")
_ANOTHER_SERVER = Trial(False, "Another Plex server answers at this address.")

Verify = bool | str
"""How a certificate is verified: True, False or the path of a CA file."""


def try_address(
    url: str, machine_identifier: str, verify: Verify = True, seconds: float = MAX_SECONDS
) -> Trial:
    """Ask which server answers at an address, and compare it with the expected one.

    Raises UpstreamNeeded where this thread must not wait.
    """
    if not upstream.may_wait():
        return TOO_BUSY
    return _try(url, machine_identifier, verify, seconds)


def try_addresses(
    urls: Mapping[str, Verify],
    machine_identifier: str,
    seconds: float = MAX_SECONDS,
    total_seconds: float = MAX_TOTAL_SECONDS,
) -> dict[str, Trial]:
    """Try addresses, several in parallel, and return their results in the same order.

    `urls` says of each how its certificate is verified. Raises UpstreamNeeded like `try_address`.
    """
    if not upstream.may_wait():
        return dict.fromkeys(urls, TOO_BUSY)
    deadline = time.monotonic() + total_seconds
    pending = {
        url: _pool.submit(_try_until, deadline, url, machine_identifier, verify, seconds)
        for url, verify in urls.items()
    }
    return {url: _result(trial, deadline) for url, trial in pending.items()}


def find_server(url: str, verify: Verify = True, seconds: float = MAX_SECONDS) -> str:
    """Return the identifier of the server that answers at an address, "" if none does.

    Raises UpstreamNeeded like `try_address`.
    """
    if refusal(url) or not upstream.may_wait():
        return ""
    try:
        return _identity(url, verify, seconds)
    except Problem:
        return ""


def _try_until(
    deadline: float, url: str, machine_identifier: str, verify: Verify, seconds: float
) -> Trial:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        return NOT_TESTED
    return _try(url, machine_identifier, verify, min(seconds, remaining))


def _result(trial: "Future[Trial]", deadline: float) -> Trial:
    try:
        return trial.result(max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        trial.cancel()
        return NOT_TESTED


def _try(url: str, machine_identifier: str, verify: Verify, seconds: float) -> Trial:
    if refused := refusal(url):
        return Trial(False, refused)
    began = time.monotonic()
    try:
        found = _identity(url, verify, seconds)
    except PlexServerUnavailable as problem:
        return Trial(False, unavailable_reason(problem, seconds))
    except Problem:
        return Trial(False, NOT_PLEX)
    if found != machine_identifier:
        return _ANOTHER_SERVER
    return Trial(True, f"Reachable in {max(1, round((time.monotonic() - began) * 1000))} ms.")


def _identity(url: str, verify: Verify, seconds: float) -> str:
    """Return the identifier that a server states. Raises a Problem where none does."""
    http = PlexHttp(Connection(url, "", verify, seconds, show_file_paths=False))
    with closing(http), enforce_deadline(time.monotonic() + seconds):
        identifier = http.query("/identity").get("machineIdentifier")
    if not identifier:
        raise PlexApiError
    return identifier
