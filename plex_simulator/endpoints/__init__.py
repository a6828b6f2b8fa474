"""The HTTP endpoints of the simulated server, one module per area of the Plex API."""
