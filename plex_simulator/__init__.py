"""A Plex Media Server that speaks Plex over HTTP on made-up media.

For the demo, tests, benchmarks and developers of clients. Standard library only.
"""

from plex_simulator.simulator import Simulator

__all__ = ["Simulator"]
