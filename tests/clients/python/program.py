"""Call every operation with the client that openapi-python-client generates, and check the results.

Prints each request that the service answers: `200 GET /api/v1/health`.
"""

import sys
import time
import uuid
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx
from medianest_client import AuthenticatedClient
from medianest_client import models as m
from medianest_client.api.collections import (
    add_collection_items,
    create_collection,
    delete_collection,
    edit_collection,
    get_collection,
    list_library_collections,
    move_collection_item,
    remove_collection_item,
)
from medianest_client.api.health import get_health, get_liveness
from medianest_client.api.items import find_items, get_item, list_item_children, list_items
from medianest_client.api.libraries import (
    list_libraries,
    list_library_genres,
    list_library_items,
    list_recently_added,
)
from medianest_client.api.pictures import get_item_image
from medianest_client.api.playlists import (
    add_playlist_items,
    create_playlist,
    delete_playlist,
    edit_playlist,
    get_playlist,
    list_playlists,
    move_playlist_item,
    remove_playlist_item,
)
from medianest_client.api.plex_account import (
    create_plex_pin,
    delete_plex_link,
    get_plex_link,
    get_plex_pin,
    list_plex_home_users,
    switch_plex_home_user,
)
from medianest_client.api.search import look_up_items, search
from medianest_client.api.server import get_server
from medianest_client.api.sign_in import (
    get_session,
    refresh_token,
    sign_in,
    sign_out,
    verify_token,
)
from medianest_client.api.watch_state import (
    list_on_deck,
    mark_unwatched,
    mark_watched,
    set_progress,
)
from medianest_client.types import File

SERVICE, PLEX = sys.argv[1:]
Answer = TypeVar("Answer")
MOVIE, TITLE = "1072", "Hugo and the Observatory"
GUID = "plex://movie/f82ab45b229e52772b78852b"


def report(response: httpx.Response) -> None:
    """Print a request that the service answered."""
    print(response.status_code, response.request.method, response.request.url.path)


HTTPX_ARGS = {"event_hooks": {"response": [report]}}


def connect(access: str) -> AuthenticatedClient:
    """Return a client that sends an access token."""
    return AuthenticatedClient(SERVICE, access, httpx_args=HTTPX_ARGS)


def visit() -> AuthenticatedClient:
    """Return a client that sends no token.

    The generated functions take no other class, also where the token is optional.
    """
    return AuthenticatedClient(SERVICE, token="", prefix="", httpx_args=HTTPX_ARGS)


def checked(kind: type[Answer], answer: object) -> Answer:
    """Return an answer that must be of one type."""
    assert isinstance(answer, kind), answer
    return answer


def check_service(client: AuthenticatedClient) -> None:
    """Call what describes the service itself."""
    health = checked(m.HealthResponse, get_health.sync(client=client)).data
    # The result of a check of Plex that takes long is in a later response.
    while health.checks.plex != "ok":
        time.sleep(0.5)
        health = checked(m.HealthResponse, get_health.sync(client=client)).data
    assert health.status == "healthy"
    live = checked(m.LivenessResponse, get_liveness.sync(client=client)).data
    assert live.status == "alive"


def tokens_of(client: AuthenticatedClient, username: str) -> m.TokenPair:
    """Sign a user of the demo in."""
    body = m.SignInRequest(username, f"medianest-{username}")
    return checked(m.TokenPairResponse, sign_in.sync(client=client, body=body)).data


def renew_tokens(client: AuthenticatedClient) -> None:
    """Renew and verify the tokens of a user, and ask whose they are."""
    body = m.RefreshTokenRequest(tokens_of(client, "demo").refresh)
    pair = checked(m.TokenPairResponse, refresh_token.sync(client=client, body=body)).data
    token = m.VerifyTokenRequest(pair.access)
    verified = checked(m.TokenInfoResponse, verify_token.sync(client=client, body=token)).data
    assert verified.token_type == "access"
    session = checked(m.SessionResponse, get_session.sync(client=connect(pair.access))).data
    assert session.user.username == "demo"


def leave(client: AuthenticatedClient) -> None:
    """Sign out; the refresh token is then refused."""
    body = m.RefreshTokenRequest(tokens_of(client, "demo").refresh)
    checked(m.EmptyResponse, sign_out.sync(client=client, body=body))
    assert refresh_token.sync_detailed(client=client, body=body).status_code == 401


