"""What a master had received but not replicated before it failed is written again."""

from typing import Any

import pytest
import redis

from medianest.store import Stamp, redis_server
from medianest.store.stamps import now, stamp_key
from medianest.store.values import VERSIONS_KEY
from tests.service import Stores, until
from tests.topologies import Watched


@pytest.fixture
def store(stores: Stores, watched: Watched) -> Any:
    """This process's own store."""
    return stores.use(watched.url)


def fail(store: Any) -> None:
    """Let this process find Redis unavailable, and then another server in its place."""
    availability = store._cache.availability
    availability.report_failure(redis.exceptions.ConnectionError("the master has died"))
    until(availability.is_available, 20, "Redis is used again")


def test_an_invalidation_that_was_lost_is_repeated(store: Any, watched: Watched) -> None:
    client = watched.master.client
    assert store.values.invalidate_tags(["item:1"])
    before = client.get(VERSIONS_KEY)
    assert store.values.invalidate_tags(["item:2"])
    assert store.values.invalidate_tags(["item:3"], "viewer")
    client.set(VERSIONS_KEY, before)
    client.delete(f"{VERSIONS_KEY}:viewer")
    fail(store)
    versions = store.values.tag_versions("viewer")
    assert versions.get("item:2") not in ("", " ")
    assert versions.get("item:3") not in ("", " ")


def test_a_revocation_that_was_lost_is_repeated(store: Any, watched: Watched) -> None:
    valid = Stamp("valid", now())
    store.stamps.renew([("1", valid, None)])
    assert store.stamps.invalidate(["1"])
    watched.master.client.set(stamp_key("1"), valid.to_bytes())
    fail(store)
    assert Stamp.parse(watched.master.client.get(stamp_key("1"))).text.startswith("invalid-")


def test_what_was_written_long_before_is_not_repeated(
    store: Any, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.values.invalidate_tags(["item:1"])
    written = watched.master.client.get(VERSIONS_KEY)
    monkeypatch.setattr(redis_server, "RECENT_SECONDS", 0.0)
    fail(store)
    assert watched.master.client.get(VERSIONS_KEY) == written
