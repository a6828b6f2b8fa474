"""The client class of Django's cache in Redis, for every kind of address."""

from typing import Any

from django_redis.client import DefaultClient

from medianest.redis_address import Kind, RedisAddress
from medianest.store import clients, values


class CacheClient(DefaultClient):  # type: ignore[misc]
    """Clear the cached values, not the whole database: the limits may be in the same one."""

    def __init__(self, server: str, params: dict[str, Any], backend: Any) -> None:
        # In a list, because django-redis divides a text with commas into several URLs.
        super().__init__([server], params, backend)

    def connect(self, index: int = 0) -> Any:
        """Return redis-py's client of the address."""
        address = RedisAddress.parse(self._server[index])
        if address.kind is Kind.SERVER:
            return super().connect(index)
        client = clients.cluster if address.kind is Kind.CLUSTER else clients.master
        return client(address, self._options)

    def clear(self, client: Any = None) -> bool:
        """Delete every cached value."""
        connection = client or self.get_client(write=True)
        for name in connection.scan_iter(match=f"{values.PREFIX}*", count=1000):
            connection.unlink(name)
        return True
