"""What can go wrong in a request to Plex, translated once into this service's errors.

    401                                                   →  PlexUnauthorized
    403                                                   →  PlexForbidden, a PlexUnauthorized
    404, or a response without a body                     →  PlexNotFound, a PlexApiError
    503                                                   →  PlexServerUnavailable
    any other status that does not report success         →  PlexApiError
    no connection, broken TLS, time over, connection lost →  PlexServerUnavailable
    broken compression, broken chunks, broken XML         →  PlexApiError

The messages hold neither URLs nor response bodies, which could hold secrets.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import Element
from xml.parsers.expat import ExpatError

import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError
from urllib3.exceptions import HTTPError

from medianest.api.exceptions import Problem
from plex_integration.errors import PlexApiError, PlexServerUnavailable, PlexUnauthorized


class PlexForbidden(PlexUnauthorized):
    """Plex knows the token, and does not allow it this."""


class PlexNotFound(PlexApiError):
    """Plex has nothing at this path: it sent status 404, or 200 without a body.

    A call that expects this translates it, mostly with `not_found_as`. Anywhere else it is an
    unusable response, hence the base class.
    """


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate the exceptions of requests, urllib3 and the XML parser."""
    try:
        yield
    except (ContentDecodingError, ChunkedEncodingError, ExpatError) as error:
        raise PlexApiError from error
    except (requests.RequestException, HTTPError, OSError) as error:
        raise PlexServerUnavailable from error


@contextmanager
def not_found_as(problem: type[Problem]) -> Iterator[None]:
    """Raise a problem that names what is missing instead of PlexNotFound."""
    try:
        yield
    except PlexNotFound as error:
        raise problem from error


def missing(root: Element, wanted: Collection[str], problem: type[Problem]) -> Problem:
    """Return the error of a response that does not hold the element that was requested.

    It is the given problem if the response is empty or holds something else. An element without a
    type, or one of a wanted type that could not be parsed, is no proof that nothing is there.
    """
    types = {each.get("type", "") for each in root}
    return PlexApiError() if types & {"", *wanted} else problem()


def raise_for_status(status: int, success: Collection[int] = (200,)) -> None:
    """Raise the error that belongs to a status, unless the status reports success."""
    if status in success:
        return
    if status == 401:
        raise PlexUnauthorized
    if status == 403:
        raise PlexForbidden
    if status == 404:
        raise PlexNotFound
    if status == 503:
        raise PlexServerUnavailable("Plex server is starting up or under maintenance.")
    raise PlexApiError(f"Plex answered with status {status}.")
