"""Tests that talk to a server: HTTP in, JSON out, a real Plex protocol behind."""
