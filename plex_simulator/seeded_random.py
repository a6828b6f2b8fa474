"""Pseudo-random values that depend on nothing but a seed and the arguments."""

from collections.abc import Sequence
from typing import TypeVar

Option = TypeVar("Option")


class SeededRandom:
    """Draw values without state: the same arguments always give the same value.

    `index` is the item that a value is for. `purpose` is a number that tells the values of one item
    apart, for instance its year from its rating.
    """

    def __init__(self, seed: int, salt: int) -> None:
        self._salt = hash((seed, salt))

    def below(self, index: int, purpose: int, bound: int) -> int:
        """Return a number from 0 up to, but not including, `bound`."""
        # Unlike hashes of strings, hashes of integer tuples are the same in every process.
        return (hash((self._salt, purpose, index)) >> 9) % bound

    def choice(self, index: int, purpose: int, options: Sequence[Option]) -> Option:
        """Return one of the options."""
        return options[self.below(index, purpose, len(options))]

    def hexadecimal(self, index: int, purpose: int, digits: int) -> str:
        """Return a hexadecimal number with so many digits."""
        number = 0
        for part in range(0, digits, 8):
            number = number << 32 | self.below(index, purpose * 100 + part, 1 << 32)
        return f"{number:0{digits}x}"[-digits:]

    def uuid(self, index: int, purpose: int) -> str:
        """Return a UUID of version 4."""
        text = self.hexadecimal(index, purpose, 32)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
