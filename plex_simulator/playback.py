"""The playback sessions that clients report with /:/timeline.

As measured on Plex 1.43, a video counts as played when one session reports a time below the
threshold and then one above it. A single report above the threshold changes nothing.
"""

import threading
from dataclasses import dataclass
from enum import Enum

from plex_simulator.models import Account

MIN_OFFSET = 60_000  # milliseconds; Plex stores no resume point before it
STATES = ("playing", "paused", "buffering", "stopped")


class Outcome(Enum):
    """What a report does to the watch state of its item."""

    NOTHING = "nothing"
    PROGRESS = "progress"
    PLAYED = "played"


@dataclass(frozen=True, slots=True)
class Player:
    """The client that plays."""

    id: str  # the client identifier
    title: str
    product: str
    platform: str
    address: str


@dataclass(slots=True)
class PlaybackSession:
    """An item that an account plays on a player."""

    number: int
    user: Account
    player: Player
    rating_key: str
    state: str
    offset: int  # milliseconds
    is_below_threshold: bool = False  # whether the last report was

    @property
    def id(self) -> str:
        return f"reported{self.number}"


class Playback:
    """The sessions that are not stopped, in the order in which they started."""

    def __init__(self, first_number: int) -> None:
        self._lock = threading.Lock()
        self._next_number = first_number
        self._sessions: dict[tuple[int, str, str, str], PlaybackSession] = {}

    @property
    def sessions(self) -> list[PlaybackSession]:
        with self._lock:
            return list(self._sessions.values())

    def report(
        self,
        user: Account,
        player: Player,
        rating_key: str,
        session_id: str,
        state: str,
        offset: int,
        threshold: float,
    ) -> tuple[PlaybackSession, Outcome]:
        """Note a report and return its session and its outcome; `threshold` is in milliseconds."""
        key = user.id, player.id, session_id, rating_key
        with self._lock:
            session = self._sessions.get(key) or self._start(user, player, rating_key)
            self._sessions[key] = session
            session.state, session.offset = state, offset
            was_below = session.is_below_threshold
            session.is_below_threshold = offset < threshold
            if state == "stopped":
                del self._sessions[key]
        if session.is_below_threshold:
            return session, Outcome.PROGRESS if offset >= MIN_OFFSET else Outcome.NOTHING
        return session, Outcome.PLAYED if was_below else Outcome.NOTHING

    def _start(self, user: Account, player: Player, rating_key: str) -> PlaybackSession:
        self._next_number += 1
        return PlaybackSession(self._next_number - 1, user, player, rating_key, "", 0)
