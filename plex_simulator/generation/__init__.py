"""Generate the media of a simulated server from a seed."""
