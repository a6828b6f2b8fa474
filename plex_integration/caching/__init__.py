"""Cached responses: who loads them, what they depend on, and how they are served.

response_cache  get_or_load: the cache, a load and an expired response in one call
entry           a cached response as bytes, compressed once
tags            what a response shows, so that a change invalidates just what shows it
single_flight   one load for several threads of this process
load_lock       one load for several workers and machines
breaker         stop sending requests to a Plex that keeps failing
failures        what the cache must know of this service's errors
loading         a load from Plex: a client, the breaker, a rendered payload
responses       a cached response as an HTTP response, and its headers
fast_path       answer a repeated request before DRF
views           which view of Plex a user had last
access_checks   when a viewer's access to Plex was last checked
invalidation    follow Plex's notifications and invalidate what they change
metrics         how the cache does, over all workers
"""

from plex_integration.caching import failures
from plex_integration.caching.response_cache import CacheKey, Loaded, ResponseCache

__all__ = ["CacheKey", "Loaded", "get_or_load"]

get_or_load = ResponseCache(failures).get_or_load
