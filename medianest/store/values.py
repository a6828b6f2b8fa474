"""What a store is asked and answers. Standard library only."""

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

MICROSECONDS = 1_000_000

EVERYTHING = "base"
"""The tag of every value: invalidating it makes every cached value a miss."""

# Every look reads the versions of all tags that changed within two days. Of more than these all
# are forgotten together, and every entry is a miss once.
MOST_TAGS = 1_000


@dataclass(frozen=True)
class Take:
    """Ask for one place in a sliding window.

    `key` names whose window it is. `is_kept` is for keys that are bounded in number (users): they
    get no time to live, so that no eviction of volatile keys can forget what was counted.
    """

    key: str
    places: int
    window: int
    is_kept: bool


@dataclass(frozen=True)
class Verdict:
    """Whether a place was taken, and what the headers say of it.

    `reset` is the epoch second in which the oldest counted request leaves the window;
    `retry_after` is how many seconds that is from now.
    """

    is_allowed: bool
    limit: int
    remaining: int
    reset: int
    retry_after: int

    @classmethod
    def of(cls, places: int, *, taken: bool, left: int, wait: int, now: int) -> "Verdict":
        """Build one from microseconds: `wait` until the oldest leaves, `now` since the epoch."""
        return cls(
            is_allowed=taken,
            limit=places,
            remaining=left,
            reset=math.ceil((now + wait) / MICROSECONDS),
            retry_after=max(1, math.ceil(wait / MICROSECONDS)),
        )


class Attempt(enum.Enum):
    """What becomes of an attempt that counts only if it fails."""

    BEGUN = 1
    WAIT = 0
    REFUSED = -1


@dataclass(frozen=True)
class Look:
    """What one look into the store found.

    `values` has one entry per key asked for; `versions` is the JSON of the tags' versions;
    `is_usable` is False where answers cannot be kept now.
    """

    verdict: Verdict | None
    values: Sequence[bytes | None]
    versions: bytes | None
    is_usable: bool
