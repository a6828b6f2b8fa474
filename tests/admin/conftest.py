"""People with different rights, signed in to the admin without a password's slow hash."""

import re
from collections.abc import Callable
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


def browser(user: User) -> Browser:
    signed_in = Browser(raise_request_exception=True)
    signed_in.force_login(user)
    return signed_in


@pytest.fixture
def superuser(transactional_db: None) -> User:
    made: User = User.objects.create_superuser("root", password=None)
    return made


@pytest.fixture
def boss(superuser: User, plex: Simulator) -> Browser:
    """A superuser's browser, in front of a healthy Plex."""
    return browser(superuser)


@pytest.fixture
def staff(transactional_db: None, plex: Simulator) -> Callable[..., Browser]:
    """Make a browser of staff with these rights."""

    def made(*rights: str) -> Browser:
        user = User.objects.create(username="staff", is_staff=True, password="!")
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        assert user.user_permissions.count() == len(rights)
        return browser(user)

    return made


def connection_form(row: PlexConnection, **changes: Any) -> dict[str, Any]:
    """Fill the connection's form in as the page shows it."""
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


def told(response: Any) -> list[str]:
    """Return the messages that a page shows, or that were left for the next one."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def shown(response: Any) -> str:
    """Return a page as text, with single blanks."""
    page = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", unescape(page))
