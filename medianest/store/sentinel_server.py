"""The master that Sentinel names.

A master that was unreachable still accepts writes for some seconds after it can be reached again,
though another server is the master. Connections to it that are still open must not be used.
"""

import asyncio
from typing import Any

from medianest.store.loop_connection import LoopConnection
from medianest.store.redis_server import RedisServer


class SentinelServer(RedisServer):
    """One Redis of the settings, wherever its master is."""

    def check(self) -> None:
        """Ask Sentinel for the master, and require it to respond."""
        self.client.connection_pool.get_master_address()
        super().check()

    def _own_connection(self) -> tuple[Any, bool]:
        connection, is_new = super()._own_connection()
        if is_new or self._is_master(connection.host, connection.port):
            return connection, is_new
        connection.disconnect()
        del self._connections.connection
        return super()._own_connection()

    def _loop_connection(self, loop: asyncio.AbstractEventLoop) -> LoopConnection:
        connection = super()._loop_connection(loop)
        if connection.master and not self._is_master(*connection.master):
            connection.close()
        return connection

    def _is_master(self, host: str, port: int) -> bool:
        """Tell whether this was the master when this process asked for it last."""
        known = self.client.connection_pool.master_address
        return known is None or known == (host, port)
