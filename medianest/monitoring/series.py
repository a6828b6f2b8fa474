"""What each worker counts for Prometheus: requests, requests to Plex, limits and threads.

The listener counts its requests to Plex with them.

Imported only where METRICS_TOKEN is set. No label has anything that a client, a user or Plex chose.
"""

import logging
import os
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram, values

from medianest.monitoring.metrics_folder import MetricsFolder

log = logging.getLogger(__name__)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""From a cached response, which takes about a millisecond, to the longest wait for Plex."""

REQUESTS = Histogram(
    "medianest_http_request_duration_seconds",
    "Requests: from the head of the request to the last byte given to the server.",
    ("endpoint", "method", "status", "cache_status"),
    buckets=_SECONDS,
    registry=None,
)
REFUSALS = Counter(
    "medianest_rate_limit_refusals",
    "Requests that were refused with 429, by the limit.",
    ("endpoint", "limit"),
    registry=None,
)
PLEX_REQUESTS = Histogram(
    "medianest_plex_request_duration_seconds",
    "Requests to Plex and plex.tv: until the head of the response.",
    ("server", "endpoint", "method", "status", "error"),
    buckets=_SECONDS,
    registry=None,
)
THREADS = Gauge(
    "medianest_worker_threads",
    "Threads that all workers may have, by their set.",
    ("set",),
    registry=None,
    multiprocess_mode="livesum",
)
JOBS = Gauge(
    "medianest_worker_jobs",
    "Requests and checks that run in a thread or wait for one, by the set of threads.",
    ("set",),
    registry=None,
    multiprocess_mode="livesum",
)


def start(path: Path) -> None:
    """Let this process count in files of its own, where all workers can read them.

    The service also works where that is not possible: then the numbers of this process are missing.
    """
    try:
        name = MetricsFolder(path).join()
    except OSError as error:
        log.error("METRICS_FOLDER cannot be used, so this process has no metrics: %s", error)
        return
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(path)
    values.ValueClass = values.MultiProcessValue(lambda: name)
