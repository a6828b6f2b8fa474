"""HTTP sessions for Plex and plex.tv: one deadline for everything, and no detours.

Redirects, proxies, netrc files and cookies are not used. `enforce_deadline` limits everything that
a thread does on the network: resolving, connecting, TLS and every byte it reads. So a server that
sends one byte now and then is cut off as well; the timeouts of requests and urllib3 begin anew with
every read.
"""

import io
import ipaddress
import math
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    InsecureRequestWarning,
    NameResolutionError,
    NewConnectionError,
)

from medianest.addresses import is_forbidden

# Idle connections per Plex server and process; more are opened when needed.
_POOL_SIZE = 32

_thread = threading.local()
# getaddrinfo has no timeout: for names it runs in a thread of its own, and the caller waits until
# the deadline at most. An IP address needs no lookup, so it never waits behind names that hang.
_resolver = ThreadPoolExecutor(max_workers=4, thread_name_prefix="resolve")

# The operator decides whether TLS is verified, and a system check warns about it once.
urllib3.disable_warnings(InsecureRequestWarning)


@contextmanager
def enforce_deadline(deadline: float) -> Iterator[None]:
    """Limit the network use of this thread by a moment of `time.monotonic()`.

    Within another limit, the earlier moment counts.
    """
    outer: float = getattr(_thread, "deadline", math.inf)
    _thread.deadline = min(deadline, outer)
    try:
        yield
    finally:
        _thread.deadline = outer


def remaining_seconds() -> float:
    """Return the seconds until this thread's deadline; raise TimeoutError if it has passed."""
    seconds: float = _thread.deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the deadline has passed")
    return seconds


def new_session(verify: bool | str) -> requests.Session:
    """Return a session that threads may share; `verify` is True, False or the path of a CA file."""
    session = requests.Session()
    session.trust_env = False
    session.verify = verify
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        session.mount(scheme, _adapter(pool_maxsize=_POOL_SIZE, pool_connections=1))
    return session


class ForbiddenHost(NewConnectionError):
    """The host name resolves to an address that this service must never connect to."""


class _Reader(io.RawIOBase):
    """Read from a socket, never beyond the deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw: Any = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(remaining_seconds())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Socket:
    """A connected socket whose files observe the deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _Connection(HTTPConnection):
    """A connection that observes the deadline and refuses forbidden hosts."""

    def connect(self) -> None:
        super().connect()
        self.sock = _Socket(self.sock)

    def _new_conn(self) -> socket.socket:
        """Return a socket connected to the first address of the host that accepts it."""
        host: str = self._dns_host
        refused: OSError | None = None
        for family, kind, protocol, _, address in self._resolve(host):
            sock = socket.socket(family, kind, protocol)
            try:
                _connect(sock, address)
                return sock
            except TimeoutError as error:
                raise ConnectTimeoutError(self, f"connecting to {host} took too long") from error
            except OSError as error:
                refused = error
        raise NewConnectionError(self, f"cannot connect to {host}: {refused}") from refused

    def _resolve(self, host: str) -> list[Any]:
        wanted = (host, self.port, 0, socket.SOCK_STREAM)
        found = socket.getaddrinfo(*wanted) if _is_ip(host) else self._look_up(*wanted)
        # Checked on every connection: a name may resolve to another address every time.
        if any(is_forbidden(str(address[0])) for *_, address in found):
            raise ForbiddenHost(self, f"{host} resolves to a link-local or metadata host")
        return found

    def _look_up(self, host: str, *wanted: int) -> list[Any]:
        lookup = _resolver.submit(socket.getaddrinfo, host, *wanted)
        try:
            return lookup.result(remaining_seconds())
        except socket.gaierror as error:
            raise NameResolutionError(host, self, error) from error
        except TimeoutError as error:
            lookup.cancel()
            raise ConnectTimeoutError(self, f"resolving {host} took too long") from error


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _connect(sock: socket.socket, address: Any) -> None:
    try:
        sock.settimeout(remaining_seconds())
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect(address)
    except OSError:
        sock.close()
        raise


class _TLSConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class Adapter(HTTPAdapter):
    """Sends requests over connections that observe the deadline."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}


_adapter: type[Adapter] = Adapter


def add_adapter(adapter: type[Adapter]) -> None:
    """Let every session that is made from now on send its requests through another adapter, too.

    Its `send` calls that of its parent: these are the adapters that were added before.
    """
    global _adapter
    _adapter = type(adapter.__name__, (adapter, _adapter), {})
