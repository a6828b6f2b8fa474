"""One action per documented endpoint: validate, name the service, reply."""

import time
from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from plex_integration.caching import response_cache, metrics, fast_path, tags
from plex_integration.configuration import connection
from medianest.api import renderers
from plex_integration import policies
from plex_integration.reading import services
from medianest import store
from medianest.api.browsable import PageRenderer
from plex_integration.caching.response_cache import Fetched, Loaded
from plex_integration.configuration.connection import Connection
from plex_integration.errors import (
    CollectionNotFound,
    ItemNotFound,
    LibraryNotFound,
    PlaylistNotFound,
    PlexServerUnavailable,
)
from medianest.api.exceptions import Problem
from plex_integration.plex import Plex
from plex_integration.caching.fast_path import Question
from plex_integration.reading.catalog import KeptLists
from plex_integration.policies import Policy
from plex_integration.caching.responses import freshness, mark, reply
from plex_integration.reading.serializers import (
    ChildrenPayload,
    CollectionPayload,
    CollectionsPayload,
    GenresPayload,
    ItemAnswerPayload,
    ItemsPayload,
    LibrariesPayload,
    LibraryItemsPayload,
    PlaylistAnswerPayload,
    PlaylistsPayload,
    RecentlyAddedPayload,
    SearchPayload,
    ServerPayload,
)
from plex_integration.reading.queries import (
    ChildrenQuery,
    CollectionQuery,
    CollectionsQuery,
    LibraryItemsQuery,
    LookupQuery,
    OnDeckQuery,
    PlaylistsQuery,
    RecentlyAddedQuery,
    SearchQuery,
)
from plex_integration.reading.services import Asked
from medianest.api.throttling import Turn
from medianest.api.serializers import Payload, Query
from plex_integration.plex.ids import is_id


