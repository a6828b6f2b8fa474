"""The WSGI application that a server runs: `medianest.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

from medianest import store

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medianest.settings")
application = get_wsgi_application()

# Log at the start, not with the first request, whether this process shares its limits.
store.current()
