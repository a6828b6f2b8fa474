"""The accounts of the demo beside the owner and the viewer: two friends and two home profiles."""

from typing import Any, Protocol

from plex_simulator.models import Account

PIN = "1234"  # of the protected profile
ACCOUNTS: dict[str, dict[str, Any]] = {
    "Nadia": {"libraries": ("1", "2"), "filters": {"filterMovies": "label!=Favourites"}},
    "Rufus": {"libraries": ("1", "5"), "filters": {"filterMovies": "contentRating!=R,NR"}},
    "Juno": {"restriction_profile": "little_kid"},
    "Vera": {"home": True, "pin": PIN},
}


class WithAccounts(Protocol):
    """What can have more accounts: a simulator."""

    def add_account(self, name: str, **attributes: Any) -> Account: ...


def add_accounts(simulator: WithAccounts) -> list[Account]:
    """Add the accounts of the demo."""
    return [simulator.add_account(name, **attributes) for name, attributes in ACCOUNTS.items()]
