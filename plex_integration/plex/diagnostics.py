"""One look at a server that an operator has just named: what is so, in one plain sentence."""

import errno
import re
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, ReadTimeoutError

from plex_integration.plex import parsing
from plex_integration.configuration.connection import Connection
from plex_integration.errors import PlexApiError, PlexServerUnavailable, PlexUnauthorized
from medianest.api.exceptions import Problem
from plex_integration.plex import transport
from plex_integration.plex.http import Server

# The most seconds that somebody waits for the sentence.
PATIENCE = 10.0

# X.509 verification results (https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/).
_CERTIFICATES = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is signed by itself",
    19: "its authority is not known here",
    20: "its authority is not known here",
    21: "its authority is not known here",
    23: "it has been revoked",
    62: "it is for another host's name",
    64: "it is for another IP address",
}
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN)


@dataclass(frozen=True)
class Trial:
    """What is so; `libraries` are the ids and titles of those that the token may see."""

    is_connected: bool
    sentence: str
    libraries: tuple[tuple[str, str], ...] = ()


def try_out(to: Connection, patience: float = PATIENCE) -> Trial:
    """Ask a server who it is and what the token may see. Raises nothing of Plex's."""
    seconds = min(patience, to.seconds)
    server = Server(to)
    began = time.monotonic()
    try:
        with server._session, transport.within(began + seconds):
            if not server.query("/identity").get("machineIdentifier"):
                raise PlexApiError
            answered = time.monotonic()
            who = server.query("/")
            libraries = parsing.libraries(server.query("/library/sections"))
    except PlexUnauthorized:
        return Trial(False, "Wrong token: Plex refuses it.")
    except PlexApiError:
        return Trial(False, "Not a Plex server: something else answers at this address.")
    except PlexServerUnavailable as problem:
        return Trial(False, _why(problem, to, seconds))
    milliseconds = max(1, round((answered - began) * 1000))
    name, version = _shown(who.get("friendlyName")), _shown(who.get("version"))
    count = f"{len(libraries)} {'library' if len(libraries) == 1 else 'libraries'}"
    return Trial(
        True,
        f"Connected to {name}, version {version}, {count}, in {milliseconds} ms.",
        tuple((each.id, each.title or each.id) for each in libraries),
    )


def _why(problem: Problem, to: Connection, seconds: float) -> str:
    causes = list(_causes(problem.__cause__))
    if not causes:
        return "Starting up: Plex answers, but is not ready yet."
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            fault = _CERTIFICATES.get(cause.verify_code, "it cannot be verified")
            return f"Plex's certificate is not accepted: {fault}."
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "Cannot be reached: no TLS is spoken there; does the address begin with http://?"
    return f"Cannot be reached: {_fault(causes, seconds)}."


def _fault(causes: list[BaseException], seconds: float) -> str:
    if any(isinstance(cause, transport.ForbiddenHost) for cause in causes):
        return "the name leads to a link-local or metadata host, which is refused"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "the host's name is not known"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "the connection was refused; Plex does not run there, or has another port"
    if any(isinstance(cause, OSError) and cause.errno in _UNREACHABLE for cause in causes):
        return "no way leads to this host"
    waits = (TimeoutError, ConnectTimeoutError, ReadTimeoutError, requests.Timeout)
    if any(isinstance(cause, waits) for cause in causes):
        return f"no answer within {seconds:g} seconds"
    return "the connection was closed without an answer"


def _causes(error: Any) -> Iterator[BaseException]:
    """Walk through an exception and everything it stands for; libraries keep that in many ways."""
    waiting, seen = [error], set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None)]
            waiting += each.args


def _shown(text: str | None) -> str:
    """Return a short printable piece of what Plex calls itself."""
    return re.sub(r"[^\w .,'()&+:-]", "", text or "")[:80].strip() or "unknown"