def read_libraries(client: AuthenticatedClient) -> None:
    """Read the server, its libraries, and lists of items."""
    server = checked(m.PlexServerResponse, get_server.sync(client=client)).data.server
    assert server.name == "Simulated Plex"
    found = checked(m.PlexLibrariesResponse, list_libraries.sync(client=client)).data.libraries
    (key,) = [library.id for library in found if library.title == "Movies"]
    genres = checked(m.PlexGenresResponse, list_library_genres.sync(key, client=client)).data.genres
    assert "Western" in [genre.title for genre in genres]
    sort = m.ListLibraryItemsSort.YEAR
    answer = list_library_items.sync(key, client=client, size=2, sort=sort)
    page = checked(m.PlexLibraryItemsResponse, answer).data
    assert (len(page.items), page.items[0].title) == (2, TITLE)
    assert page.pagination.has_more
    recent = checked(m.PlexRecentlyAddedResponse, list_recently_added.sync(client=client, limit=3))
    assert len(recent.data.items) == 3


def read_items(client: AuthenticatedClient) -> None:
    """Find an item, and read all of it."""
    answer = search.sync(client=client, query="observatory", type_=m.SearchType.MOVIE)
    results = checked(m.PlexSearchResultsResponse, answer).data.results
    assert MOVIE in [result.rating_key for result in results]
    item = checked(m.PlexItemResponse, get_item.sync(MOVIE, client=client)).data.item
    assert (item.title, item.type_) == (TITLE, "movie")
    found = checked(m.PlexItemsResponse, look_up_items.sync(client=client, guid="imdb://tt2775914"))
    assert [each.rating_key for each in found.data.items] == [MOVIE]
    answer = list_item_children.sync("1001018", client=client)
    seasons = checked(m.PlexItemChildrenResponse, answer).data.items
    assert seasons[0].type_ == "season"
    kind = m.GetItemImageKind.THUMB
    pictures = connect(client.token).with_headers({"Accept": "image/png"})
    width = m.GetItemImageWidth.VALUE_320
    answer = get_item_image.sync(MOVIE, kind, client=pictures, width=width)
    assert checked(File, answer).payload.read(8) == b"\x89PNG\r\n\x1a\n"


def read_many_items(client: AuthenticatedClient) -> None:
    """Read items by their ids and guids."""
    answer = list_items.sync(client=client, ids=[MOVIE, "9999999", "1000"])
    listed = checked(m.PlexManyItemsResponse, answer).data
    assert [item.rating_key for item in listed.items] == [MOVIE, "1000"]
    assert listed.missing == ["9999999"]
    body = {"ids": ["1000"], "guids": [GUID, "imdb://tt0000001"]}
    found = checked(m.PlexManyItemsResponse, find_items.sync(client=client, body=body)).data
    assert [item.rating_key for item in found.items] == ["1000", MOVIE]
    assert found.missing == ["imdb://tt0000001"]


def write_collection(client: AuthenticatedClient) -> None:
    """Create a collection, change it, read it and delete it."""
    new = m.CreateCollectionRequest("Typed in Python", items=["1000", "1001"])
    answer = create_collection.sync("1", client=client, body=new)
    collection = checked(m.PlexCollectionWriteResponse, answer).data.collection
    key = checked(m.PlexEditedCollection, collection).rating_key
    items = m.AddItemsRequest(["1001", "1002"])
    answer = add_collection_items.sync(key, client=client, body=items)
    added = checked(m.PlexCollectionWriteResponse, answer).data.items
    assert [item.state for item in added] == ["alreadyThere", "added"]
    first = m.MoveItemRequest(None)
    answer = move_collection_item.sync(key, "1002", client=client, body=first)
    checked(m.PlexCollectionWriteResponse, answer)
    answer = remove_collection_item.sync(key, "1000", client=client)
    checked(m.PlexCollectionWriteResponse, answer)
    answer = edit_collection.sync(key, client=client, body={"summary": "Two movies."})
    checked(m.PlexCollectionWriteResponse, answer)
    read = checked(m.PlexCollectionDetailsResponse, get_collection.sync(key, client=client)).data
    assert [item.rating_key for item in read.items] == ["1002", "1001"]
    assert read.collection.summary == "Two movies."
    answer = list_library_collections.sync("1", client=client)
    listed = checked(m.PlexCollectionsResponse, answer).data.collections
    assert key in [each.rating_key for each in listed]
    answer = delete_collection.sync(key, client=client)
    deleted = checked(m.PlexCollectionDeletionResponse, answer).data.deleted
    assert checked(m.PlexEditedCollection, deleted).title == "Typed in Python"


