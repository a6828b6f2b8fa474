"""What a request of the service in this process costs: round trips to Redis and queries."""

from typing import Any

import pytest
from django.db.backends.utils import CursorWrapper

from medianest.store.redis_server import RedisServer


def queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the queries of all connections of all threads, the server's too.

    What begins a transaction is left out: only with SQLite it is a query of its own.
    """
    recorded: list[str] = []
    execute = CursorWrapper.execute

    def recorded_execute(self: Any, sql: str, params: Any = None) -> Any:
        if not sql.startswith("BEGIN"):
            recorded.append(sql)
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", recorded_execute)
    return recorded


def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Record each round trip to Redis, by whichever connection: the names of its commands.

    The metrics of all requests, which a thread adds every two seconds, are left out.
    """
    recorded: list[tuple[str, ...]] = []
    for name in ("send", "send_in_loop", "execute"):
        original = getattr(RedisServer, name)

        def recorded_send(self: Any, *commands: Any, original: Any = original) -> Any:
            names = tuple(command[0] for command in commands)
            if "HINCRBY" not in names:
                recorded.append(names)
            return original(self, *commands)

        monkeypatch.setattr(RedisServer, name, recorded_send)
    return recorded
