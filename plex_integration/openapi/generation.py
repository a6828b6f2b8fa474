"""Generate the document once in a process; drf-spectacular is not safe in several threads."""

import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from plex_integration.openapi import extensions  # noqa: F401 - drf-spectacular finds what is loaded

_lock = threading.Lock()


def document() -> Mapping[str, Any]:
    """Return the document, which takes a second to generate. Callers must not change it."""
    with _lock:
        return _generated()


@lru_cache(maxsize=1)
def _generated() -> Mapping[str, Any]:
    generator: Any = SchemaGenerator
    generated: Mapping[str, Any] = generator().get_schema(request=None, public=True)
    return generated
