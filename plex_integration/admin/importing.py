"""Import users from Plex: everybody with whom the owner shares the server, and the Plex Home.

An imported user has a link without tokens, and finishes it by signing in with Plex.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.plex_links import PlexLink
from medianest.api.exceptions import Problem
from plex_integration.configuration import runtime
from plex_integration.linking.users import create_user
from plex_integration.plex.plextv import home, shares
from plex_integration.plex.plextv.accounts import Account
from plex_integration.plex.plextv.http import AccountTokenRefused, PlexTvRefused
from plex_integration.viewers.identity import current_machine_identifier

NOT_AN_ACCOUNT = (
    "plex.tv does not accept the token of the Plex connection as that of an account. "
    "Sign in to Plex as the server's owner on the page of the connection."
)
REFUSED = "plex.tv refuses the request. Only the server's owner can list its users."


class ImportFailed(Exception):
    """The users of Plex cannot be read. Its text is the message for the operator."""


@dataclass(frozen=True)
class Candidate:
    """A Plex account that has access to the server, and the user who is linked to it, if any.

    A managed account cannot sign in by itself.
    """

    account: Account
    is_home: bool
    is_managed: bool
    user: User | None

    @property
    def can_be_imported(self) -> bool:
        """Tell whether a user can be created who will finish the link."""
        return self.user is None and not self.is_managed


def read_candidates() -> list[Candidate]:
    """Return everybody with access to the server, ordered by name. Raises ImportFailed."""
    try:
        found = _read()
    except AccountTokenRefused:
        raise ImportFailed(NOT_AN_ACCOUNT) from None
    except PlexTvRefused:
        raise ImportFailed(REFUSED) from None
    except Problem as problem:
        raise ImportFailed(str(problem.detail)) from None
    return sorted(_with_users(found), key=_by_name)


def import_users(ids: Collection[int]) -> list[User]:
    """Create users with links for those of the accounts that can be imported.

    plex.tv is asked again: nobody is linked to an account without access. Raises ImportFailed.
    """
    candidates = [each for each in read_candidates() if each.account.id in ids]
    imported = [_import(each.account) for each in candidates if each.can_be_imported]
    return [user for user in imported if user is not None]


def _read() -> list[Candidate]:
    connection = runtime.required_connection()
    machine = current_machine_identifier()
    found = {
        share.id: Candidate(Account(share.id, share.name), share.is_home, share.is_managed, None)
        for share in shares.read_shares(connection.token, machine)
    }
    for profile in home.read_profiles_as_operator(connection.token):
        account = Account(profile.id, profile.name)
        found.setdefault(profile.id, Candidate(account, True, profile.is_restricted, None))
    return list(found.values())


def _with_users(found: Iterable[Candidate]) -> Iterable[Candidate]:
    links = PlexLink.objects.select_related("user")
    users = {link.account_id: link.user for link in links}
    for each in found:
        user = users.get(each.account.id)
        yield Candidate(each.account, each.is_home, each.is_managed, user)


def _by_name(candidate: Candidate) -> tuple[str, int]:
    return candidate.account.name.casefold(), candidate.account.id


def _import(account: Account) -> User | None:
    """Create a user and the link; None for an account that has been linked meanwhile."""
    try:
        with transaction.atomic():
            return _create(account)
    except IntegrityError:
        return None


def _create(account: Account) -> User:
    user = create_user(account)
    link = PlexLink(user=user, account_id=account.id, account_name=account.name)
    link.state = PlexLink.State.PENDING
    link.view_as(account.id)
    link.save()
    return user
