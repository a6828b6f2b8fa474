"""The WSGI application: `medianest.wsgi:application`. docs/deployment.md names its limits."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medianest.settings")
django_application = get_wsgi_application()

# These modules need Django's applications.
# ruff: noqa: E402
from medianest import store
from medianest.monitoring import processes
from medianest.serving.access_log import WsgiAccessLog
from medianest.serving.chunked_bodies import ChunkedBodies
from plex_integration.caching.fast_path_layers import WsgiFastPath
from plex_integration.linking.polling import poller
from plex_integration.viewers import access

fast_path = WsgiFastPath(ChunkedBodies(django_application), access.check_user)
application = WsgiAccessLog(fast_path) if settings.LOG_FORMAT == "json" else fast_path

# Log at the start, not with the first request, whether this process shares its limits.
store.current()

# Go on with the sign-ins of a worker that ended.
poller.wake()

processes.begin(processes.WORKER, lambda: fast_path.requests)
