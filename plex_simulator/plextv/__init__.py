"""The simulated plex.tv, on the port of the simulated server: every path that starts with /api/.

router      which endpoint answers a request
site        what the endpoints share
responses   JSON or XML, and errors
pins        signing in with a pin
pages       the pages where a person signs in: /link and /auth
users       who an account is
resources   the servers and players of an account
servers     the addresses of a server, and servers that are only in the list
home        the profiles of a Plex Home, and switching between them
shares      what the owner shares with others
"""
