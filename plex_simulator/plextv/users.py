"""Who an account is: /api/v2/user."""

from typing import Any

from plex_simulator.messages import Request, Response
from plex_simulator.models import Account
from plex_simulator.plextv.responses import respond
from plex_simulator.plextv.site import Caller, Site, avatar

JOINED_AT = 1_339_124_759
REMEMBER_EXPIRES_AT = 2_000_000_000
FEATURES = ["adaptive_bitrate", "home", "livetv", "radio"]
PASS_FEATURES = [*FEATURES, "pass", "sync", "collections"]
MAX_HOME_SIZE = 15


def show_user(site: Site, request: Request, caller: Caller) -> Response:
    return respond(request, "user", describe_user(site, caller.account, caller.token))


def describe_user(site: Site, account: Account, token: str) -> dict[str, Any]:
    """Describe an account, as it sees itself; the answer repeats the token."""
    return {
        **common_fields(site, account, token),
        "friendlyName": account.name if account.restricted else "",
        "locale": None,
        "confirmed": not account.restricted,
        "mailingListStatus": None if account.restricted else "unsubscribed",
        "mailingListActive": False,
        "scrobbleTypes": "10",
        "country": "DK",
        "subscription": _describe_subscription(account),
        "subscriptionDescription": "Lifetime Plex Pass" if account.is_owner else None,
        "restrictionProfile": account.restriction_profile,
        "profile": {
            "autoSelectAudio": True,
            "defaultAudioLanguage": "en",
            "defaultSubtitleLanguage": "en",
            "autoSelectSubtitle": 0,
            "defaultSubtitleAccessibility": 0,
            "defaultSubtitleForced": 0,
        },
        "entitlements": ["all"],
        "services": [],
        "experimentalFeatures": False,
        "twoFactorEnabled": False,
        "backupCodesCreated": False,
        "joinedAt": JOINED_AT,
    }


def common_fields(site: Site, account: Account, token: str) -> dict[str, Any]:
    """Return the fields that the descriptions of a user and of a switch have in common."""
    home = site.home
    is_member = account in home
    return {
        "id": account.plex_tv_id,
        "uuid": account.uuid,
        "username": account.username,
        "title": account.name,
        "email": account.email,
        "emailOnlyAuth": False,
        "hasPassword": not account.restricted,
        "protected": account.pin is not None,
        "thumb": avatar(account),
        "authToken": token,
        "restricted": account.restricted,
        "anonymous": None,
        "home": is_member,
        "guest": False,
        "homeSize": len(home) if is_member else 1,
        "homeAdmin": is_member and account.is_owner,
        "maxHomeSize": MAX_HOME_SIZE,
        "rememberExpiresAt": REMEMBER_EXPIRES_AT,
    }


def _describe_subscription(account: Account) -> dict[str, Any]:
    is_paid = account.is_owner
    return {
        "active": is_paid,
        "subscribedAt": "2021-10-01T01:02:03Z" if is_paid else None,
        "status": "Active" if is_paid else "Inactive",
        "paymentService": "braintree" if is_paid else None,
        "plan": "lifetime" if is_paid else None,
        "features": PASS_FEATURES if is_paid else FEATURES,
    }
