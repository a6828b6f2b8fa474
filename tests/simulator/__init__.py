"""Tests of the simulated Plex: compare responses to plexapi and plain HTTP with the catalogue."""
