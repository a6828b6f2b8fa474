"""Whether the service can do its work, for load balancers and people. Public, and cheap to ask."""

import threading
import time

from django.conf import settings
from django.db import DatabaseError, connection
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from medianest import store
from medianest.api.exceptions import Problem, ServiceUnavailable
from plex_integration.plex import is_plex_up

# Anyone may ask for the health: Plex is asked at most once in this many seconds per process.
PLEX_ASKED_EVERY = 5.0


class ChecksPayload(serializers.Serializer[object]):
    """What was looked at: `ok`, `away`, or `unused` where it is not configured."""

    database = serializers.ChoiceField(choices=["ok"])
    plex = serializers.ChoiceField(choices=["ok", "away"])
    redis = serializers.ChoiceField(choices=["ok", "away", "unused"])


class HealthPayload(serializers.Serializer[object]):
    """The whole: `degraded` answers some requests, or old answers."""

    status = serializers.ChoiceField(choices=["healthy", "degraded"])
    checks = ChecksPayload()


class LivePayload(serializers.Serializer[object]):
    """The process answers."""

    status = serializers.ChoiceField(choices=["alive"])


class HealthView(APIView):
    """Can it do its work?"""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="health", responses=HealthPayload)
    def get(self, request: Request) -> Response:
        """Tell `healthy`, `degraded` (Plex or Redis is away), or 503 (the database is away)."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError as error:
            raise ServiceUnavailable(
                details={"status": "unhealthy", "checks": {"database": "away"}}
            ) from error
        plex = "ok" if _plex.is_up() else "away"
        redis = "unused"
        if settings.REDIS_URL:
            redis = "ok" if store.current().is_up() else "away"
        is_degraded = "away" in (plex, redis)
        return Response(
            HealthPayload(
                {
                    "status": "degraded" if is_degraded else "healthy",
                    "checks": {"database": "ok", "plex": plex, "redis": redis},
                }
            ).data
        )


class LiveView(APIView):
    """Is the process there?"""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="live", responses=LivePayload)
    def get(self, request: Request) -> Response:
        """Answer without looking at anything."""
        return Response(LivePayload({"status": "alive"}).data)


class _PlexWatch:
    """Whether Plex answered when it was last asked, and when that was."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = float("-inf")
        self._up = False

    def is_up(self) -> bool:
        with self._lock:
            if time.monotonic() - self._asked >= PLEX_ASKED_EVERY:
                try:
                    is_plex_up()
                    self._up = True
                except Problem:
                    self._up = False
                self._asked = time.monotonic()
            return self._up


_plex = _PlexWatch()
