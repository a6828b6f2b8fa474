"""Sign in with Plex: how a user of this service is linked to a Plex account.

    views.py        the paths under /api/v1/auth/plex
    serializers.py  their bodies and payloads
    pins.py         the PINs that somebody signs in with, and which one is checked next
    polling.py      the thread that asks plex.tv whether somebody has signed in
    sign_in.py      what a sign-in at plex.tv does: whose link it changes, and who is signed in
    tokens.py       where the tokens of an account are stored, whatever link uses them
    users.py        the users who are created for a Plex account
    home.py         the profiles of a Plex Home, and switching to one

A browser never shows its token of plex.tv to this service: plex.tv gives one to the service itself,
for a PIN that the service has created.
"""
