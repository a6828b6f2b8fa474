"""Plex's libraries, search and collections as JSON."""
