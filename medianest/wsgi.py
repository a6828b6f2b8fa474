"""The WSGI application: `medianest.wsgi:application`. docs/deployment.md names its limits."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medianest.settings")
django_application = get_wsgi_application()

# These modules need Django's applications.
# ruff: noqa: E402
from medianest import store
from medianest.serving.chunked_bodies import ChunkedBodies
from plex_integration.caching.fast_path_layers import WsgiFastPath

application = WsgiFastPath(ChunkedBodies(django_application))

# Log at the start, not with the first request, whether this process shares its limits.
store.current()
