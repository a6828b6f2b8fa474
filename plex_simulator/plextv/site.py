"""What the endpoints of plex.tv share."""

from dataclasses import dataclass, field

from plex_simulator.accounts import Accounts
from plex_simulator.models import Account
from plex_simulator.plextv.pins import Pin, Pins
from plex_simulator.plextv.servers import Address, OtherServer


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What plex.tv knows about the server."""

    machine_identifier: str
    name: str
    version: str
    libraries: int


@dataclass(frozen=True, slots=True)
class Caller:
    """The account that sends a request, and the account token that it sends."""

    account: Account
    token: str


@dataclass(frozen=True, slots=True)
class Site:
    """The accounts, the pins, and the servers that belong to the owner."""

    accounts: Accounts
    pins: Pins
    server: ServerIdentity
    more_addresses: list[Address] = field(default_factory=list)  # of this server
    other_servers: list[OtherServer] = field(default_factory=list)

    @property
    def home(self) -> list[Account]:
        """List the members of the owner's Plex Home, the owner first; empty without others."""
        members = [account for account in self.accounts.all if account.home]
        return [self.accounts.owner, *members] if members else []

    def link(self, pin: Pin, account: Account) -> None:
        """Sign an account in to the client that created a pin."""
        pin.token = self.accounts.sign_in(account, pin.client)


def avatar(account: Account) -> str:
    """Return the address of the picture of an account."""
    return f"https://plex.tv/users/{account.uuid}/avatar?c={account.plex_tv_id}"
