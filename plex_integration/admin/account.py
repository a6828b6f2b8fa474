"""The Plex account that an operator has signed in to, while they choose one of its servers.

The operator's session holds it, so any worker can go on. It is encrypted there as a whole: sessions
are rows of the database, and this contains the tokens of the account and of its servers.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.http import HttpRequest

from medianest import secrets
from plex_integration.plex.plextv.servers import AccountServer, Address

LIFETIME = 900
"""For how many seconds an operator may choose."""

_KEY = "plex_integration.account"


@dataclass(frozen=True)
class Account:
    """An account: its token, its servers, and which of them answers at the saved address."""

    token: str = field(repr=False)
    expires: float
    servers: Sequence[AccountServer] = ()
    configured: str = ""

    def own_server(self, machine_identifier: str) -> AccountServer | None:
        """Return a server that belongs to the account; None if it has no such server."""
        found = (each for each in self.servers if each.machine_identifier == machine_identifier)
        return next((each for each in found if each.is_owned), None)


def remember(request: HttpRequest, token: str) -> None:
    """Remember the account of a token that plex.tv has just issued."""
    _store(request, Account(token, time.time() + LIFETIME))


def remember_servers(
    request: HttpRequest, account: Account, servers: Sequence[AccountServer], configured: str
) -> Account:
    """Remember the servers of the account, and return the account with them."""
    complete = replace(account, servers=tuple(servers), configured=configured)
    _store(request, complete)
    return complete


def signed_in(request: HttpRequest) -> Account | None:
    """Return the account; None if there is none, it has expired, or it cannot be decrypted."""
    stored = secrets.decrypted(request.session.get(_KEY, ""))
    account = _account(json.loads(stored)) if stored else None
    return account if account and time.time() < account.expires else None


def forget(request: HttpRequest) -> None:
    """Forget the account and its tokens."""
    request.session.pop(_KEY, None)


def _store(request: HttpRequest, account: Account) -> None:
    request.session[_KEY] = secrets.encrypted(json.dumps(asdict(account)))


def _account(stored: dict[str, Any]) -> Account:
    return Account(**stored | {"servers": tuple(map(_server, stored["servers"]))})


def _server(stored: dict[str, Any]) -> AccountServer:
    addresses = tuple(Address(**each) for each in stored["addresses"])
    return AccountServer(**stored | {"addresses": addresses})
