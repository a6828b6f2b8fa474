"""Health checks for load balancers and people: public and cheap."""

from contextlib import suppress

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from medianest import store
from medianest.api.exceptions import Problem, ServiceUnavailable
from medianest.monitoring.background_check import BackgroundCheck
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Connection
from plex_integration.errors import PlexServerUnavailable
from plex_integration.plex import PlexClient

# Anyone may call this: Plex is asked at most once in this many seconds per process.
PLEX_CHECK_SECONDS = 5.0
# The most seconds that one check waits for Plex.
PLEX_TIMEOUT_SECONDS = 2.0
# How long after the start of a check requests wait for its result.
PLEX_PATIENCE_SECONDS = 0.5


class HealthChecksPayload(serializers.Serializer[object]):
    """The result of each check: `ok`, `unavailable`, or `unused` where it is not configured.

    Redis is `full` if its memory is full and it refuses writes.
    """

    database = serializers.ChoiceField(choices=["ok"])
    plex = serializers.ChoiceField(choices=["ok", "unavailable"])
    redis = serializers.ChoiceField(choices=["ok", "full", "unavailable", "unused"])


class HealthPayload(serializers.Serializer[object]):
    """The overall health: `degraded` serves some requests only, or serves expired responses."""

    status = serializers.ChoiceField(choices=["healthy", "degraded"])
    checks = HealthChecksPayload()


class LivenessPayload(serializers.Serializer[object]):
    """The process is alive."""

    status = serializers.ChoiceField(choices=["alive"])


class HealthView(APIView):
    """Check the database, Plex and Redis."""

    tag = "Health"

    page = "plex_integration/health.html"
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="getHealth", responses=HealthPayload)
    def get(self, request: Request) -> Response:
        """Check the service's health.

        `healthy`, `degraded` (Plex or Redis does not work), or 503 without a database.
        """
        try:
            # Of a table: SQLite answers everything else also while its file is locked.
            get_user_model().objects.exists()
        except DatabaseError as error:
            raise ServiceUnavailable(
                details={"status": "unhealthy", "checks": {"database": "unavailable"}}
            ) from error
        plex = "ok" if _plex_watch.is_up() else "unavailable"
        redis = "unused"
        if settings.REDIS_URL:
            redis = store.current().condition().value
        is_degraded = plex != "ok" or redis not in ("ok", "unused")
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

    tag = "Health"

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="getLiveness", responses=LivenessPayload)
    def get(self, request: Request) -> Response:
        """Check that the process is alive.

        Nothing else is checked.
        """
        return Response(LivenessPayload({"status": "alive"}).data)


class _PlexWatch:
    """Whether Plex responded to the last check. A check runs in a thread of its own."""

    def __init__(self) -> None:
        self._check = BackgroundCheck("plex-check", _is_up)

    def is_up(self) -> bool:
        """Return the result of the current check, or of the one before if this one takes long.

        The thread of a request must not wait for Plex: all checks together hold a thread up for
        half a second at most, once in `PLEX_CHECK_SECONDS`.
        """
        try:
            connection = runtime.required_connection()
        except PlexServerUnavailable:
            return False
        found = self._check.latest(
            connection, every=PLEX_CHECK_SECONDS, patience=PLEX_PATIENCE_SECONDS
        )
        return found is True


def _is_up(connection: Connection) -> bool:
    with suppress(Problem):
        _request_identity(connection)
        return True
    return False


def _request_identity(connection: Connection) -> None:
    """Request Plex's identity, which needs no token. Raises what is wrong."""
    PlexClient(connection, min(PLEX_TIMEOUT_SECONDS, connection.seconds)).identity()


_plex_watch = _PlexWatch()
