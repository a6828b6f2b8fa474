"""Bodies and payloads of the paths under /api/v1/auth/plex."""

from urllib.parse import urlsplit

from django.conf import settings
from rest_framework import serializers

from accounts.plex_links import PlexLink
from medianest.api.fields import Instant, RequestText
from medianest.api.serializers import Body, Payload


class CreatePlexPinBody(Body):
    """Where the browser goes after the sign-in, if anywhere."""

    forwardUrl = RequestText(
        max_length=2000,
        required=False,
        help_text="An address of this service, or of an origin in `CORS_ALLOWED_ORIGINS`.",
    )


class SwitchPlexHomeUserBody(Body):
    """The PIN of a profile that is protected by one."""

    pin = RequestText(max_length=16, required=False)


class PlexPinPayload(Payload):
    """A PIN: send the browser to `authUrl`, and ask every `interval` seconds for the result."""

    id = serializers.CharField()
    code = serializers.CharField()
    authUrl = serializers.CharField()
    expiresIn = serializers.IntegerField(help_text="Seconds until the PIN expires.")
    interval = serializers.IntegerField(help_text="Seconds between two requests for the result.")
    secret = serializers.CharField(help_text="Send it as `X-Pin-Secret`. It is not shown again.")


class PlexAccountPayload(Payload):
    """A Plex account. The name may be empty."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class PlexProfilePayload(Payload):
    """The profile of a Plex Home that a user has picked."""

    uuid = serializers.CharField()
    name = serializers.CharField()


class PlexLinkPayload(Payload):
    """The user's link to a Plex account."""

    linked = serializers.BooleanField()
    state = serializers.ChoiceField(
        choices=PlexLink.State.values,
        allow_null=True,
        help_text="`active`, or why the link cannot be used; null without a link.",
    )
    account = PlexAccountPayload(allow_null=True)
    profile = PlexProfilePayload(allow_null=True)
    server = serializers.BooleanField(help_text="Whether the server accepts the account.")
    linkedAt = Instant(allow_null=True)


class PlexPinStatusPayload(serializers.Serializer[object]):
    """How far a PIN is; the other members depend on that."""

    status = serializers.ChoiceField(choices=["pending", "expired", "complete"])
    expiresIn = serializers.IntegerField(
        required=False,
        help_text="Seconds until the PIN expires; of `complete`, the access token.",
    )
    interval = serializers.IntegerField(required=False)
    access = serializers.CharField(required=False, help_text="After a sign-in.")
    refresh = serializers.CharField(required=False, help_text="After a sign-in.")
    link = PlexLinkPayload(required=False, help_text="After linking an account.")


class PlexHomeUserPayload(Payload):
    """A profile of a Plex Home."""

    uuid = serializers.CharField()
    name = serializers.CharField()
    admin = serializers.BooleanField(source="is_admin")
    restricted = serializers.BooleanField(source="is_restricted")
    restrictionProfile = serializers.CharField(source="restriction_profile", allow_null=True)
    protected = serializers.BooleanField(source="is_protected", help_text="Switching needs a PIN.")
    current = serializers.BooleanField(help_text="Whose view of Plex the user has now.")


class PlexHomeUsersPayload(Payload):
    """The profiles of the account's Plex Home."""

    users = PlexHomeUserPayload(many=True)


def is_allowed_forward(address: str, host: str) -> bool:
    """Tell whether a browser may be sent to an address after the sign-in."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - it raises for a port that is not a number
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not address.isprintable():
        return False
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    return parts.netloc.lower() == host.lower() or origin in settings.CORS_ALLOWED_ORIGINS
