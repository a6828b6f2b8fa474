"""Who may see an image: a user who has signed in, or anybody who follows a valid signed link."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from medianest.api.exceptions import Unauthorized
from plex_integration.configuration import runtime
from plex_integration.images.signing import SignedLink, verify_link

SIGN_IN = "Sign in, or use a signed link that has not expired."


class LinkHolder:
    """The user of a request that follows a signed link: authenticated, but without an account."""

    is_authenticated = True
    pk = None


class SignedLinkAuthentication(BaseAuthentication):
    """Authenticate a request by the signed link that it follows; `request.auth` is the link.

    A link that is not valid authenticates nobody, without an error: a user who has signed in may
    follow it all the same.
    """

    def authenticate(self, request: Request) -> tuple[LinkHolder, SignedLink] | None:
        link = signed_link(request)
        return (LinkHolder(), link) if link else None


class TokenOrSignedLink(BasePermission):
    """Permit requests with a valid token or a valid signed link.

    Other methods than GET and HEAD return no image, so they need neither.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True. Raises Unauthorized, to say what is needed."""
        if request.method in ("GET", "HEAD") and not request.user.is_authenticated:
            raise Unauthorized(SIGN_IN)
        return True


def signed_link(request: Request) -> SignedLink | None:
    """Return the link that a request follows if it is valid for the configured server."""
    connection = runtime.current().connection
    if connection is None:
        return None
    ids = request.parser_context["kwargs"]
    return verify_link(connection, ids["ratingKey"], ids["kind"], request.query_params)
