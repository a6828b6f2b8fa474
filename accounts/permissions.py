"""DRF permissions, read from the database at every request."""

from typing import ClassVar

from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView


class WritePermission(IsAuthenticated):
    """Require a signed-in user, and for every method that changes something `permission`.

    A permission that was taken away ends at once on every worker: authentication reads the user
    from the database for each request, and Django reads the user's permissions.
    """

    permission: ClassVar[str]

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether the user may do this."""
        if not super().has_permission(request, view):
            return False
        return not _changes_something(request, view) or request.user.has_perm(self.permission)


def _changes_something(request: Request, view: APIView) -> bool:
    # A method that the view does not have gets its 405, whoever sends it.
    method = str(request.method)
    return method not in SAFE_METHODS and hasattr(view, method.lower())
