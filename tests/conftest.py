"""A simulated Plex, the service in front of it on a real socket, and clients that sign in."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
from django.conf import settings
from django.core.cache import caches
from django.core.signals import setting_changed
from django.db import Error

from accounts import verified_tokens
from medianest import store
from medianest.monitoring import background, recent_errors
from medianest.serving import outer_headers
from plex_integration.admin.service import plex_check
from plex_integration.admin.service.database import pending_migrations
from plex_integration.caching import (
    access_checks,
    entry_cache,
    known_requests,
    metrics,
    projection,
    views,
)
from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection
from plex_integration.linking.polling import poller
from plex_integration.reading import catalog
from plex_integration.writing import played_threshold
from plex_simulator import Simulator

pytest_plugins = [
    "tests.service",
    "tests.topologies",
    "tests.server",
    "tests.postgresql",
    "tests.suite_database",
    "tests.image",
]

# The default hasher is slow on purpose, and most tests create a user and sign in.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A thread adds numbers to the store every two seconds. It may have taken those of a test and not
# have added them when the test looks, or it adds them to the store of the next test.
background.SECONDS = 86_400

# A busy machine may run any example of a property late. What CI has by default stays.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

# Fixtures that start a service, or several Valkeys, for many tests. These tests run on one xdist
# worker, so that they are started once.
EXPENSIVE = (
    "_service",
    "_exposed",
    "_divided",
    "image",
    "alone",
    "_large",
    "_listened_service",
    "_postgresql",
    "two_workers",
    "under_wsgi",
    "isolated",
    "hurried",
    "_logging_service",
    "_counting_service",
    "_traced",
    "_replaceable",
    "_instances",
    "_behind",
    "_cluster",
    "_proxied",
    "_releases",
    "_resharded",
    "_uvicorn",
    "_watched",
    "served",
)

PASSWORD = "correct-horse-battery-staple"


class Client(requests.Session):
    """A client of the API: paths are relative to /api/v1."""

    def __init__(self, root: str, access: str | None = None) -> None:
        super().__init__()
        self.trust_env = False
        self.root = root
        if access:
            self.headers["Authorization"] = f"Bearer {access}"

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", 30)
        return super().request(method, self.root + "/api/v1" + url, **kwargs)

    def data(self, url: str, **kwargs: Any) -> Any:
        """GET a path that must succeed; return what is under `data`."""
        response = self.get(url, **kwargs)
        assert response.status_code == 200, response.text
        body = response.json()
        assert body["success"] is True
        return body["data"]

    def error(self, url: str, status: int, code: str, **kwargs: Any) -> Any:
        """GET a path that must fail so; return what is under `error`."""
        response = self.get(url, **kwargs)
        body = response.json()
        assert (response.status_code, body["error"]["code"]) == (status, code), response.text
        assert body["success"] is False
        assert response.headers["Cache-Control"] == "no-store"
        return body["error"]


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before xdist and `-m` read the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Group the tests that share a service, mark them as slow, and begin with the slow ones."""
    for item in items:
        used = [name for name in EXPENSIVE if name in getattr(item, "fixturenames", ())]
        if used:
            item.add_marker(pytest.mark.xdist_group(used[0]))
            item.add_marker(pytest.mark.slow)
    yield
    # pytest-django puts tests without a database last. A test of minutes that begins last runs
    # alone, while the other workers have nothing to do.
    items.sort(key=_is_fast)


def _is_fast(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is None


@pytest.fixture(scope="session")
def _simulator() -> Iterator[Simulator]:
    with Simulator(seed=7, edge_cases=True) as simulator:
        yield simulator


@pytest.fixture
def plex(_simulator: Simulator, settings: Any, tmp_path: Path) -> Iterator[Simulator]:
    """A simulated Plex that the service is configured with; healthy and uncounted."""
    _simulator.heal()
    _simulator.reset_requests()
    settings.PLEX_URL = _simulator.url
    # The owner's token of the server: a test may have signed in, which replaces the account's.
    settings.PLEX_TOKEN = _simulator.accounts.owner.server_token
    settings.PLEX_TIMEOUT = 10
    settings.PICTURES_FOLDER = tmp_path / "pictures"
    yield _simulator
    _simulator.heal()


@pytest.fixture
def user(transactional_db: None, django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("ada", "ada@example.com", PASSWORD)


@pytest.fixture
def anonymous(server: Any) -> Client:
    """A client that has not signed in."""
    return Client(server.url)


@pytest.fixture
def api(plex: Simulator, user: Any, server: Any, anonymous: Client) -> Client:
    """A client that is signed in as `user`."""
    answer = anonymous.post("/auth/token", json={"username": "ada", "password": PASSWORD})
    return Client(server.url, answer.json()["data"]["access"])


def _begin_anew(setting: str, **_: Any) -> None:
    """Take a changed setting of the connection for the first start, which reads it."""
    if setting.startswith("PLEX_"):
        with contextlib.suppress(Error, RuntimeError):  # a test without a database has no row
            PlexConnection.objects.all().delete()
        runtime.reload()


setting_changed.connect(_begin_anew)


@pytest.fixture(autouse=True)
def _settings_without_rows(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the documented values be in force where a test has no database."""
    if not {"db", "transactional_db"} & set(request.fixturenames):
        monkeypatch.setattr(runtime, "_read", lambda version: runtime.Snapshot(version))


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    """Begin every test with empty caches, full limits and no memory of tokens or lists."""
    forget_everything()
    yield
    forget_everything()


def forget_everything() -> None:
    """Make this process new: its store, its lists, its memory of tokens."""
    poller.stop()
    for thread in threading.enumerate():
        if thread.name == "plex-status":
            thread.join()  # a check of Plex for a page that did not wait for it
    caches["default"].clear()
    store.current.cache_clear()
    catalog.forget()
    known_requests.forget()
    entry_cache.forget()
    projection.forget()
    views.forget()
    access_checks.forget()
    verified_tokens.forget()
    outer_headers.forget()
    runtime.reload()
    metrics.discard()
    recent_errors.discard()
    plex_check.forget()
    pending_migrations.cache_clear()
    played_threshold.forget()
