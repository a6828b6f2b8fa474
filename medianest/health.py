"""Health checks for load balancers and people: public and cheap."""

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
from plex_integration.configuration import runtime
from plex_integration.plex import PlexClient

# Anyone may call this: Plex is asked at most once in this many seconds per process.
PLEX_CHECK_SECONDS = 5.0
# The most seconds that one check waits for Plex.
PLEX_TIMEOUT_SECONDS = 2.0


class ChecksPayload(serializers.Serializer[object]):
    """The result of each check: `ok`, `unavailable`, or `unused` where it is not configured."""

    database = serializers.ChoiceField(choices=["ok"])
    plex = serializers.ChoiceField(choices=["ok", "unavailable"])
    redis = serializers.ChoiceField(choices=["ok", "unavailable", "unused"])


class HealthPayload(serializers.Serializer[object]):
    """The overall health: `degraded` serves some requests only, or serves expired responses."""

    status = serializers.ChoiceField(choices=["healthy", "degraded"])
    checks = ChecksPayload()


class LivePayload(serializers.Serializer[object]):
    """The process is alive."""

    status = serializers.ChoiceField(choices=["alive"])


class HealthView(APIView):
    """Check the database, Plex and Redis."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="health", responses=HealthPayload)
    def get(self, request: Request) -> Response:
        """Get `healthy`, `degraded` (Plex or Redis is unavailable), or 503 without a database."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError as error:
            raise ServiceUnavailable(
                details={"status": "unhealthy", "checks": {"database": "unavailable"}}
            ) from error
        plex = "ok" if _plex_watch.is_up() else "unavailable"
        redis = "unused"
        if settings.REDIS_URL:
            redis = "ok" if store.current().is_available() else "unavailable"
        is_degraded = "unavailable" in (plex, redis)
        return Response(
            HealthPayload(
                {
                    "status": "degraded" if is_degraded else "healthy",
                    "checks": {"database": "ok", "plex": plex, "redis": redis},
                }
            ).data
        )


class LiveView(APIView):
    """Show that the process is alive."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="live", responses=LivePayload)
    def get(self, request: Request) -> Response:
        """Answer without checking anything."""
        return Response(LivePayload({"status": "alive"}).data)


class _PlexWatch:
    """Whether Plex answered the last check, and when that was."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checked_at = float("-inf")
        self._up = False

    def is_up(self) -> bool:
        with self._lock:
            if time.monotonic() - self._checked_at >= PLEX_CHECK_SECONDS:
                try:
                    _check_plex()
                    self._up = True
                except Problem:
                    self._up = False
                self._checked_at = time.monotonic()
            return self._up


def _check_plex() -> None:
    """Ask the configured Plex for its identity, which needs no token. Raises what is wrong."""
    connection = runtime.required_connection()
    PlexClient(connection, min(PLEX_TIMEOUT_SECONDS, connection.seconds)).identity()


_plex_watch = _PlexWatch()
