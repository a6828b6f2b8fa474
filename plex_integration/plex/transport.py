"""How bytes come from Plex: one HTTP session that cannot be led astray or kept waiting.

Redirects, proxies, netrc and cookies are refused; one deadline holds for everything a thread does
inside `within`: resolving, connecting, TLS and every byte read, so that a server that sends a
byte now and then is cut off too. urllib3's own timeouts begin anew with each read.
"""

import io
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

# Idle connections kept per Plex server and process; more are opened when needed.
_POOL = 32

_thread = threading.local()
# getaddrinfo takes no timeout: it runs beside the caller, who stops waiting at the deadline.
_resolver = ThreadPoolExecutor(max_workers=4, thread_name_prefix="resolve")

# Whether to verify TLS is an operator's decision, and a system check speaks of it once.
urllib3.disable_warnings(InsecureRequestWarning)


@contextmanager
def within(deadline: float) -> Iterator[None]:
    """Bound all reads of this thread by a moment of `time.monotonic()`."""
    _thread.deadline = deadline
    try:
        yield
    finally:
        del _thread.deadline


def session(verify: bool | str) -> requests.Session:
    """Return a session for GETs from any thread; `verify` is True, False or a CA file's path."""
    made = requests.Session()
    made.trust_env = False
    made.verify = verify
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        made.mount(scheme, _Adapter(pool_maxsize=_POOL, pool_connections=1))
    return made


def remaining() -> float:
    """Return the seconds this thread has left; raise TimeoutError when there are none."""
    left: float = _thread.deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for this answer is over")
    return left


class ForbiddenHost(NewConnectionError):
    """The name leads to a host that this service never speaks to."""


class _Reader(io.RawIOBase):
    """A socket's raw reader that never waits past the deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw: Any = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(remaining())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Socket:
    """A connected socket whose readers are bounded by the deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _Bounded(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        host: str = self._dns_host
        try:
            found = _resolver.submit(
                socket.getaddrinfo, host, self.port, 0, socket.SOCK_STREAM
            ).result(remaining())
        except socket.gaierror as error:
            raise NameResolutionError(host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"resolving {host} took too long") from error
        # A name can lead anywhere, and elsewhere with every question.
        if any(is_forbidden(str(address[0])) for *_, address in found):
            raise ForbiddenHost(self, f"{host} leads to a link-local or metadata host")
        refused: OSError | None = None
        for family, kind, protocol, _, address in found:
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(remaining())
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.connect(address)
                return sock
            except TimeoutError as error:
                sock.close()
                raise ConnectTimeoutError(self, f"connecting to {host} took too long") from error
            except OSError as error:
                sock.close()
                refused = error
        raise NewConnectionError(self, f"cannot connect to {host}: {refused}") from refused

    def connect(self) -> None:
        super().connect()
        self.sock = _Socket(self.sock)


class _BoundedTLS(_Bounded, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Bounded


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTLS


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
