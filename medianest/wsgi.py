"""The WSGI application a server runs: `medianest.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medianest.settings")
application = get_wsgi_application()
