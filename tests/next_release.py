"""The service as a release with another layout of what is cached serves it."""

from plex_integration import cache_layout

cache_layout.VERSION += 1

from medianest.asgi import application  # noqa: E402, F401
