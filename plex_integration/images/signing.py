"""Links to pictures for `<img>`, which cannot send a token: signed, and good for a day or two.

A link says: this service answered that Plex shows this picture for this item. It stands for the
kind, the id, the version and its own end; width and height are the client's to choose, since
the ladder bounds them. It ends when the day after it was made does (UTC): 24 to 48 hours later, and
equal for equal items all day, so that browsers keep what they loaded. Its key is derived from
SECRET_KEY for this purpose alone; and the link is bound to the Plex server and token in use, so
that another server's ids never answer for it.

Accepted: an answer shown stale because Plex has been away for more than 24 hours may hold a link
that ended up to half an hour before.
"""

import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from django.utils.crypto import constant_time_compare, salted_hmac
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from plex_integration.images import versions

DAY = 24 * 3600
_SALT = "plex_integration.images.signing"
_END = re.compile(r"[0-9]{1,12}")


def link(viewer: str, rating_key: str, kind: str, version: str, now: float | None = None) -> str:
    """Return a link to an item's picture; it begins with a slash, for any origin."""
    ends = (int(time.time() if now is None else now) // DAY + 2) * DAY
    signature = _signature(viewer, rating_key, kind, ends, version)
    return (
        f"/api/v1/plex/items/{rating_key}/images/{kind}"
        f"?version={version}&expires={ends}&signature={signature}"
    )


def read(
    viewer: str, rating_key: str, kind: str, parameters: Mapping[str, str]
) -> tuple[str, int] | None:
    """Return the version and the end that a link was signed for; None unless it is good now."""
    version, ends = parameters.get("version", ""), parameters.get("expires", "")
    if not _END.fullmatch(ends) or not time.time() < int(ends):
        return None
    signed = _signature(viewer, rating_key, kind, int(ends), version)
    if not constant_time_compare(signed, parameters.get("signature", "")):
        return None
    return version, int(ends)


def _signature(viewer: str, rating_key: str, kind: str, ends: int, version: str) -> str:
    # Only the last part can hold a line break, so no two messages are alike.
    message = f"{viewer}\n{kind}\n{ends}\n{rating_key}\n{version}"
    digest = salted_hmac(_SALT, message.encode(), algorithm="sha256").digest()
    return urlsafe_b64encode(digest[:18]).decode()


@extend_schema_field({"type": "string", "format": "uri-reference"})
class PictureLink(serializers.CharField):
    """A signed link to the picture that a member of the answer is; left out where there is none.

    The context's `viewer` is whose server it is on.
    """

    def __init__(self, kind: str, member: str | None = None) -> None:
        super().__init__(
            required=False,
            help_text="For `<img>`: no token needed, good for 24 to 48 hours. Add `&width=320`.",
        )
        self._kind, self._member = kind, member or kind

    def get_attribute(self, instance: Any) -> str | None:
        """Make the link: it is no attribute of the item."""
        version = versions.version(getattr(instance, self._member))
        if version is None:
            return None
        return link(self.context["viewer"], instance.ratingKey, self._kind, version)
