"""Both kinds of store, for what must hold for either."""

from typing import Any

import pytest
from django.core.cache import caches

from medianest.store import LocalStore


@pytest.fixture(params=["in this process", "Redis"])
def each_store(request: Any) -> Any:
    """The store of this process alone, then one in Redis."""
    if request.param == "Redis":
        return request.getfixturevalue("shared")
    caches["default"].clear()
    return LocalStore()
