"""Users who are created for a Plex account."""

import re
from collections.abc import Iterator
from itertools import count

from accounts.models import User
from plex_integration.plex.plextv.accounts import Account

_NOT_IN_USERNAMES = re.compile(r"[^\w.+-]")
_MAX_USERNAME = 150


def create_user(account: Account) -> User:
    """Create a user without a password and without rights, named like the account.

    The user never gets the service's own view, not even after removing the link: Plex may share
    less with the account.
    """
    name = next(filter(_is_free, _names(account)))
    user: User = User.objects.create_user(name, needs_own_view=True)
    return user


def _names(account: Account) -> Iterator[str]:
    """Return names for a new user: the account's, else its number."""
    if name := _NOT_IN_USERNAMES.sub("", User.normalize_username(account.name)):
        yield name[:_MAX_USERNAME]
    yield f"plex-{account.id}"
    yield from (f"plex-{account.id}-{number}" for number in count(2))


def _is_free(name: str) -> bool:
    return not User.objects.filter(username__iexact=name).exists()
