"""The address at which clients reach this service, as the setting PUBLIC_URL names it."""

from django.conf import settings


def public_url(path: str) -> str:
    """Return the URL of a path of this service; without PUBLIC_URL, the path itself.

    A relative path is valid at whatever address a client has used.
    """
    return f"{settings.PUBLIC_URL}{path}"
