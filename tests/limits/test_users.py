"""A user whose tokens are not valid any more is refused by the very next request, hits too."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from accounts import stamps, tokens, verified_tokens
from accounts.models import User
from medianest import store
from medianest.store import stamps as stored_stamps
from plex_integration.caching import fast_path_layers
from plex_simulator import Simulator
from tests import counting
from tests.conftest import Client
from tests.pace import Stopwatch
from tests.service import until

PATH = "/plex/libraries/1/items?size=2"


@dataclass(frozen=True)
class Scene:
    """A user, and a client that gets hits with the user's token."""

    user: User
    client: Client
    url: str

    def signed_in(self) -> Client:
        """Return a client with another token of the user."""
        user = User.objects.get(pk=self.user.pk)
        return Client(self.url, tokens.issue(user).access)


@pytest.fixture(params=["in this process", "Redis"])
def scene(request: Any, plex: Simulator, server: Any) -> Iterator[Scene]:
    if request.param == "Redis":
        request.getfixturevalue("shared")
    users = [User.objects.create(username=name, password="!") for name in ("ada", "grace")]
    clients = [Client(server.url, tokens.issue(user).access) for user in users]
    clients[1].data(PATH)  # makes it a hit
    scene = Scene(users[0], clients[0], server.url)
    until(lambda: is_hit(clients[1]), 10, "responses are cached")
    assert is_hit(scene.client)
    yield scene
    for client in clients:
        client.close()


def is_hit(client: Client) -> bool:
    answer = client.get(PATH)
    assert answer.status_code == 200, answer.text
    return answer.headers["X-Plex-Cache-Status"] == "HIT"


def refused(scene: Scene) -> None:
    """Require that the next requests are refused, on either path."""
    for _ in range(3):
        scene.client.error(PATH, 401, "UNAUTHORIZED")
    scene.client.error(PATH, 401, "UNAUTHORIZED", headers={"Cache-Control": "no-cache"})
    scene.client.error("/auth/session", 401, "UNAUTHORIZED")


def save_inactive(user: User) -> None:
    user.is_active = False
    user.save()


def save_one_field(user: User) -> None:
    user.is_active = False
    user.save(update_fields=["is_active"])


def change_password(user: User) -> None:
    user.set_password("another-password")
    user.save()


def update(user: User) -> None:
    User.objects.filter(username=user.username).update(is_active=False)


def bulk_update(user: User) -> None:
    user.password = "!another"
    User.objects.bulk_update([user], ["password"])


def in_a_transaction(user: User) -> None:
    with transaction.atomic():
        update(user)


