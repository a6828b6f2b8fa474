"""Test a connection for an operator and describe the result in one sentence."""

import errno
import re
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, ReadTimeoutError

from medianest.api.exceptions import Problem
from medianest.serving import upstream
from plex_integration.configuration.connection import Connection
from plex_integration.errors import PlexApiError, PlexServerUnavailable, PlexUnauthorized
from plex_integration.plex import media
from plex_integration.plex.http import PlexHttp
from plex_integration.plex.parsing.libraries import parse_libraries
from plex_integration.plex.transport import ForbiddenHost, enforce_deadline

# How long an operator waits for the sentence.
MAX_SECONDS = 10.0

NOT_PLEX = "Not a Plex server: something else answers at this address."

# X.509 verification results (https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/).
_CERTIFICATE_FAULTS = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is self-signed",
    19: "its certificate authority is not trusted",
    20: "its certificate authority is not trusted",
    21: "its certificate authority is not trusted",
    23: "it has been revoked",
    62: "it is for another host name",
    64: "it is for another IP address",
}
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN)
_TIMEOUTS = (TimeoutError, ConnectTimeoutError, ReadTimeoutError, requests.Timeout)


@dataclass(frozen=True)
class Diagnosis:
    """The result of a test; `libraries` are the ids and titles of those the token may see."""

    is_connected: bool
    message: str
    libraries: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Server:
    """What a server sent, and the seconds its first response took."""

    name: str | None
    version: str | None
    libraries: Sequence[media.Library]
    seconds: float


def diagnose(connection: Connection, max_seconds: float = MAX_SECONDS) -> Diagnosis:
    """Request a server's name and the token's libraries; return what works or why it does not.

    Raises UpstreamNeeded where this thread must not wait.
    """
    if not upstream.may_wait():
        return Diagnosis(False, "Not tested: too many requests wait for Plex. Try again.")
    seconds = min(max_seconds, connection.seconds)
    try:
        return _success(_request_all(connection, seconds))
    except PlexUnauthorized:
        return Diagnosis(False, "Wrong token: Plex refuses it.")
    except PlexApiError:
        return Diagnosis(False, NOT_PLEX)
    except PlexServerUnavailable as problem:
        return Diagnosis(False, unavailable_reason(problem, seconds))


def _request_all(connection: Connection, seconds: float) -> _Server:
    http = PlexHttp(connection)
    began = time.monotonic()
    with closing(http), enforce_deadline(began + seconds):
        if not http.query("/identity").get("machineIdentifier"):
            raise PlexApiError
        answered = time.monotonic()
        server = http.query("/")
        libraries = parse_libraries(http.query("/library/sections")).all
    name, version = server.get("friendlyName"), server.get("version")
    return _Server(name, version, libraries, answered - began)


def _success(server: _Server) -> Diagnosis:
    name, version = _printable(server.name), _printable(server.version)
    count = len(server.libraries)
    counted = f"{count} {'library' if count == 1 else 'libraries'}"
    milliseconds = max(1, round(server.seconds * 1000))
    return Diagnosis(
        True,
        f"Connected to {name}, version {version}, {counted}, in {milliseconds} ms.",
        tuple((each.id, each.title or each.id) for each in server.libraries),
    )


def unavailable_reason(problem: Problem, seconds: float) -> str:
    """Return in one sentence why a server was unavailable that had so many seconds."""
    causes = list(_causes(problem.__cause__))
    if not causes:
        return "Starting up: Plex answers, but is not ready yet."
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            fault = _CERTIFICATE_FAULTS.get(cause.verify_code, "it cannot be verified")
            return f"Plex's certificate is not accepted: {fault}."
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "Cannot be reached: the server does not use TLS. Try an address with http://."
    return f"Cannot be reached: {_network_fault(causes, seconds)}."


def _network_fault(causes: list[BaseException], seconds: float) -> str:
    if any(isinstance(cause, ForbiddenHost) for cause in causes):
        return "the host is a link-local or metadata host, which is refused"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "the host name is unknown"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "the connection was refused; Plex does not run there, or has another port"
    if any(isinstance(cause, OSError) and cause.errno in _UNREACHABLE for cause in causes):
        return "there is no route to this host"
    if any(isinstance(cause, _TIMEOUTS) for cause in causes):
        return f"no answer within {seconds:g} seconds"
    return "the connection was closed without an answer"


def _causes(error: Any) -> Iterator[BaseException]:
    """Return an exception and all exceptions behind it, wherever a library has put them."""
    waiting, seen = [error], set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None)]
            waiting += each.args


def _printable(text: str | None) -> str:
    """Return a short, harmless piece of a text that a server sent."""
    return re.sub(r"[^\w .,'()&+:-]", "", text or "")[:80].strip() or "unknown"