def write_playlist(client: AuthenticatedClient) -> None:
    """Create a playlist, change it, read it and delete it."""
    new = m.CreatePlaylistRequest("Heard in Python", items=["1000", "1001"])
    answer = create_playlist.sync(client=client, body=new, idempotency_key=str(uuid.uuid4()))
    playlist = checked(m.PlexPlaylistWriteResponse, answer).data.playlist
    key = checked(m.PlexPlaylist, playlist).rating_key
    answer = add_playlist_items.sync(key, client=client, body=m.AddItemsRequest(["1002"]))
    checked(m.PlexPlaylistWriteResponse, answer)
    second = m.MoveItemRequest("1000")
    answer = move_playlist_item.sync(key, "1002", client=client, body=second)
    checked(m.PlexPlaylistWriteResponse, answer)
    answer = remove_playlist_item.sync(key, "1001", client=client)
    checked(m.PlexPlaylistWriteResponse, answer)
    answer = edit_playlist.sync(key, client=client, body={"title": "Seen in Python"})
    checked(m.PlexPlaylistWriteResponse, answer)
    read = checked(m.PlexPlaylistDetailsResponse, get_playlist.sync(key, client=client)).data
    assert [item.rating_key for item in read.items] == ["1000", "1002"]
    listed = checked(m.PlexPlaylistsResponse, list_playlists.sync(client=client)).data.playlists
    assert "Seen in Python" in [each.title for each in listed]
    checked(m.PlexPlaylistDeletionResponse, delete_playlist.sync(key, client=client))
    assert get_playlist.sync_detailed(key, client=client).status_code == 404


def sign_in_with_plex(client: AuthenticatedClient) -> str:
    """Return the access token of a sign-in with Plex."""
    body = m.CreatePlexPinRequest()
    pin = checked(m.PlexPinResponse, create_plex_pin.sync(client=client, body=body)).data
    press_the_button_of("Margit", pin)
    while (answer := result_of(client, pin)).status == "pending":
        time.sleep(pin.interval)
    return checked(str, answer.access)


def press_the_button_of(account: str, pin: m.PlexPin) -> None:
    """Sign in at the page of the simulated plex.tv, which has a button for each account."""
    (client_id,) = parse_qs(urlsplit(pin.auth_url).fragment.lstrip("?"))["clientID"]
    form = {"account": account, "code": pin.code, "clientID": client_id}
    httpx.post(f"{PLEX}/auth", data=form).raise_for_status()


def result_of(client: AuthenticatedClient, pin: m.PlexPin) -> m.PlexPinStatus:
    """Return what the service knows about a PIN."""
    answer = get_plex_pin.sync(pin.id, client=client, x_pin_secret=pin.secret)
    return checked(m.PlexPinStatusResponse, answer).data


def use_profile(client: AuthenticatedClient) -> None:
    """Switch to a profile of the Plex Home that a PIN protects."""
    link = checked(m.PlexLinkResponse, get_plex_link.sync(client=client)).data
    assert checked(m.PlexAccount, link.account).name == "Margit"
    users = checked(m.PlexHomeUsersResponse, list_plex_home_users.sync(client=client)).data.users
    (vera,) = [user for user in users if user.name == "Vera"]
    assert vera.protected
    body = m.SwitchPlexHomeUserRequest(pin="1234")
    answer = switch_plex_home_user.sync(vera.uuid, client=client, body=body)
    profile = checked(m.PlexLinkResponse, answer).data.profile
    assert checked(m.PlexProfile, profile).name == "Vera"


def watch(client: AuthenticatedClient) -> None:
    """Mark an item as watched, set where to resume it, and undo both."""
    marked = checked(m.PlexWatchStateWriteResponse, mark_watched.sync("1000", client=client)).data
    assert checked(m.PlexWatchState, marked.item).playback_progress.view_count == 1
    body = m.SetProgressRequest(1_800_000)
    checked(m.PlexWatchStateWriteResponse, set_progress.sync("1000", client=client, body=body))
    deck = checked(m.PlexItemsResponse, list_on_deck.sync(client=client)).data.items
    assert deck[0].rating_key == "1000"
    answer = mark_unwatched.sync("1000", client=client)
    unmarked = checked(m.PlexWatchStateWriteResponse, answer).data
    assert checked(m.PlexWatchState, unmarked.item).playback_progress.view_count == 0


def unlink(client: AuthenticatedClient) -> None:
    """Remove the link to the Plex account."""
    link = checked(m.PlexLinkResponse, delete_plex_link.sync(client=client)).data
    assert not link.linked


def main() -> None:
    """Be a visitor, a user, an administrator and a viewer."""
    visitor = visit()
    check_service(visitor)
    renew_tokens(visitor)
    reader = connect(tokens_of(visitor, "demo").access)
    read_libraries(reader)
    read_items(reader)
    read_many_items(reader)
    administrator = connect(tokens_of(visitor, "admin").access)
    write_collection(administrator)
    write_playlist(administrator)
    viewer = connect(sign_in_with_plex(visitor))
    use_profile(viewer)
    watch(viewer)
    unlink(viewer)
    leave(visitor)


main()
