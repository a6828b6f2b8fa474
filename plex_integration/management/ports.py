"""Ports as arguments of commands."""

from argparse import ArgumentTypeError


def read_port(text: str, lowest: int = 1) -> int:
    """Return the port that an argument names. Raises ArgumentTypeError."""
    if not (text.isdecimal() and text.isascii() and lowest <= int(text) <= 65535):
        raise ArgumentTypeError(f"{text!r} is not a port from {lowest} to 65535")
    return int(text)
