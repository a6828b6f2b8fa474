"""The client class of Django's cache in Redis: `clear` deletes the cached values only."""

from typing import Any

from django_redis.client import DefaultClient

from medianest.store import values


class CacheClient(DefaultClient):  # type: ignore[misc]
    """Clear the cached values, not the whole database: the limits may be in the same one."""

    def clear(self, client: Any = None) -> bool:
        """Delete every cached value."""
        connection = client or self.get_client(write=True)
        for name in connection.scan_iter(match=f"{values.PREFIX}*", count=1000):
            connection.unlink(name)
        return True
