"""Get an image: from the disk cache, or from Plex, once for all who want it at the same time.

A cached image costs Plex nothing. Any other costs it one request, however many threads and workers
of this machine want it: threads share a single flight, workers the disk cache's lock. Which image
an item has is cached like any other response, and loaded only if no link says so.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import blake2b
from typing import Literal

from medianest.serving import upstream
from plex_integration.caching import CacheKey, Loaded, breaker, failures, get_or_load, tags
from plex_integration.caching.loading import PlexLoad
from plex_integration.caching.single_flight import SingleFlight
from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Connection, Scope
from plex_integration.errors import ImageNotFound, PlexServerUnavailable
from plex_integration.images import disk_cache, versions
from plex_integration.images.disk_cache import CachedFile, DiskCache, EncodedImage
from plex_integration.images.query import PNG, Box, ImageFormat
from plex_integration.images.render import render
from plex_integration.plex import PlexNotFound
from plex_integration.plex.images import ImageClient
from plex_integration.policies import IMAGE_PATHS

RENDER_VERSION = 1
"""Raise this when `render` changes its output: images that are cached already become misses."""


@dataclass(frozen=True)
class ImageKey:
    """What an image is: in which scope, which version, how large at most, in which format."""

    scope: Scope
    version: str
    box: Box
    format: ImageFormat

    @cached_property
    def name(self) -> str:
        """The name in the disk cache, hexadecimal."""
        text = json.dumps(
            [RENDER_VERSION, self.scope.name, self.version, self.box, self.format.name]
        )
        return blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class FetchedImage:
    """An image, and how it came: BYPASS if it could not be cached."""

    image: EncodedImage | CachedFile
    status: Literal["HIT", "MISS", "BYPASS"]


_flights: SingleFlight[FetchedImage] = SingleFlight()


def current_version(
    connection: Connection, rating_key: str, kind: str, deadline: float, *, renew: bool
) -> str:
    """Return the version of the image that an item has now. Raises ItemNotFound, ImageNotFound."""
    cached = get_or_load(
        CacheKey(IMAGE_PATHS.name, connection.scope, rating_key),
        ttl=runtime.ttl(IMAGE_PATHS),
        load=PlexLoad(ImageClient, connection, partial(_load_paths, rating_key)),
        deadline=deadline,
        renew=renew,
    )
    paths: Mapping[str, str] = json.loads(cached.entry.payload())
    version = versions.of_kind(kind, paths)
    if version is None:
        raise ImageNotFound
    return version


def cached_digest(key: ImageKey) -> str | None:
    """Return the hash of an image that is in the disk cache, without reading the image."""
    return disk_cache.current().digest(key.name)


def get_or_fetch(connection: Connection, key: ImageKey, deadline: float) -> FetchedImage:
    """Return an image; `deadline` is a moment of `time.monotonic()`.

    Raises ImageNotFound, and the errors of a request to Plex.
    """
    cache = disk_cache.current()
    if cached := cache.open(key.name):
        return FetchedImage(cached, "HIT")
    if not upstream.may_wait():
        raise failures.busy()
    try:
        return _flights.run(key.name, _Fetch(cache, connection, key, deadline), deadline=deadline)
    except TimeoutError:
        raise PlexServerUnavailable from None


@dataclass(frozen=True)
class _Fetch:
    """Fetch an image that was not in the disk cache."""

    cache: DiskCache
    connection: Connection
    key: ImageKey
    deadline: float

    def __call__(self) -> FetchedImage:
        """Fetch and cache it. Raises TimeoutError while another worker fetches until the end."""
        with self.cache.lock(self.key.name, self.deadline):
            # Another worker may have cached it in the meantime. It is read whole: the threads that
            # share this flight cannot share an open file.
            if cached := self.cache.read(self.key.name):
                return FetchedImage(cached, "HIT")
            image = EncodedImage.of(render(self._load(), self.key.box, self.key.format))
            is_cached = self.cache.write(self.key.name, image)
            return FetchedImage(image, "MISS" if is_cached else "BYPASS")

    def _load(self) -> bytes:
        """Request the image from Plex."""
        path = versions.to_path(self.key.version)
        if path is None:
            raise ImageNotFound
        encoding = "png" if self.key.format is PNG else "jpeg"
        with breaker.guard(self.connection.server):
            client = ImageClient(self.connection, self.deadline - time.monotonic())
            try:
                return client.image(path, *self.key.box, encoding)
            except PlexNotFound:
                raise ImageNotFound from None


def _load_paths(rating_key: str, plex: ImageClient) -> Loaded:
    """Load the paths of an item's images, as a response that depends on the item's library."""
    found = plex.image_paths(rating_key)
    library = tags.libraries([found.library] if found.library else None)
    return Loaded(json.dumps(found.paths).encode(), tags.images_of(rating_key) | library)
