"""The WSGI application a server runs: `medianest.wsgi:application`."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medianest.settings")
application = get_wsgi_application()

# At the start, not with the first request, it is said whether this process shares its limits.
store = import_module("medianest.store").current()
