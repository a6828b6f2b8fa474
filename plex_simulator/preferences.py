"""The settings of the server that its owner can change."""

from collections.abc import Mapping
from dataclasses import dataclass

Setting = bool | int | str


@dataclass(frozen=True, slots=True)
class Preference:
    """A setting: its id, its name for people, its default and the group that it belongs to."""

    id: str
    label: str
    default: Setting
    group: str
    choices: str = ""

    @property
    def type(self) -> str:
        return {bool: "bool", int: "int", str: "text"}[type(self.default)]

    def parse(self, text: str) -> Setting:
        """Return the value of a text; raise ValueError if it is none of the setting's type."""
        if isinstance(self.default, bool):
            return _parse_flag(text)
        return int(text) if isinstance(self.default, int) else text


PLAYED_AT = (
    "0:at selected threshold percentage|1:at final credits marker position"
    "|2:at first credits marker position|3:earliest between threshold percent and first credits"
)
PREFERENCES = (
    Preference("FriendlyName", "Friendly name", "", "general"),
    Preference("LibraryVideoPlayedThreshold", "Video played threshold", 90, "library"),
    Preference(
        "LibraryVideoPlayedAtBehaviour", "Video play completion behaviour", 3, "library", PLAYED_AT
    ),
    Preference("OnDeckWindow", "Weeks to consider for Continue Watching", 16, "library"),
    Preference("OnDeckLimit", "Maximum number of Continue Watching items", 40, "library"),
    Preference(
        "OnDeckIncludePremieres", "Include season premieres in Continue Watching", True, "library"
    ),
)


class Preferences:
    """The values of all settings.

    The videos of the simulator have no markers for credits, so that a video counts as played from
    LibraryVideoPlayedThreshold percent on, whatever LibraryVideoPlayedAtBehaviour says.
    """

    def __init__(self, name: str) -> None:
        self.values: dict[str, Setting] = {each.id: each.default for each in PREFERENCES}
        self.values["FriendlyName"] = name

    def change(self, texts: Mapping[str, str]) -> None:
        """Set several settings; raise ValueError, and set none, if one is unknown or invalid."""
        known = {each.id: each for each in PREFERENCES}
        if unknown := texts.keys() - known.keys():
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        self.values |= {name: known[name].parse(text) for name, text in texts.items()}

    @property
    def played_percent(self) -> int:
        return int(self.values["LibraryVideoPlayedThreshold"])

    @property
    def on_deck_seconds(self) -> int:
        """Return for how long a video stays in Continue Watching."""
        return int(self.values["OnDeckWindow"]) * 7 * 86_400

    @property
    def on_deck_limit(self) -> int:
        return int(self.values["OnDeckLimit"])


def _parse_flag(text: str) -> bool:
    if text not in ("0", "1", "false", "true"):
        raise ValueError(text)
    return text in ("1", "true")
