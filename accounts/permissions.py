"""DRF permissions that are read from the database at every request, not from the identity cache."""

from typing import ClassVar

from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import tokens
from accounts.models import User
from medianest.api.exceptions import Unauthorized


class FreshPermission(IsAuthenticated):
    """Require a signed-in user, and for every method that changes something `permission`.

    A permission that was taken away, like a revoked token, ends at once on every worker.
    """

    permission: ClassVar[str]

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether the user may do this. Raises Unauthorized for a token revoked meanwhile."""
        if not super().has_permission(request, view):
            return False
        return not _changes_something(request, view) or _user(request).has_perm(self.permission)


def _changes_something(request: Request, view: APIView) -> bool:
    # A method that the view does not have gets its 405, whoever sends it.
    method = str(request.method)
    return method not in SAFE_METHODS and hasattr(view, method.lower())


def _user(request: Request) -> User:
    try:
        return tokens.bearer(request.auth)
    except tokens.TokenRefused:
        raise Unauthorized from None
