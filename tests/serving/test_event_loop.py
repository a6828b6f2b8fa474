"""Nothing that runs in the event loop blocks it: no database, no file, no socket, no sleep."""

import asyncio
import builtins
import io
import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from django.test import Client as Browser

from accounts import tokens
from accounts.models import User
from medianest import store
from medianest.asgi import Service
from medianest.store.stamps import PREFIX
from plex_integration.caching import entry_cache, known_requests
from plex_integration.configuration import runtime
from plex_integration.policies import LIBRARY_OPERATIONS
from plex_simulator import Simulator

from .exchange import Client, scope_of

PATH = "/api/v1/plex/libraries/1/items?size=2&details=summary"
UNKNOWN = "/api/v1/plex/libraries/1/items?size=3&details=summary"
BLOCKING: list[tuple[Any, str]] = [
    (time, "sleep"),
    (builtins, "open"),
    (io, "open"),
    (socket, "getaddrinfo"),
    *((socket.socket, name) for name in ("connect", "recv", "recv_into", "send", "sendall")),
]


class LoopGuard:
    """Refuses, in the thread of the event loop, whatever could block it.

    Django itself refuses its database in a thread with a running event loop.
    """

    def __init__(self) -> None:
        self.thread: int | None = None
        self.violations: list[str] = []

    def refusing(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def guarded(*given: Any, **named: Any) -> Any:
            if threading.get_ident() == self.thread and not _is_nonblocking(*given):
                self.violations.append(name)
                raise AssertionError(f"{name} blocks the event loop")
            return function(*given, **named)

        return guarded


def _is_nonblocking(*given: Any) -> bool:
    return bool(given) and isinstance(given[0], socket.socket) and given[0].gettimeout() == 0


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> LoopGuard:
    guard = LoopGuard()
    for owner, name in BLOCKING:
        monkeypatch.setattr(owner, name, guard.refusing(getattr(owner, name), name))
    return guard


@pytest.fixture(params=["one process", "Redis"])
def cached(request: Any, plex: Simulator, transactional_db: None) -> None:
    """The response to `PATH` is cached, on either kind of store."""
    if request.param == "Redis":
        request.getfixturevalue("shared")
    assert Browser().get(PATH, headers=bearer(new_user()[1])).status_code == 200


def new_user() -> tuple[User, str]:
    user = User.objects.create(username=f"user-{User.objects.count()}", password="!")
    return user, tokens.issue(user).access


def forget_users() -> None:
    """Let the store forget the stamps of all users, as it does after an hour."""
    stamps: Any = store.current().stamps
    if server := getattr(stamps, "_server", None):
        server.client.delete(*server.client.keys(f"{PREFIX}*"))
    else:
        stamps._stamps.clear()


def bearer(access: str) -> dict[str, str]:
    return {"authorization": f"Bearer {access}"}


def served(guard: LoopGuard, *requests: tuple[str, dict[str, str]]) -> list[Client]:
    """Serve requests one after another in a guarded event loop."""

    async def scenario() -> list[Client]:
        service = Service()
        await service._start()
        guard.thread = threading.get_ident()
        try:
            return [
                await Client().ask(service.lifespan, scope_of(path, **headers))
                for path, headers in requests
            ]
        finally:
            guard.thread = None
            await service._end()

    clients = uvloop.run(scenario())
    assert guard.violations == []
    return clients


def outcome(client: Client) -> tuple[int, str]:
    return client.status, client.headers.get("x-plex-cache-status", "")


def test_the_guard_sees_what_blocks(guard: LoopGuard, transactional_db: None) -> None:
    async def blocking() -> None:
        guard.thread = threading.get_ident()
        with pytest.raises(AssertionError):
            time.sleep(0)
        with pytest.raises(AssertionError), socket.socket() as line:
            line.connect(("127.0.0.1", 9))
        guard.thread = None

    asyncio.run(blocking())
    assert guard.violations == ["sleep", "connect"]


def test_hits_do_not_block(cached: None, guard: LoopGuard) -> None:
    _, access = new_user()
    first, second = served(guard, (PATH, bearer(access)), (PATH, bearer(access)))
    assert outcome(first) == outcome(second) == (200, "HIT")
    etag = {"if_none_match": first.headers["etag"]}
    (known,) = served(guard, (PATH, bearer(access) | etag))
    assert known.status == 304


def test_what_this_process_does_not_know_or_hold_is_read_without_blocking(
    cached: None, guard: LoopGuard
) -> None:
    known_requests.forget()
    entry_cache.forget()
    headers = bearer(new_user()[1])
    first, second = served(guard, (PATH, headers), (PATH, headers))
    assert outcome(first) == outcome(second) == (200, "HIT")


def test_requests_that_nobody_knows_do_not_block(cached: None, guard: LoopGuard) -> None:
    headers = bearer(new_user()[1])
    first, second = served(guard, (UNKNOWN, headers), (UNKNOWN, headers))
    assert (outcome(first), outcome(second)) == ((200, "MISS"), (200, "HIT"))


def test_refusals_of_the_limit_do_not_block(cached: None, guard: LoopGuard) -> None:
    headers = bearer(new_user()[1])
    clients = served(guard, *[(PATH, headers)] * (LIBRARY_OPERATIONS.requests + 1))
    assert [client.status for client in clients][-2:] == [200, 429]


def change_nothing(_: User) -> None:
    return


@pytest.mark.parametrize(
    ("change", "status"),
    [(change_nothing, 200), (User.revoke_tokens, 401), (User.delete, 401)],
    ids=["valid", "revoked", "deleted"],
)
def test_users_whom_the_store_does_not_know_do_not_block(
    cached: None, guard: LoopGuard, change: Callable[[User], Any], status: int
) -> None:
    user, access = new_user()
    change(user)
    forget_users()
    (client,) = served(guard, (PATH, bearer(access)))
    assert client.status == status


def test_tokens_that_the_store_knows_as_revoked_do_not_block(
    cached: None, guard: LoopGuard
) -> None:
    user, access = new_user()
    assert outcome(served(guard, (PATH, bearer(access)))[0]) == (200, "HIT")
    user.revoke_tokens()
    assert served(guard, (PATH, bearer(access)))[0].status == 401


def test_changed_settings_do_not_block(
    cached: None, guard: LoopGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer(new_user()[1])
    store.current().values.invalidate_tags([runtime.SETTINGS])
    monkeypatch.setattr(runtime, "_checked_until", 0.0)
    clients = served(guard, (PATH, headers), (PATH, headers))
    assert [client.status for client in clients] == [200, 200]
    runtime.reload()
    assert outcome(served(guard, (PATH, headers))[0]) == (200, "HIT")


def test_refusals_and_what_other_layers_answer_do_not_block(cached: None, guard: LoopGuard) -> None:
    foreign = {"host": "elsewhere.example"}
    live, too_large, bad, nothing, refused = served(
        guard,
        ("/api/v1/health/live", {}),
        ("/api/v1/auth/token", {"content_length": "9999999"}),
        (PATH, bearer("bad")),
        ("/nothing", {}),
        (PATH, bearer(new_user()[1]) | foreign),
    )
    statuses = [each.status for each in (live, too_large, bad, nothing, refused)]
    assert statuses == [200, 413, 401, 404, 400]
    assert json.loads(live.content)["data"] == {"status": "alive"}
