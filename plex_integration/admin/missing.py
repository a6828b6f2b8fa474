"""What is missing before this service can use Plex, as the operator's pages say it."""

from django.http import HttpRequest
from django.urls import reverse

from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection

NO_SERVER = "This service does not know your Plex server yet."
ONLY_TOKEN = "The address is known; the token is missing."  # noqa: S105 - a message
NO_TOKEN = "No token yet. Enter one, or sign in to Plex."  # noqa: S105 - a message
UNREADABLE = (
    "The stored token cannot be decrypted, because the encryption key has changed. "
    "Enter the token again, or sign in to Plex."
)


def what_is_missing() -> str:
    """Return in a sentence what the connection lacks, "" if it is complete."""
    row = PlexConnection.objects.first()
    if row is None:
        return NO_SERVER
    if row.token:
        return ""
    return UNREADABLE if row.encrypted_token else ONLY_TOKEN


def missing_token(row: PlexConnection) -> str:
    """Return why there is no usable token in a row."""
    return UNREADABLE if row.encrypted_token else NO_TOKEN


def first_page(request: HttpRequest) -> str:
    """Return the page of the connection for a superuser while something is missing there."""
    if not request.user.is_superuser or runtime.current().connection:
        return ""
    return reverse("admin:plex_integration_plexconnection_changelist")
