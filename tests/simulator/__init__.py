"""Tests of the simulated Plex: python-plexapi and plain HTTP ask, the catalogue knows."""
