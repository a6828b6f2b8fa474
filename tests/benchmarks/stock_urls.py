"""The view of the stock recipe, and its URLs."""

import json
import os
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.benchmarks.endpoints import ENDPOINTS

SECONDS = 3600


class StockView(APIView):
    """What the service answered, from the cache."""

    def get(self, request: Request, name: str) -> Response:
        answer = cache.get(name)
        if answer is None:
            answer = _load(name)
            cache.set(name, answer, SECONDS)
        return Response(answer)


def _load(name: str) -> Any:
    """Read what the service answered: a real recipe would ask Plex here."""
    return json.loads((Path(os.environ["ANSWERS"]) / name).read_bytes())


urlpatterns = [
    path(each.path.removeprefix("/"), StockView.as_view(), {"name": each.name})
    for each in ENDPOINTS
]
