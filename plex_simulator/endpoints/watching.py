"""Endpoints that change the watch state of the account: marks, progress, playback and ratings.

/:/scrobble, /:/unscrobble, /:/progress, /:/timeline and /:/rate. As in Plex, successful responses
are empty, except for that of /:/timeline.
"""

import re

from plex_simulator.messages import HTTPError, Request, Response
from plex_simulator.models import Item
from plex_simulator.nodes import Value
from plex_simulator.notifications import Message
from plex_simulator.playback import MIN_OFFSET, STATES, Outcome, PlaybackSession, Player
from plex_simulator.routing import ServerState, get_item, route

IDENTIFIER = "com.plexapp.plugins.library"
ITEM_PATH = re.compile(r"(?:.*/library/metadata/)?(\d+)")
MAX_RATING = 10
EMPTY = Response(type="text/html")


def scrobble(state: ServerState, request: Request) -> Response:
    """Add 1 to the view count of an item, or of all that belongs to it."""
    item = _requested_item(state, request)
    state.catalogue.mark_watched(item.rating_key, request.user)
    return EMPTY


def unscrobble(state: ServerState, request: Request) -> Response:
    """Remove the view count and the resume point of an item, or of all that belongs to it."""
    item = _requested_item(state, request)
    state.catalogue.mark_watched(item.rating_key, request.user, watched=False)
    return EMPTY


def set_progress(state: ServerState, request: Request) -> Response:
    """Set the resume point of an item. Like Plex, ignore one in the first minute."""
    item, time = _requested_item(state, request), request.number("time")
    if time is None:
        raise HTTPError(400)
    if time >= MIN_OFFSET:
        state.catalogue.set_progress(item.rating_key, request.user, time)
    return EMPTY


def rate(state: ServerState, request: Request) -> Response:
    """Set the account's rating of an item, from 0 to 10; -1 removes it."""
    item, rating = _requested_item(state, request), _requested_rating(request)
    state.catalogue.rate(item.rating_key, request.user, rating)
    return EMPTY


def _requested_rating(request: Request) -> float | None:
    try:
        rating = float(request.arg("rating"))
    except ValueError:
        raise HTTPError(400) from None
    if rating == -1:
        return None
    if not 0 <= rating <= MAX_RATING:
        raise HTTPError(400)
    return rating


def _requested_item(state: ServerState, request: Request) -> Item:
    """Return the item in `key` or `uri`; raise a 400 error without it or without `identifier`."""
    match = ITEM_PATH.fullmatch(request.arg("key") or request.arg("uri"))
    if match is None or request.arg("identifier") != IDENTIFIER:
        raise HTTPError(400)
    return get_item(state, request, match[1])


def report_playback(state: ServerState, request: Request) -> Response:
    """Note what a client reports about its playback, and send the watch state after it."""
    item, time = _reported_item(state, request), request.number("time")
    playback, player = request.arg("state"), _player(request)
    if time is None or playback not in STATES or not player.id:
        raise HTTPError(400)
    session, outcome = state.playback.report(
        request.user,
        player,
        item.rating_key,
        request.headers.get("x-plex-session-identifier", ""),
        playback,
        time,
        _threshold(state, request, item),
    )
    if outcome is Outcome.PROGRESS:
        state.catalogue.set_progress(item.rating_key, request.user, time)
    elif outcome is Outcome.PLAYED:
        state.catalogue.mark_watched(item.rating_key, request.user)
    state.broadcast.send(_notification(session))
    return _respond_with_watch_state(state, request, item)


def _reported_item(state: ServerState, request: Request) -> Item:
    match = ITEM_PATH.fullmatch(request.arg("ratingKey") or request.arg("key"))
    if match is None:
        raise HTTPError(400)
    return get_item(state, request, match[1])


def _player(request: Request) -> Player:
    headers = request.headers
    return Player(
        id=headers.get("x-plex-client-identifier", ""),
        title=headers.get("x-plex-device-name", ""),
        product=headers.get("x-plex-product", ""),
        platform=headers.get("x-plex-platform", ""),
        address="127.0.0.1",
    )


def _threshold(state: ServerState, request: Request, item: Item) -> float:
    """Return the time from which an item counts as played, in milliseconds."""
    duration = item.duration or request.number("duration")
    return float("inf") if duration is None else duration * state.preferences.played_percent / 100


def _notification(session: PlaybackSession) -> Message:
    content = {
        "sessionKey": str(session.number),
        "clientIdentifier": session.player.id,
        "guid": "",
        "ratingKey": session.rating_key,
        "url": "",
        "key": f"/library/metadata/{session.rating_key}",
        "viewOffset": session.offset,
        "state": session.state,
    }
    return Message("playing", "PlaySessionStateNotification", content)


def _respond_with_watch_state(state: ServerState, request: Request, item: Item) -> Response:
    watch_state = item.seen_by(request.user)
    attributes: dict[str, Value] = {
        "playbackState": "progress",
        "skipCount": 0,
        "viewCount": watch_state.view_count,
        "viewOffset": watch_state.view_offset,
    }
    return request.respond_with_container(attributes)


ROUTES = [
    route(method, path, endpoint)
    for methods, path, endpoint in (
        (("GET", "PUT"), "/:/scrobble", scrobble),
        (("GET", "PUT"), "/:/unscrobble", unscrobble),
        (("GET", "PUT"), "/:/progress", set_progress),
        (("GET", "PUT"), "/:/rate", rate),
        (("GET", "POST"), "/:/timeline", report_playback),
    )
    for method in methods
]