class PlexViewSet(ViewSet):
    """The document's seven endpoints, and the reading ones that keep its promises."""

    http_method_names = ["get", "head", "options"]
    turn: Turn | None = None
    policy: Policy | None = None
    # The URL's name, which stands in the request's id.
    route = ""
    # What may be asked, for a page's form and the index.
    query: type[Query] | None = None

    @extend_schema(operation_id="server", responses=ServerPayload)
    def server(self, request: Request) -> HttpResponseBase:
        """Tell about the connected Plex Media Server."""
        return self._answer(policies.SERVER, ServerPayload, lambda lists: services.server())

    @extend_schema(operation_id="libraries", responses=LibrariesPayload)
    def libraries(self, request: Request) -> HttpResponseBase:
        """List all libraries with their locations, counts and filters."""
        return self._answer(
            policies.LIBRARIES, LibrariesPayload, lambda lists: services.libraries()
        )

    @extend_schema(
        operation_id="libraryItems",
        parameters=[LibraryItemsQuery],
        responses=LibraryItemsPayload,
    )
    def library_items(self, request: Request, libraryKey: str) -> HttpResponseBase:
        """List a page of a library's items, filtered and sorted."""

        def ask(lists: KeptLists) -> Asked:
            key = _key(libraryKey, LibraryNotFound)
            query = LibraryItemsQuery.of(request.query_params)
            return services.library_items(lists, key, query)

        return self._answer(policies.LIBRARY_ITEMS, LibraryItemsPayload, ask)

    @extend_schema(operation_id="search", parameters=[SearchQuery], responses=SearchPayload)
    def search(self, request: Request) -> HttpResponseBase:
        """Search all libraries; people and tags are left out."""
        return self._answer(
            policies.SEARCH,
            SearchPayload,
            lambda lists: services.search(lists, SearchQuery.of(request.query_params)),
        )

    @extend_schema(
        operation_id="recentlyAdded",
        parameters=[RecentlyAddedQuery],
        responses=RecentlyAddedPayload,
    )
    def recently_added(self, request: Request) -> HttpResponseBase:
        """List what was added in the last 30 days, newest first."""
        return self._answer(
            policies.RECENTLY_ADDED,
            RecentlyAddedPayload,
            lambda lists: services.recently_added(
                lists, RecentlyAddedQuery.of(request.query_params)
            ),
        )

    @extend_schema(
        operation_id="collections",
        parameters=[CollectionsQuery],
        responses=CollectionsPayload,
    )
    def collections(self, request: Request, libraryKey: str) -> HttpResponseBase:
        """List a library's collections."""

        def ask(lists: KeptLists) -> Asked:
            key = _key(libraryKey, LibraryNotFound)
            return services.collections(lists, key, CollectionsQuery.of(request.query_params))

        return self._answer(policies.COLLECTIONS, CollectionsPayload, ask)

    @extend_schema(
        operation_id="collection",
        parameters=[CollectionQuery],
        responses=CollectionPayload,
    )
    def collection(self, request: Request, collectionKey: str) -> HttpResponseBase:
        """Show a collection with its items, in the collection's own order."""

        def ask(lists: KeptLists) -> Asked:
            key = _key(collectionKey, CollectionNotFound)
            return services.collection(lists, key, CollectionQuery.of(request.query_params))

        return self._answer(policies.COLLECTION, CollectionPayload, ask)

    @extend_schema(operation_id="item", responses=ItemAnswerPayload)
    def item(self, request: Request, ratingKey: str) -> HttpResponseBase:
        """Show an item with everything Plex holds of it: streams, chapters, ratings, all actors."""
        return self._answer(
            policies.ITEM,
            ItemAnswerPayload,
            lambda lists: services.item(lists, _key(ratingKey, ItemNotFound)),
        )

    @extend_schema(
        operation_id="itemChildren", parameters=[ChildrenQuery], responses=ChildrenPayload
    )
    def item_children(self, request: Request, ratingKey: str) -> HttpResponseBase:
        """List seasons of a show, episodes of a season, albums of an artist, tracks of an album."""

        def ask(lists: KeptLists) -> Asked:
            key = _key(ratingKey, ItemNotFound)
            return services.item_children(lists, key, ChildrenQuery.of(request.query_params))

        return self._answer(policies.ITEM_CHILDREN, ChildrenPayload, ask)

    @extend_schema(operation_id="itemLookup", parameters=[LookupQuery], responses=ItemsPayload)
    def item_lookup(self, request: Request) -> HttpResponseBase:
        """Find the items with an id of Plex's own, IMDb's, TMDB's or TVDB's."""
        return self._answer(
            policies.ITEM_LOOKUP,
            ItemsPayload,
            lambda lists: services.item_lookup(lists, LookupQuery.of(request.query_params)),
        )

    @extend_schema(operation_id="onDeck", parameters=[OnDeckQuery], responses=ItemsPayload)
    def on_deck(self, request: Request) -> HttpResponseBase:
        """List what to continue, last watched first."""
        return self._answer(
            policies.ON_DECK,
            ItemsPayload,
            lambda lists: services.on_deck(lists, OnDeckQuery.of(request.query_params)),
        )

    @extend_schema(operation_id="genres", responses=GenresPayload)
    def genres(self, request: Request, libraryKey: str) -> HttpResponseBase:
        """List a library's genres with their ids, for a filter menu."""
        return self._answer(
            policies.GENRES,
            GenresPayload,
            lambda lists: services.genres(lists, _key(libraryKey, LibraryNotFound)),
        )

    @extend_schema(
        operation_id="playlists", parameters=[PlaylistsQuery], responses=PlaylistsPayload
    )
    def playlists(self, request: Request) -> HttpResponseBase:
        """List the playlists."""
        return self._answer(
            policies.PLAYLISTS,
            PlaylistsPayload,
            lambda lists: services.playlists(PlaylistsQuery.of(request.query_params)),
        )

    @extend_schema(
        operation_id="playlist", parameters=[CollectionQuery], responses=PlaylistAnswerPayload
    )
    def playlist(self, request: Request, playlistKey: str) -> HttpResponseBase:
        """Show a playlist with its items, in its own order."""

        def ask(lists: KeptLists) -> Asked:
            key = _key(playlistKey, PlaylistNotFound)
            return services.playlist(lists, key, CollectionQuery.of(request.query_params))

        return self._answer(policies.PLAYLIST, PlaylistAnswerPayload, ask)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say in every answer's headers, errors too, where the user stands."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if self.turn:
            self.turn.mark(final)
        if self.policy and (how := metrics.outcome(final)):
            metrics.count(self.policy.name, how)
        return final

    def _answer(
        self, policy: Policy, payload: type[Payload], ask: Callable[[KeptLists], Asked]
    ) -> HttpResponseBase:
        self.policy = policy
        turn = self.turn = fast_path.turn_taken(self.request._request) or Turn(
            str(self.request.user.pk), policy.limit
        )
        try:
            to = connection.current()
            if to is None:
                raise PlexServerUnavailable("No Plex server is configured.")
            fetched = self._fetched(to, turn, policy, payload, ask)
        except Exception:
            # Who asks too often is told so first, whatever else is wrong.
            turn.take()
            raise
        if isinstance(self.request.accepted_renderer, PageRenderer):
            return _page(policy, fetched)
        return reply(self.request._request, policy, fetched)

    def _fetched(
        self,
        to: Connection,
        turn: Turn,
        policy: Policy,
        payload: type[Payload],
        ask: Callable[[KeptLists], Asked],
    ) -> Fetched:
        deadline = time.monotonic() + to.seconds
        lists = KeptLists(to, deadline, before_asking=turn.take)
        while True:
            asked = ask(lists)
            name = response_cache.key(policy.name, to.viewer, asked.canonical)
            looked = store.current().look(turn.pending(), name)
            turn.settle(looked.verdict)
            if lists.are_current(looked):
                break
        question = Question(policy, name, self.route, to.viewer, lists.used)
        fast_path.remember(self.request._request, question)

        def load(seconds: float) -> Loaded:
            answer = asked.load(Plex(to, seconds, asked.libraries))
            context = {"show_file_paths": to.show_file_paths, "viewer": to.viewer}
            shown = payload(answer.data, context=context)
            return Loaded(renderers.encode(shown.data), tags.shown(answer), answer.partial)

        return response_cache.fetch(
            policy,
            name,
            looked,
            looked.values[0],
            load,
            deadline=deadline,
            renew="no-cache" in self.request.headers.get("Cache-Control", "").lower(),
        )


def _page(policy: Policy, fetched: Fetched) -> Response:
    """Answer a developer's browser: DRF renders the page, from the payload."""
    response = Response(renderers.decode(fetched.entry.payload()))
    response.about = freshness(fetched)  # type: ignore[attr-defined]
    mark(response, policy, fetched)
    return response


def _key(text: str, missing: type[Problem]) -> str:
    if not is_id(text):
        raise missing
    return text
