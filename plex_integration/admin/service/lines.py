"""A line of the status: what it is about, its state in a word, and sentences."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass


class State(enum.Enum):
    """How something is: the word that the page shows; its name is also its style."""

    OK = "OK"
    ATTENTION = "Attention"
    PROBLEM = "Problem"
    UNUSED = "Not used"

    @property
    def icon(self) -> str:
        """A character beside the word."""
        return {State.OK: "✓", State.ATTENTION: "!", State.PROBLEM: "✕", State.UNUSED: "–"}[self]

    @property
    def style(self) -> str:
        """The class of its style."""
        return self.name.lower()


@dataclass(frozen=True)
class Line:
    """What the page says about one thing."""

    name: str
    state: State
    sentences: Sequence[str]
