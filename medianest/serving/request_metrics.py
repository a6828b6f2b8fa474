"""Count every request for Prometheus. Imported only where METRICS_TOKEN is set."""

from functools import lru_cache

from prometheus_client import Histogram

from medianest.monitoring import series
from medianest.serving.finished_requests import FinishedRequest

OTHER = "other"


def record(request: FinishedRequest) -> None:
    """Count a request, and its refusal by a limit."""
    of_request = _requests(
        request.endpoint, request.method, str(request.status or ""), request.cache_status
    )
    of_request.observe(request.seconds)
    if request.status == 429:
        series.REFUSALS.labels(request.endpoint, _limit(request.limit)).inc()


# Faster than `labels`, which builds the key and takes a lock each time.
@lru_cache(maxsize=4096)
def _requests(endpoint: str, method: str, status: str, cache_status: str) -> Histogram:
    return series.REQUESTS.labels(endpoint, method, status, cache_status)


def _limit(header: str) -> str:
    """Return the name of the limit in a header like `"items";r=0;t=42`, if nothing is left of it.

    Limits of failed attempts are in no header: `OTHER`.
    """
    name, _, remaining = header.partition(";r=")
    return name.strip('"') if remaining.startswith("0;") else OTHER
