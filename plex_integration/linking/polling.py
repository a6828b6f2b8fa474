"""Ask plex.tv whether somebody has signed in: in one thread per process, while PINs are open.

A client that goes away must not lose the sign-in: plex.tv has ended the account's token from
before. So this does not depend on anybody waiting. The rows in the database say which PIN is due
and when plex.tv may be asked; all processes read them, so that a PIN outlives its worker.
"""

import logging
import threading

from django.db import DatabaseError, connection

from medianest.database import schema
from plex_integration.errors import PlexApiError, PlexServerUnavailable, PlexTvUnavailable
from plex_integration.linking import pins, sign_in
from plex_integration.linking.pins import Failure, PlexPin
from plex_integration.plex.plextv.http import (
    AccountTokenRefused,
    Client,
    PlexTvBusy,
    PlexTvRefused,
    UnsupportedToken,
)
from plex_integration.plex.plextv.pins import PinExpired, token_for_pin

log = logging.getLogger(__name__)

IDLE_SECONDS = 60.0
"""How often a process without open PINs looks for those of a worker that died."""
RETRY_SECONDS = 5.0
"""How soon the database is tried again."""


class Poller:
    """The thread of this process. It waits while there are no open PINs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Look for open PINs now; start the thread if it does not run."""
        self._woken.set()
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._stopped = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._stopped,), name="plex-pins", daemon=True
                )
                self._thread.start()

    def stop(self) -> None:
        """End the thread, after the request that it may be sending."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._stopped.set()
        self._woken.set()
        if thread is not None:
            thread.join()

    def _run(self, stopped: threading.Event) -> None:
        while not stopped.is_set():
            self._woken.clear()
            seconds = _attempt()
            # Stopping sets both events, in this order.
            if seconds > 0 and not stopped.is_set():
                self._woken.wait(seconds)
        connection.close()


poller = Poller()


def _attempt() -> float:
    """Ask for the next PIN, if it is time; return after how many seconds to try again."""
    try:
        seconds = poll()
    except DatabaseError as error:
        connection.close()
        if schema.is_outdated(error):
            schema.report_outdated()
            return IDLE_SECONDS
        log.warning("open PINs cannot be read: %s", type(error).__name__)
        return RETRY_SECONDS
    except Exception:
        # The thread must go on: the other PINs are not to blame.
        log.exception("a PIN could not be checked")
        return RETRY_SECONDS
    if seconds is None:
        connection.close()
        return IDLE_SECONDS
    return seconds


def poll() -> float | None:
    """Ask for one PIN if one is due and plex.tv may be asked.

    Returns after how many seconds to call this again; None if no PIN is open.
    """
    seconds = pins.seconds_until_due()
    if seconds is None or seconds > 0:
        return seconds
    if (seconds := pins.seconds_until_reserved()) > 0:
        return seconds
    if pin := pins.take_next():
        _ask(pin)
    return pins.SPACING_SECONDS


def _ask(pin: PlexPin) -> None:
    try:
        if pin.state == PlexPin.State.CLAIMED or _claim(pin):
            sign_in.finish(pin)
        pins.resume()
    except PlexTvBusy as busy:
        pins.pause(busy.after)
    except AccountTokenRefused:
        pin.fail(Failure.REVOKED)
    except UnsupportedToken:
        pin.fail(Failure.UNSUPPORTED)
    except (PlexTvUnavailable, PlexServerUnavailable, PlexApiError) as error:
        log.info("a sign-in with Plex waits: %s", error.code)
    finally:
        pins.release(pin)


def _claim(pin: PlexPin) -> bool:
    """Ask plex.tv for the token of a PIN and store it; tell whether there is one."""
    try:
        token = token_for_pin(pin.plex_id, Client.VIEWERS)
    except PinExpired:
        pins.expire(pin)
        return False
    except PlexTvRefused as refused:
        # It says nothing about whether somebody has signed in.
        log.warning("plex.tv refuses to say whether a PIN is used: status %d", refused.status)
        return False
    if token:
        pin.claim(token)
    return token is not None
