"""Every kind of store, for what must hold for each."""

from typing import Any

import pytest
from django.core.cache import caches

from medianest.store import LocalStore


@pytest.fixture(params=["in this process", "Redis", "Sentinel", "cluster"])
def each_store(request: Any) -> Any:
    """The store of this process alone, then those in each kind of Redis."""
    if request.param == "Redis":
        return request.getfixturevalue("shared")
    if request.param == "Sentinel":
        return request.getfixturevalue("stores").use(request.getfixturevalue("watched").url)
    if request.param == "cluster":
        return request.getfixturevalue("stores").use(request.getfixturevalue("cluster").url)
    caches["default"].clear()
    return LocalStore()
