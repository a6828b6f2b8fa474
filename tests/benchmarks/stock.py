"""The stock recipe, as tutorials have it, and a bare view of the same bytes: what a hit is beside.

Both are whole Django settings for one process each, named by `RECIPE`; they use the same Valkey,
database, secret and tokens as the service, and the answer that was fetched from it once.
"""

import os
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path

from medianest.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.stock"
ANSWERS = Path(os.environ["ANSWERS"])

if os.environ["RECIPE"] == "bare":
    MIDDLEWARE = []
else:
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "corsheaders.middleware.CorsMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
    CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": os.environ["REDIS_URL"],
        }
    }
    REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework_simplejwt.authentication.JWTAuthentication"
        ],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
        "DEFAULT_THROTTLE_RATES": {"user": "60/min"},
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    }


def bare(request: HttpRequest) -> HttpResponse:
    """Answer the bytes that the service answers, and nothing else."""
    packed = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")
    body = _PACKED if packed else _PLAIN
    headers = {"Content-Length": str(len(body))} | ({"Content-Encoding": "gzip"} if packed else {})
    return HttpResponse(body, content_type="application/json", headers=headers)


def _stock() -> Any:
    import json

    from django.core.cache import cache
    from rest_framework.response import Response
    from rest_framework.views import APIView

    cache.set("stock:items", json.loads(_PLAIN), 3600)

    class StockView(APIView):
        """Throttle, authenticate, take the dict out of the cache, render it."""

        def get(self, request: Any) -> Response:
            return Response(cache.get("stock:items"))

    return StockView.as_view()


_PLAIN = (ANSWERS / "plain").read_bytes()
_PACKED = (ANSWERS / "gzip").read_bytes()


class _Lazy:
    """The URL table, made when Django asks for it: views need settings that are complete."""

    def __iter__(self) -> Any:
        view = bare if os.environ["RECIPE"] == "bare" else _stock()
        return iter([path("api/v1/plex/libraries/1/items", view)])

    def __reversed__(self) -> Any:
        return reversed(list(self))


urlpatterns = _Lazy()
