"""The view of the stock recipe, and its URL."""

import json
import os
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

KEY = "library-items-1"
SECONDS = 3600


class StockView(APIView):
    """A page of a library's items, from the cache."""

    def get(self, request: Request) -> Response:
        page = cache.get(KEY)
        if page is None:
            page = _load()
            cache.set(KEY, page, SECONDS)
        return Response(page)


def _load() -> Any:
    """Read the page that the service answered: a real recipe would ask Plex here."""
    return json.loads((Path(os.environ["ANSWERS"]) / "items").read_bytes())


urlpatterns = [path("api/v1/plex/libraries/1/items", StockView.as_view())]
