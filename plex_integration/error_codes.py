"""`GET /api/v1/errors`: every error code, its status and what it means.

The `type` of problem details (`medianest.api.problem_details`) leads here.
"""

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from medianest.api.problem_details import title
from plex_integration.errors import TABLE


class ErrorCodesView(APIView):
    """The error codes."""

    authentication_classes = []
    permission_classes = [AllowAny]
    schema = None
    page = "plex_integration/error_codes.html"

    def get(self, request: Request) -> Response:
        """List the error codes. Each is an anchor of this page."""
        return Response({"errors": _ERRORS})


_ERRORS = [
    {
        "code": code,
        "status": kind.status_code,
        "title": title(code),
        "description": " ".join((kind.__doc__ or "").partition("\n\n")[0].replace("`", "").split()),
    }
    for code, kind in TABLE.items()
]
