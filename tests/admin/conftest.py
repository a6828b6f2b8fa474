"""Users with different permissions, signed in to the admin without hashing a password."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client as Browser

from accounts.models import User
from plex_integration.configuration.models import PlexConnection
from plex_simulator import Simulator

CONNECTION = "/admin/plex_integration/plexconnection/"
POLICIES = "/admin/plex_integration/policychange/"
STATUS = "/admin/plex_integration/cachestatus/"
IMPORT = "/admin/plex_integration/viewersettings/import/"
VISIBILITY = "/admin/plex_integration/visibilitycheck/"


def signed_in(user: User) -> Browser:
    browser = Browser(raise_request_exception=True)
    browser.force_login(user)
    return browser


@pytest.fixture
def superuser(transactional_db: None) -> User:
    user: User = User.objects.create_superuser("root", password=None)
    return user


@pytest.fixture
def boss(superuser: User, plex: Simulator) -> Browser:
    """A superuser's browser, in front of a healthy Plex."""
    return signed_in(superuser)


@pytest.fixture
def plextv(settings: Any) -> Iterator[Simulator]:
    """A simulated Plex and plex.tv of the test's own: it may change their accounts."""
    with Simulator(seed=3, movies=5, shows=1, artists=1) as simulator:
        settings.PLEX_URL = settings.PLEX_TV_URL = simulator.url
        settings.PLEX_TOKEN = simulator.owner_token
        yield simulator


@pytest.fixture
def staff(transactional_db: None, plex: Simulator) -> Callable[..., Browser]:
    """Return a function that signs a staff user with these permissions in."""

    def sign_in(*permissions: str) -> Browser:
        user = User.objects.create(username="staff", is_staff=True, password="!")
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        assert user.user_permissions.count() == len(permissions)
        return signed_in(user)

    return sign_in


def connection_form(row: PlexConnection, **changes: Any) -> dict[str, Any]:
    """Return the values of the connection's form as the page shows them, with changes."""
    filled = {
        "url": row.url,
        "token": "",
        "tls": row.tls,
        "authority": row.authority,
        "seconds": str(row.seconds),
    }
    if row.show_file_paths:
        filled["show_file_paths"] = "on"
    return filled | changes


def messages_of(response: Any) -> list[str]:
    """Return the messages that a response shows or leaves for the next page."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def shown(response: Any) -> str:
    """Return a page as text, with single spaces."""
    page = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", unescape(page))
