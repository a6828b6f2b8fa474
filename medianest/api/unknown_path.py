"""The response to unknown paths under /api: NOT_FOUND in the envelope."""

from typing import Any, NoReturn

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from medianest.api.exceptions import NotFound


class UnknownPathView(APIView):
    """Answer every method with NOT_FOUND."""

    authentication_classes = []
    permission_classes = [AllowAny]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise before DRF checks the method, which would answer 405."""
        raise NotFound
