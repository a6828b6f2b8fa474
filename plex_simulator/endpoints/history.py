"""The endpoint for what was played: /status/sessions/history/all.

It lists the movies that were played before the server started. As in Plex, marking an item as
watched or unwatched changes nothing here.
"""

from dataclasses import dataclass

from plex_simulator.messages import HTTPError, Request, Response
from plex_simulator.models import Account
from plex_simulator.nodes import Node
from plex_simulator.routing import ServerState, route
from plex_simulator.visibility import is_visible

LIBRARY_KEY = "1"
MAX_PLAYED_MOVIES = 1_000


@dataclass(frozen=True, slots=True)
class Play:
    """A movie that a user played."""

    at: int
    index: int
    user: Account


def list_history(state: ServerState, request: Request) -> Response:
    """List what users played; everybody but the owner gets only what they played themselves."""
    field, _, direction = request.arg("sort", "viewedAt:desc").partition(":")
    if field not in ("viewedAt", "id") or direction not in ("", "asc", "desc"):
        raise HTTPError(400)
    plays = [play for play in _list_plays(state, request) if _matches(state, request, play)]
    plays.sort(key=lambda play: play.at, reverse=direction != "asc")

    def render(play: Play) -> Node:
        return _play_node(state, play)

    return request.respond_with_list(plays, render, {})


def _list_plays(state: ServerState, request: Request) -> list[Play]:
    table = state.catalogue.table(LIBRARY_KEY, "movie")
    users = state.catalogue.users if request.user.is_owner else (request.user,)
    users = [user for user in users if user.may_see(LIBRARY_KEY)]
    states = [
        (index, user, table.generated_watch_state(index, user))
        for user in users
        for index in table.indexes()[:MAX_PLAYED_MOVIES]
        if index < table.generated_count()
    ]
    return [
        Play(watch_state.last_viewed_at, index, user)
        for index, user, watch_state in states
        if watch_state.view_count and watch_state.last_viewed_at
    ]


def _matches(state: ServerState, request: Request, play: Play) -> bool:
    """Return whether a play passes the filters of the query."""
    table = state.catalogue.table(LIBRARY_KEY, "movie")
    key = table.key(play.index)
    return (
        is_visible(table, request.user, play.index)
        and request.number("accountID") in (None, play.user.id)
        and request.arg("librarySectionID", LIBRARY_KEY) == LIBRARY_KEY
        and request.arg("metadataItemID", key) == key
        and play.at >= (request.number("viewedAt>") or 0)
    )


def _play_node(state: ServerState, play: Play) -> Node:
    movie = state.catalogue.table(LIBRARY_KEY, "movie").item(play.index)
    return Node(
        "Video",
        {
            "historyKey": f"/status/sessions/history/{play.user.id * 1_000_000 + play.index}",
            "key": f"/library/metadata/{movie.rating_key}",
            "ratingKey": movie.rating_key,
            "librarySectionID": LIBRARY_KEY,
            "title": movie.title,
            "type": movie.type,
            "thumb": movie.thumb,
            "originallyAvailableAt": movie.originally_available_at,
            "viewedAt": play.at,
            "accountID": play.user.id,
            "deviceID": 1,
        },
        (),
        "Metadata",
    )


ROUTES = [route("GET", "/status/sessions/history/all", list_history)]
