"""The WSGI application: `medianest.wsgi:application`. docs/deployment.md names its limits."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from medianest.serving.early_signals import end_at_sigterm

end_at_sigterm()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medianest.settings")
django_application = get_wsgi_application()

# These modules need Django's applications.
# ruff: noqa: E402
from medianest import store
from medianest.monitoring import processes
from medianest.serving import access_log
from medianest.serving.chunked_bodies import ChunkedBodies
from medianest.serving.finished_requests import Report, WsgiFinishedRequests
from plex_integration.caching.fast_path_layers import WsgiFastPath
from plex_integration.linking.polling import poller
from plex_integration.viewers import access

if settings.METRICS_TOKEN:
    from medianest.monitoring import series
    from medianest.serving import request_metrics
    from plex_integration.plex import counted_transport

fast_path = WsgiFastPath(ChunkedBodies(django_application), access.check_user)
reports: list[Report] = []
if settings.LOG_FORMAT == "json":
    reports.append(access_log.write)
if settings.METRICS_TOKEN:
    series.start(settings.METRICS_FOLDER)
    counted_transport.install()
    reports.append(request_metrics.record)
application = WsgiFinishedRequests(fast_path, reports) if reports else fast_path

# Log at the start, not with the first request, whether this process shares its limits.
store.current()

# Go on with the sign-ins of a worker that ended.
poller.wake()

processes.begin(processes.WORKER, lambda: fast_path.requests)
