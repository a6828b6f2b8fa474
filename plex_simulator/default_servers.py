"""The servers of the demo's owner beside the simulated one, and addresses where nothing answers.

They are what an operator meets with a real account: names that the network does not resolve,
addresses of another network, and a server that is switched off.
"""

from typing import Any, Protocol

# RFC 5737: nobody has these addresses.
_ELSEWHERE, _DIRECT = "192.0.2.20", "192-0-2-20.0123456789abcdef0123456789abcdef.plex.direct"


class WithServers(Protocol):
    """What can list more servers and addresses: a simulator."""

    @property
    def port(self) -> int: ...
    def add_address(self, uri: str, *, local: bool = False, relay: bool = False) -> None: ...
    def add_server(
        self, name: str, machine_identifier: str, *args: Any, **options: Any
    ) -> None: ...


def add_servers(simulator: WithServers) -> None:
    """Add the servers and the addresses of the demo."""
    simulator.add_address(f"https://{_DIRECT}:{simulator.port}", local=True)
    simulator.add_address(f"http://169.254.83.107:{simulator.port}", local=True)
    attic = [
        {"uri": "http://127.0.0.1:9", "local": True},
        {"uri": f"http://{_ELSEWHERE}:32400"},
    ]
    simulator.add_server("Attic", "attic-0123456789abcdef", attic, online=False)
