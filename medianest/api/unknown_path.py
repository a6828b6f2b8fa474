"""What answers under /api where nothing is: the envelope, not Django's page."""

from typing import Any, NoReturn

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from medianest.api.exceptions import NotFound


class UnknownPathView(APIView):
    """Answer any method on a path that nothing else has with NOT_FOUND."""

    authentication_classes = []
    permission_classes = [AllowAny]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise before the method is looked at: there is none that would do."""
        raise NotFound
