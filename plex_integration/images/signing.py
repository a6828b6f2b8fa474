"""Signed links to images for `<img>`, which cannot send a token; valid for 24 to 48 hours.

A link says that this service has answered that Plex shows this image for this item. The signature
covers the kind, the id, the version and the expiry. The client chooses width and height, since the
sizes are few.

A link expires at the end (UTC) of the day after it was signed, and all links to the same image
signed on the same day are equal, so browsers can cache what they loaded. The key is derived from
SECRET_KEY for this purpose only. A link is bound to a scope: the Plex server, and the service's
token or the view of a Plex account, which the link names. So the ids of another server are never
valid in it, and a link ends with the view.

Known limit: a response that is served stale because Plex has been unavailable for more than 24
hours may contain a link that expired up to half an hour ago.
"""

import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hmac import HMAC
from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from drf_spectacular.utils import extend_schema_field

from medianest.api.public_url import public_url
from medianest.api.serializers import ContextField
from plex_integration.configuration.connection import Connection, Scope
from plex_integration.images import versions

DAY = 24 * 3600
# Part of the signature: another text would make the links that clients already have invalid.
_SALT = "plex_integration.pictures.signing"
_EXPIRES = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True)
class SignedLink:
    """What a valid link stands for: a version, until it expires (seconds since the epoch).

    `viewer` is the view that it belongs to; "" stands for the service's own.
    """

    version: str
    expires: int
    viewer: str

    @property
    def seconds_left(self) -> int:
        """The seconds until the link expires."""
        return max(0, self.expires - int(time.time()))


def sign_link(
    scope: Scope, rating_key: str, kind: str, version: str, now: float | None = None
) -> str:
    """Return a link to an item's image. It starts with a slash: it is valid at any origin."""
    expires = (int(time.time() if now is None else now) // DAY + 2) * DAY
    signature = _signature(scope, rating_key, kind, expires, version)
    viewer = f"&viewer={scope.viewer}" if scope.viewer else ""
    return (
        f"/api/v1/plex/items/{rating_key}/images/{kind}"
        f"?version={version}&expires={expires}{viewer}&signature={signature}"
    )


def verify_link(
    connection: Connection, rating_key: str, kind: str, parameters: Mapping[str, str]
) -> SignedLink | None:
    """Return the signed link in the parameters; None unless it is valid now.

    Whether there is still somebody with the view that it names is not checked here.
    """
    version, expires = parameters.get("version", ""), parameters.get("expires", "")
    viewer = parameters.get("viewer", "")
    scope = connection.viewer_scope(viewer) if viewer else connection.scope
    if not _EXPIRES.fullmatch(expires) or not time.time() < int(expires):
        return None
    signature = _signature(scope, rating_key, kind, int(expires), version)
    if not constant_time_compare(signature, parameters.get("signature", "")):
        return None
    return SignedLink(version, int(expires), viewer)


def _signature(scope: Scope, rating_key: str, kind: str, expires: int, version: str) -> str:
    # Only the last part can contain a line break, so different parts never make equal messages.
    message = f"{scope.name}\n{kind}\n{expires}\n{rating_key}\n{version}"
    code = _keyed(settings.SECRET_KEY).copy()
    code.update(message.encode())
    return urlsafe_b64encode(code.digest()[:18]).decode()


# A page of 50 items has up to a hundred links, and deriving the key takes longer than signing one.
@lru_cache(maxsize=8)
def _keyed(secret: str) -> HMAC:
    return salted_hmac(_SALT, "", secret, algorithm="sha256")


@extend_schema_field({"type": "string", "format": "uri-reference"})
class SignedImageLink(ContextField):
    """A signed link to the image whose path is in a member of the payload; omitted without one.

    It is absolute if a setting names the service's public address. The serializer context's
    `scope` is that of the connection.
    """

    def __init__(self, kind: str, member: str | None = None) -> None:
        super().__init__(
            required=False,
            help_text="For `<img>`: no token needed, good for 24 to 48 hours. Add `&width=320`.",
        )
        self._kind, self._member = kind, member or kind

    def get_attribute(self, instance: Any) -> Any:
        """Return the id of the item and the version of its image; None without an image."""
        version = versions.from_path(getattr(instance, self._member))
        return None if version is None else (instance.ratingKey, version)

    def write(self, value: tuple[str, str], context: Mapping[str, Any]) -> str:
        """Sign the link."""
        rating_key, version = value
        return public_url(sign_link(context["scope"], rating_key, self._kind, version))
