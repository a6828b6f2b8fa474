"""What a sign-in at plex.tv does: whose link it changes, and who is signed in.

The token of an account that is linked is always stored, whatever started the PIN and however it
ends: the account's token from before does not work any more.
"""

from dataclasses import dataclass

from django.db import transaction

from accounts import audit
from accounts import tokens as jwt
from accounts.audit import AuditEntry
from accounts.models import User
from accounts.plex_links import PlexLink
from medianest.api.exceptions import AccessDenied
from plex_integration.configuration import runtime
from plex_integration.errors import PinNotFound
from plex_integration.linking.pins import Failure, PlexPin
from plex_integration.linking.tokens import AccountTokens, set_view, store_everywhere
from plex_integration.linking.users import create_user
from plex_integration.plex.plextv.accounts import Account, read_account, read_server_token
from plex_integration.plex.plextv.http import AccountTokenRefused
from plex_integration.viewers.identity import current_machine_identifier

State, Action = PlexPin.State, AuditEntry.Action


@dataclass(frozen=True)
class SignIn:
    """An account that has signed in, its tokens, and those of the profile that it had picked."""

    account: Account
    own: AccountTokens
    profile: AccountTokens | None


class NotAllowed(Exception):
    """The sign-in ends without a result, for this reason."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


def finish(pin: PlexPin) -> None:
    """Finish a claimed PIN.

    Raises AccountTokenRefused if its token is not valid any more, UnsupportedToken, and
    PlexTvUnavailable or PlexServerUnavailable if it can be finished later.
    """
    token = pin.token
    if not token:
        pin.fail(Failure.REVOKED)
        return
    _record(pin, _read(token))


def issue(pin: PlexPin) -> jwt.TokenPair:
    """Return the tokens of this service for a finished sign-in, once.

    Raises AccessDenied if signing in was switched off meanwhile, or the user was deactivated or
    deleted, and PinNotFound for a PIN whose tokens were issued already.
    """
    is_allowed = runtime.current().viewers.plex_sign_in
    if not is_allowed or pin.user is None or not pin.user.is_active:
        raise AccessDenied
    with transaction.atomic():
        if not pin.change(state=State.USED):
            raise PinNotFound
        return jwt.sign_in(pin.user)


def _read(token: str) -> SignIn:
    """Ask plex.tv who signed in, and what the server accepts from them."""
    account, server = read_account(token), current_machine_identifier()
    own = AccountTokens(account.id, token, server, read_server_token(token, server) or "")
    link = PlexLink.objects.filter(account_id=account.id).first()
    return SignIn(account, own, _read_profile(link, server) if link else None)


def _read_profile(link: PlexLink, server: str) -> AccountTokens | None:
    """Return the tokens of a link's profile; None without one, or if its token is refused."""
    token = link.profile_token
    if not token or link.viewer_id == link.account_id:
        return None
    try:
        return AccountTokens(link.viewer_id, token, server, read_server_token(token, server) or "")
    except AccountTokenRefused:
        return None


@transaction.atomic
def _record(pin: PlexPin, sign_in: SignIn) -> None:
    """Store the tokens, and the end of the PIN; another worker may have done so already."""
    if not pin.change(state=State.COMPLETE, encrypted_token=""):
        return
    # Locked: another worker may end the view at this moment.
    links = PlexLink.objects.select_related("user").select_for_update(of=("self",))
    link = links.filter(account_id=sign_in.account.id).first()
    if link:
        _renew(link, sign_in)
    store_everywhere(sign_in.own)
    try:
        user = _link_user(pin, sign_in) if link is None else _linked_user(pin, link)
        if not (sign_in.profile or sign_in.own).server_token:
            raise NotAllowed(Failure.NO_ACCESS)
    except NotAllowed as refusal:
        pin.fail(refusal.failure)
    else:
        pin.change(user=user)


def _renew(link: PlexLink, sign_in: SignIn) -> None:
    """Renew a link's name and view: that of its profile, or of the account itself."""
    link.account_name = sign_in.account.name
    link.account_token = sign_in.own.account_token
    set_view(link, sign_in.profile or sign_in.own)
    if sign_in.profile is None:
        link.profile_uuid = link.profile_name = link.encrypted_profile_token = ""
    link.save()


def _linked_user(pin: PlexPin, link: PlexLink) -> User:
    """Return whom an account is linked to, if the PIN is for this user. Raises NotAllowed."""
    if not pin.is_sign_in and link.user_id != pin.user_id:
        raise NotAllowed(Failure.LINKED)
    if not link.user.is_active or (pin.is_sign_in and not runtime.current().viewers.plex_sign_in):
        raise NotAllowed(Failure.NOT_ALLOWED)
    return link.user


def _link_user(pin: PlexPin, sign_in: SignIn) -> User:
    """Link a new account to the user of the PIN, or to a new user. Raises NotAllowed."""
    owner = _owner(pin)
    if not sign_in.own.server_token:
        raise NotAllowed(Failure.NO_ACCESS)
    user = owner or _create_user(sign_in.account)
    _create_link(user, sign_in)
    return user


def _create_user(account: Account) -> User:
    user = create_user(account)
    audit.record(user, Action.ADDED, user, "Created at the first sign-in with Plex.")
    return user


def _owner(pin: PlexPin) -> User | None:
    """Return who gets a new account; None for a new user. Raises NotAllowed."""
    if pin.is_sign_in:
        rules = runtime.current().viewers
        if not (rules.plex_sign_in and rules.create_users):
            raise NotAllowed(Failure.NOT_ALLOWED)
        return None
    user: User | None = User.objects.filter(pk=pin.user_id, is_active=True).first()
    if user is None:
        raise NotAllowed(Failure.NOT_ALLOWED)
    return user


def _create_link(user: User, sign_in: SignIn) -> None:
    """Link a user to an account, instead of the one that the user was linked to."""
    PlexLink.objects.filter(user=user).delete()
    account = sign_in.account
    link = PlexLink(user=user, account_id=account.id, account_name=account.name)
    link.account_token = sign_in.own.account_token
    set_view(link, sign_in.own)
    link.save()
    audit.record(user, Action.CHANGED, user, f"Linked to {link}.")
