"""The accounts at plex.tv: their tokens, and what the owner shares with them.

An account has two kinds of tokens. An account token works at plex.tv. There is one for each client
that the account has signed in to, and one more for each switch to a profile of a Plex Home. The
server token works on the server. Only the owner's account tokens work on the server, too.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from plex_simulator.models import OWNER_ID, Account, Share
from plex_simulator.seeded_random import SeededRandom
from plex_simulator.visibility import FILTER_NAMES

VIEWER_LIBRARIES = ("1", "2", "5")
VIEWER_ID = 4711
FIRST_ADDED_ID = 555_000_100
OWNER_PLEX_TV_ID = 7_000_001
FIRST_CLIENT = "first-app"  # where each account signed in before the simulator started

# The content ratings that an age profile allows.
_LITTLE_KID = "G%2CTV-G%2CTV-Y%2Cgb%2FU"
_OLDER_KID = f"{_LITTLE_KID}%2CPG%2CTV-PG%2Cgb%2FPG"
PROFILES = {
    "little_kid": _LITTLE_KID,
    "older_kid": _OLDER_KID,
    "teen": f"{_OLDER_KID}%2CPG-13%2CTV-14%2Cde%2F12",
}


class Accounts:
    """All accounts: first the owner, then the viewer, then those that were added."""

    def __init__(
        self, seed: int, library_keys: Iterable[str], owner_token: str, viewer_token: str
    ) -> None:
        self._rng = SeededRandom(seed, 4711)
        self._lock = threading.RLock()
        self._library_keys = frozenset(library_keys)
        self._issued_tokens = 0
        self.all: list[Account] = []
        self.owner = self._add(
            owner_token,
            id=OWNER_ID,
            plex_tv_id=OWNER_PLEX_TV_ID,
            name="Margit",
            email="margit@example.com",
            server_token=owner_token,
        )
        self.viewer = self._add(
            self._make_token(),
            id=VIEWER_ID,
            plex_tv_id=VIEWER_ID,
            name="Oskar",
            email="oskar@example.com",
            server_token=viewer_token,
            share=Share(frozenset(VIEWER_LIBRARIES)),
        )

    def add(
        self,
        name: str,
        *,
        libraries: Iterable[str] | None = None,
        filters: Mapping[str, str] | None = None,
        home: bool = False,
        restricted: bool = False,
        restriction_profile: str | None = None,
        pin: str | None = None,
        email: str | None = None,
    ) -> Account:
        """Add an account that sees some libraries, by default all; with none, it has no access.

        Managed accounts (`restricted`), and those with an age profile or a PIN, are members of the
        owner's Plex Home. Without `filters`, an age profile filters movies and shows by their
        content rating. Raise ValueError if a library, a filter or an age profile is unknown.
        """
        restricted = restricted or restriction_profile is not None
        with self._lock:
            number = FIRST_ADDED_ID + len(self.all)
            return self._add(
                self._make_token(),
                id=number,
                plex_tv_id=number,
                name=name,
                email="" if restricted else email or _make_email(name),
                server_token=self._make_token(),
                share=self._make_share(libraries, filters, restriction_profile),
                home=home or restricted or pin is not None,
                restricted=restricted,
                restriction_profile=restriction_profile,
                pin=pin,
            )

    def _add(self, token: str, **attributes: Any) -> Account:
        uuid = self._rng.hexadecimal(len(self.all), 1, 16)
        account = Account(uuid=uuid, tokens={FIRST_CLIENT: token}, **attributes)
        self.all.append(account)
        return account

    def _make_share(
        self,
        libraries: Iterable[str] | None,
        filters: Mapping[str, str] | None,
        profile: str | None,
    ) -> Share | None:
        keys = self._library_keys if libraries is None else frozenset(libraries)
        _refuse_unknown("library", keys - self._library_keys)
        _refuse_unknown("profile", {profile} - {None, *PROFILES})
        if filters is None and profile is not None:
            ratings = f"contentRating={PROFILES[profile]}"
            filters = {"filterMovies": ratings, "filterTelevision": ratings}
        filters = _check_filters(filters or {})
        return Share(keys, filters) if keys else None

    def find(self, name: str | int) -> Account:
        """Return the account with an id, a UUID or a name; raise KeyError if there is none."""
        for account in self.all:
            if str(name) in (str(account.id), str(account.plex_tv_id), account.uuid, account.name):
                return account
        raise KeyError(name)

    # Shares

    def set_filters(self, account: Account, filters: Mapping[str, str]) -> None:
        """Replace the filters of a share; raise ValueError if a name is unknown."""
        account.share = replace(_share_of(account), filters=_check_filters(filters))

    def unshare_library(self, account: Account, key: str) -> None:
        """Stop sharing a library with an account, which loses access with its last library."""
        share = _share_of(account)
        keys = share.libraries - {key}
        account.share = replace(share, libraries=keys) if keys else None

    def remove_share(self, account: Account) -> None:
        """Take all access to the server from an account."""
        _share_of(account)
        account.share = None

    # Tokens

    def with_account_token(self, token: str | None) -> Account | None:
        """Return the account that an account token belongs to."""
        if not token:
            return None
        return next(
            (
                account
                for account in self.all
                if token in account.tokens.values() or token in account.switch_tokens
            ),
            None,
        )

    def with_server_token(self, token: str | None) -> Account | None:
        """Return the account that a token gives access to the server."""
        if not token:
            return None
        if token in self.owner.tokens.values():
            return self.owner
        members = (account for account in self.all if account.has_access)
        return next((account for account in members if account.server_token == token), None)

    def sign_in(self, account: Account, client: str) -> str:
        """Issue an account token for a client; the one that the client had before is revoked."""
        with self._lock:
            account.tokens.pop(client, None)
            account.tokens[client] = self._make_token()
            return account.tokens[client]

    def switch(self, account: Account) -> str:
        """Issue an account token for a switch to a profile of the Plex Home."""
        with self._lock:
            account.switch_tokens.append(self._make_token())
            return account.switch_tokens[-1]

    def revoke_tokens(self, account: Account) -> None:
        """Revoke all account tokens of an account. Its server token goes on to work."""
        with self._lock:
            account.tokens.clear()
            account.switch_tokens.clear()

    def rotate_server_token(self, account: Account) -> None:
        """Replace the server token of an account, which the server refuses from now on."""
        with self._lock:
            account.jwt = None
            account.server_token = self._make_token()

    def issue_jwt(self, account: Account) -> None:
        """Let plex.tv send a JWT instead of the server token. As in 2026, no server accepts it."""
        with self._lock:
            account.jwt = f"eyJhbGciOiJFZERTQSJ9.{self._make_token()}.{self._make_token()}"

    def _make_token(self) -> str:
        self._issued_tokens += 1
        return self._rng.hexadecimal(self._issued_tokens, 2, 20)


def _make_email(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@example.com"


def _share_of(account: Account) -> Share:
    if account.share is None:
        raise ValueError(f"nothing is shared with {account.name}")
    return account.share


def _check_filters(filters: Mapping[str, str]) -> dict[str, str]:
    _refuse_unknown("filter", {*filters} - {*FILTER_NAMES})
    return dict(filters)


def _refuse_unknown(kind: str, unknown: Iterable[object]) -> None:
    names = ", ".join(sorted(map(str, unknown)))
    if names:
        raise ValueError(f"unknown {kind}: {names}")
