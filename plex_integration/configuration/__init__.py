"""What the operator can change: the connection to Plex, cache times and rate limits."""
