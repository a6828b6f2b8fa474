"""The paths under /api/v1/auth/plex."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.audit import AuditEntry
from accounts.authentication import BearerAuthentication
from accounts.models import User
from accounts.plex_links import PlexLink
from medianest.api.exceptions import AccessDenied, Invalid
from medianest.api.fields import iso_instant
from medianest.api.limits import address_hit
from medianest.api.throttling import RateLimitedView, SlidingWindowThrottle
from medianest.store import Hit
from plex_integration.configuration import runtime
from plex_integration.errors import PlexTvUnavailable
from plex_integration.linking import home, pins, sign_in
from plex_integration.linking.pins import PlexPin
from plex_integration.linking.polling import poller
from plex_integration.linking.serializers import (
    CreatePlexPinBody,
    PlexHomeUsersPayload,
    PlexLinkPayload,
    PlexPinPayload,
    PlexPinStatusPayload,
    SwitchPlexHomeUserBody,
    is_allowed_forward,
)
from plex_integration.plex.plextv.http import Client, PlexTvRefused
from plex_integration.plex.plextv.pins import Pin, auth_url, create_pin
from plex_integration.policies import PLEX_PINS

INTERVAL = 2
"""How often a client should ask for the result, in seconds."""

_SECRET = OpenApiParameter(
    "X-Pin-Secret", str, OpenApiParameter.HEADER, description="The `secret` of the PIN."
)


class _NoStore(APIView):
    """An endpoint whose responses nobody may store."""

    tag = "Plex account"

    @property
    def default_response_headers(self) -> dict[str, str]:
        """The headers of every response."""
        return {**super().default_response_headers, "Cache-Control": "no-store"}


class PinsThrottle(SlidingWindowThrottle):
    """Count the PINs that an address requests."""

    def hit(self, request: Request, view: APIView) -> Hit | None:
        """Return the hit of the address."""
        return address_hit(request._request, PLEX_PINS) if request.method == "POST" else None


class PinsView(_NoStore, RateLimitedView):
    """`/auth/plex/pins`"""

    authentication_classes = [BearerAuthentication]
    permission_classes = [AllowAny]
    throttle_classes = [PinsThrottle]

    @extend_schema(
        request=CreatePlexPinBody, responses={201: PlexPinPayload}, operation_id="createPlexPin"
    )
    def post(self, request: Request) -> Response:
        """Begin to sign in with Plex.

        With an access token: begin to link the user's Plex account.
        """
        forward = _forward_url(request)
        user = _user(request)
        if user is None and not runtime.current().viewers.plex_sign_in:
            raise AccessDenied("Signing in with Plex is switched off.")
        pin = _create_pin()
        new = pins.create(pin, user)
        poller.wake()
        payload = {
            "id": str(new.row.pk),
            "code": pin.code,
            "authUrl": auth_url(pin.code, forward),
            "expiresIn": pin.seconds,
            "interval": INTERVAL,
            "secret": new.secret,
        }
        return Response(PlexPinPayload(payload).data, status=201)


class PinView(_NoStore):
    """`/auth/plex/pins/:pinId`"""

    authentication_classes = [BearerAuthentication]
    permission_classes = [AllowAny]

    @extend_schema(parameters=[_SECRET], responses=PlexPinStatusPayload, operation_id="getPlexPin")
    def get(self, request: Request, pinId: str) -> Response:
        """Get the result of a PIN.

        The tokens of a sign-in are given once.
        """
        pin = pins.find(pinId, request.headers.get("X-Pin-Secret", ""), _user(request))
        return Response(PlexPinStatusPayload(_status(pin)).data)


class LinkView(_NoStore):
    """`/auth/plex`"""

    @extend_schema(responses=PlexLinkPayload, operation_id="getPlexLink")
    def get(self, request: Request) -> Response:
        """Get the user's link to Plex.

        The Plex account and the profile whose view of Plex the user has.
        """
        return Response(PlexLinkPayload(_link(request.user.pk)).data)

    @extend_schema(request=None, responses={200: PlexLinkPayload}, operation_id="deletePlexLink")
    def delete(self, request: Request) -> Response:
        """Remove the user's link to Plex.

        Without a link, nothing happens. No request is sent to Plex.
        """
        if link := PlexLink.objects.filter(user_id=request.user.pk).first():
            link.delete()
            message, changed = f"Unlinked from {link}.", AuditEntry.Action.CHANGED
            audit.record(link.user, changed, link.user, message, request._request)
        return Response(PlexLinkPayload(_link(request.user.pk)).data)


class HomeUsersView(_NoStore):
    """`/auth/plex/home-users`"""

    @extend_schema(responses=PlexHomeUsersPayload, operation_id="listPlexHomeUsers")
    def get(self, request: Request) -> Response:
        """List the profiles of the Plex Home.

        Of the Plex account that the user is linked to.
        """
        link = home.link_of(request.user.pk)
        users = [
            {
                **vars(profile),
                "restriction_profile": profile.restriction_profile or None,
                "current": profile.id == link.viewer_id,
            }
            for profile in home.profiles_of(link)
        ]
        return Response(PlexHomeUsersPayload({"users": users}).data)


class HomeSwitchView(_NoStore):
    """`/auth/plex/home-users/:uuid/switch`"""

    @extend_schema(
        request=SwitchPlexHomeUserBody, responses=PlexLinkPayload, operation_id="switchPlexHomeUser"
    )
    def post(self, request: Request, uuid: str) -> Response:
        """Switch to a profile of the Plex Home.

        From now on, the user has this profile's view of Plex.
        """
        body = SwitchPlexHomeUserBody.of(request)
        home.switch(home.link_of(request.user.pk), uuid, body.get("pin", ""))
        return Response(PlexLinkPayload(_link(request.user.pk)).data)


def _user(request: Request) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _forward_url(request: Request) -> str:
    """Return where the browser goes after the sign-in; "" for nowhere. Raises Invalid."""
    address: str = CreatePlexPinBody.of(request).get("forwardUrl", "")
    if address and not is_allowed_forward(address, request.get_host()):
        messages = ["Must be an address of this service or of an allowed origin."]
        raise Invalid("Not valid: forwardUrl.", details={"forwardUrl": messages})
    return address


def _create_pin() -> Pin:
    try:
        return create_pin(Client.VIEWERS)
    except PlexTvRefused as error:
        raise PlexTvUnavailable from error


def _status(pin: PlexPin) -> Mapping[str, Any]:
    """Return the result of a PIN, or that there is none yet. Raises the error that it ended with.

    It reads the database only: the poller asks plex.tv.
    """
    if pin.state == PlexPin.State.FAILED:
        raise pin.problem()
    if pin.state == PlexPin.State.COMPLETE:
        if pin.is_sign_in:
            return {"status": "complete", **vars(sign_in.issue(pin))}
        return {"status": "complete", "link": _link(pin.user_id)}
    if not pin.is_open:
        return {"status": "expired"}
    pins.note_client(pin)
    poller.wake()
    return {"status": "pending", "expiresIn": pin.seconds_left, "interval": INTERVAL}


def _link(user_id: int | None) -> Mapping[str, Any]:
    link = PlexLink.objects.filter(user_id=user_id).first()
    if link is None:
        nothing = dict.fromkeys(("state", "account", "profile", "linkedAt"))
        return {"linked": False, "server": False, **nothing}
    state = _state(link)
    profile = {"uuid": link.profile_uuid, "name": link.profile_name}
    return {
        "linked": True,
        "state": state,
        "account": {"id": link.account_id, "name": link.account_name},
        "profile": profile if link.profile_uuid else None,
        "server": state == PlexLink.State.ACTIVE and bool(link.encrypted_server_token),
        "linkedAt": iso_instant(link.linked_at),
    }


def _state(link: PlexLink) -> str:
    """Return the state of a link: revoked, too, if the operator changed the encryption key."""
    is_readable = link.account_token is not None and link.server_token is not None
    return link.state if is_readable else PlexLink.State.REVOKED