CHANGES: dict[str, Callable[[User], Any]] = {
    "saved as inactive": save_inactive,
    "one field saved": save_one_field,
    "password changed": change_password,
    "updated": update,
    "updated in bulk": bulk_update,
    "tokens revoked": User.revoke_tokens,
    "deleted": User.delete,
    "query set deleted": lambda user: User.objects.filter(pk=user.pk).delete(),
    "changed in a transaction": in_a_transaction,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_user_is_refused_by_the_very_next_request(
    scene: Scene, change: Callable[[User], Any]
) -> None:
    change(scene.user)
    refused(scene)


def change_and_fail(user: User) -> None:
    with transaction.atomic():
        save_inactive(user)
        user.delete()
        raise ZeroDivisionError


def test_a_change_that_is_rolled_back_changes_nothing(scene: Scene) -> None:
    with pytest.raises(ZeroDivisionError):
        change_and_fail(scene.user)
    assert is_hit(scene.client)


def test_what_decides_about_no_token_makes_no_user_unknown(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.user.first_name = "Ada"
    scene.user.save(update_fields=["first_name"])
    User.objects.update(last_name="Lovelace")
    recorded = counting.queries(monkeypatch)
    assert is_hit(scene.client)
    assert not relevant(recorded)


def relevant(recorded: list[str]) -> list[str]:
    """Return the queries that are not about the settings: without Redis, those are read again."""
    return [sql for sql in recorded if "plex_integration_" not in sql]


def test_a_hit_asks_no_database_whoever_asks(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    newcomer = User.objects.create(username="linus", password="!")
    client = Client(scene.url, tokens.issue(newcomer).access)
    recorded = counting.queries(monkeypatch)
    for each in (client, scene.client, client):
        assert is_hit(each)
    assert not relevant(recorded)


def test_a_new_token_after_a_change_gets_hits_at_once(scene: Scene) -> None:
    scene.user.revoke_tokens()
    client = scene.signed_in()
    assert is_hit(client)
    refused(scene)
    assert is_hit(client)


def test_a_revoked_token_that_keeps_asking_uses_up_nothing_of_the_user(scene: Scene) -> None:
    scene.user.revoke_tokens()
    client = scene.signed_in()
    before = int(client.get(PATH).headers["X-RateLimit-Remaining"])
    for _ in range(10):
        scene.client.error(PATH, 401, "UNAUTHORIZED")
    assert int(client.get(PATH).headers["X-RateLimit-Remaining"]) == before - 1


def revoke_with_sql(user: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_user SET token_generation = token_generation + 1 WHERE id = %s",
            [user.pk],
        )


@contextmanager
def later(monkeypatch: pytest.MonkeyPatch, seconds: int) -> Iterator[None]:
    """Move the clock that the stamps are compared by."""
    with monkeypatch.context() as patch:
        moved = int(time.time()) + seconds
        patch.setattr(stored_stamps, "now", lambda: moved)
        yield


def test_a_change_that_was_made_with_sql_is_found_within_thirty_seconds(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_path_layers, "BATCH_SECONDS", 0.01)
    revoke_with_sql(scene.user)
    assert is_hit(scene.client), "nothing says so"
    assert stamps.CHECK_SECONDS + 1 < 30
    assert stored_stamps.LOCAL_SECONDS < 30
    with later(monkeypatch, stamps.CHECK_SECONDS):
        scene.client.get(PATH)
        until(lambda: scene.client.get(PATH).status_code == 401, 10, "it is compared")
    refused(scene)


def test_a_new_token_gets_hits_again_after_a_change_that_was_made_with_sql(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_path_layers, "BATCH_SECONDS", 0.01)
    revoke_with_sql(scene.user)
    client = scene.signed_in()
    with later(monkeypatch, stamps.CHECK_SECONDS):
        client.data(PATH)
        recorded: list[str] = counting.queries(monkeypatch)
        until(lambda: costs_nothing(client, recorded), 10, "the fast path knows the new stamp")
    refused(scene)


def costs_nothing(client: Client, recorded: list[str]) -> bool:
    recorded.clear()
    return is_hit(client) and not relevant(recorded)


def test_the_comparison_of_many_users_is_one_query_in_the_background(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_path_layers, "BATCH_SECONDS", 0.5)
    users = [User.objects.create(username=f"user-{n}", password="!") for n in range(5)]
    clients = [Client(scene.url, tokens.issue(user).access) for user in users]
    with later(monkeypatch, stamps.CHECK_SECONDS):
        recorded = counting.queries(monkeypatch)
        watch = Stopwatch()
        assert all(is_hit(client) for client in clients)
        if watch.seconds < 0.4:
            assert not relevant(recorded)
        until(lambda: all_checked(users), 10, "they are compared")
        if watch.seconds < 0.9:
            assert len(relevant(recorded)) == 1


def all_checked(users: list[User]) -> bool:
    moved = stored_stamps.now()
    return all(checked_at(user) == moved for user in users)


def checked_at(user: User) -> int:
    """Return when the stamp was compared, as a request finds it."""
    current: Any = store.current()
    hit = stored_stamps_hit(user)
    return int(current.read_fast("x", hit).counted.stamp.checked_at)


def stored_stamps_hit(user: User) -> Any:
    return store.StampedHit(store.Hit("x", 1000, 60, expires=False), str(user.pk), "none")


def test_a_change_between_the_load_and_the_renewal_of_a_stamp_wins(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker loads the stamp, is held up while the user is deactivated, and then goes on."""
    loaded, go_on = threading.Event(), threading.Event()
    load = stamps._load

    def held_up(ids: Any) -> Any:
        found = load(ids)
        if threading.current_thread() is not threading.main_thread():
            loaded.set()
            assert go_on.wait(20)
        return found

    monkeypatch.setattr(stamps, "_load", held_up)
    monkeypatch.setattr(fast_path_layers, "BATCH_SECONDS", 0.0)
    with later(monkeypatch, stamps.CHECK_SECONDS):
        assert is_hit(scene.client)
        assert loaded.wait(20)
        save_inactive(scene.user)
        go_on.set()
        for _ in range(20):
            assert scene.client.get(PATH).status_code == 401
            time.sleep(0.01)


def test_a_verified_token_is_verified_again_only_once_it_has_expired(db: None) -> None:
    user = User.objects.create(username="ada", password="!")
    token = tokens.RefreshToken.for_user(user).access_token
    remembered = verified_tokens.verified(str(token))
    assert verified_tokens.verified(str(token)) is remembered
    remembered.payload["exp"] = int(time.time())
    assert verified_tokens.verified(str(token)) is not remembered
    token.set_exp(lifetime=timedelta(0))
    with pytest.raises(tokens.TokenRefused):
        verified_tokens.verified(str(token))


def test_a_refused_token_is_not_remembered() -> None:
    for number in range(50):
        with pytest.raises(tokens.TokenRefused):
            verified_tokens.verified(f"not.a.token-{number}")
    assert len(verified_tokens._tokens) == 0
