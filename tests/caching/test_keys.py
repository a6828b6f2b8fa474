"""Two queries share an entry exactly when they send Plex the same requests and show the same."""

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from rest_framework import serializers
from rest_framework.exceptions import APIException

from medianest.api.exceptions import Problem
from medianest.api.serializers import Payload
from plex_integration.caching import response_cache
from plex_integration.caching.response_cache import CacheKey
from plex_integration.configuration.connection import Connection, Scope
from plex_integration.errors import LibraryNotFound
from plex_integration.plex import PlexClient, media
from plex_integration.reading import services
from plex_integration.reading.queries import (
    CollectionQuery,
    CollectionsQuery,
    LibraryItemsQuery,
    RecentlyAddedQuery,
    SearchQuery,
)
from plex_integration.reading.serializers import PlexExternalIdsPayload, PlexTagPayload
from plex_integration.reading.services import Read

SCOPE = Scope("scope", "server")

GENRES = media.Choices(
    (
        media.Choice(7, "Drama"),
        media.Choice(8, "Science Fiction"),
        media.Choice(9, "Straße"),
        media.Choice(10, "Comédie"),
        media.Choice(11, '["7"]'),
        media.Choice(12, "8"),  # named like another's id
    )
)


def library(key: str, kind: str) -> media.Library:
    names = [name for name in media.Library.__dataclass_fields__ if name != "location"]
    given = dict.fromkeys(names) | {"id": key, "key": key, "title": key, "type": kind}
    return media.Library(**given, location=())


LIBRARIES = [
    library(key, kind)
    for key, kind in (("1", "movie"), ("2", "show"), ("5", "artist"), ("6", "photo"))
]


class Lists:
    """The server's lists, as if they were cached."""

    def libraries(self) -> Any:
        return LIBRARIES

    def library(self, key: str) -> media.Library:
        for each in LIBRARIES:
            if each.id == key:
                return each
        raise LibraryNotFound

    def genres(self, library: media.Library, kind: str) -> media.Choices:
        return GENRES


class Recording(PlexClient):
    """A client that records its requests and gets empty answers."""

    def __init__(self) -> None:
        to = Connection(
            url="http://127.0.0.1:1", token="x", verify=True, seconds=1, show_file_paths=True
        )
        super().__init__(to, time.monotonic() + 1000, LIBRARIES)
        self.sent: list[Any] = []

    def start(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        result = call(*args, **kwargs)
        return type("Done", (), {"result": lambda _: result, "result_or_none": lambda _: result})()

    def _get(
        self, path: str, start: int | None = None, size: int | None = None, **parameters: Any
    ) -> Element:
        self.sent.append((path, start, size, sorted((k, str(v)) for k, v in parameters.items())))
        container = Element("MediaContainer", totalSize="0", size="0")
        if path.startswith("/library/metadata/"):
            container.append(
                Element("Directory", ratingKey=path.rsplit("/")[-1], type="collection", title="x")
            )
        return container


flags = st.sampled_from(["1", "0", "true", "false"])
sorts = st.sampled_from(
    [
        f"{name}{way}"
        for name in ("titleSort", "addedAt", "rating", "year")
        for way in ("", ":asc", ":desc")
    ]
)
types = st.sampled_from(["movie", "show", "season", "episode", "artist", "album", "track", "photo"])
genres = st.sampled_from(
    [
        "Drama",
        "DRAMA",
        "drama",
        "7",
        "07",
        "8",
        "12",
        " Drama ",
        "Science Fiction",
        "straße",
        "STRASSE",
        "Comédie",
        "COME\u0301DIE",
        '["7"]',
        "7,8",
        "7&year=1999",
        "nothing",
        "none",
    ]
)
numbers = st.sampled_from(["0", "1", "01", "5", "50", "200"])
texts = st.sampled_from(
    [
        "the",
        "The",
        " the ",
        "the\u00a0",
        "cafe\u0301",
        "caf\u00e9",
        'a","b',
        "a&limit=3",
        "50",
        "null",
    ]
)
details = st.sampled_from(["full", "summary"])
years = st.sampled_from(["1999", "2000", "01999"])


def parameters(**each: Any) -> Any:
    return st.fixed_dictionaries({}, optional={**each, "foo": st.sampled_from(["1", "2"])})


PLANS: dict[str, tuple[Any, Callable[[Mapping[str, str]], Read]]] = {
    "library-items": (
        parameters(
            key=st.sampled_from(["1", "2", "5", "6"]),
            start=numbers,
            size=numbers,
            sort=sorts,
            type=types,
            unwatched=flags,
            genre=genres,
            year=years,
            details=details,
        ),
        lambda q: services.library_items(Lists(), ids(q), of(LibraryItemsQuery, q)),
    ),
    "search": (
        parameters(query=texts, type=types, limit=numbers, details=details),
        lambda q: services.search(Lists(), ids(q), of(SearchQuery, {"query": "the", **q})),
    ),
    "recently-added": (
        parameters(
            library=st.sampled_from(["1", "2", "5"]), type=types, limit=numbers, details=details
        ),
        lambda q: services.recently_added(Lists(), ids(q), of(RecentlyAddedQuery, q)),
    ),
    "collections": (
        parameters(key=st.sampled_from(["1", "2"]), start=numbers, size=numbers),
        lambda q: services.collections(Lists(), ids(q), of(CollectionsQuery, q)),
    ),
    "collection": (
        parameters(
            key=st.sampled_from(["1", "2", "11"]), start=numbers, size=numbers, details=details
        ),
        lambda q: services.collection(Lists(), ids(q), of(CollectionQuery, q)),
    ),
}


def ids(query: Mapping[str, str]) -> dict[str, str]:
    """Return the ids of a path."""
    key = query.get("key", "1")
    return {"libraryKey": key, "collectionKey": key}


def of(query: Any, given: Mapping[str, str]) -> Any:
    """Validate as a request's query string is."""
    return query.of(QueryDict(urlencode({k: v for k, v in given.items() if k != "key"})))


def planned(name: str, query: Mapping[str, str]) -> Read:
    try:
        return PLANS[name][1](query)
    except (APIException, Problem):
        assume(False)  # a bad request has no entry
        raise


def effect(name: str, read: Read, query: Mapping[str, str]) -> Any:
    """Return what a query comes to: the requests to Plex, and what of the answers is shown."""
    plex = Recording()
    data = read.load(plex).data
    shown = [data.get("pagination"), query.get("details", "full")]
    if name == "search":
        shown += [query.get("type"), int(query.get("limit", "50"))]
    if name == "recently-added":
        # Without a type the whole list is requested, and a library's rows are picked from it.
        shown += [query.get("library"), int(query.get("limit", "50"))]
    return plex.sent, shown


@pytest.mark.parametrize("name", PLANS)
def test_keys_are_equal_exactly_when_the_upstream_queries_are(name: str) -> None:
    drawn = PLANS[name][0]

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.tuples(drawn, drawn) | drawn.flatmap(lambda q: st.tuples(st.just(q), respelled(q))))
    def holds(queries: tuple[dict[str, str], dict[str, str]]) -> None:
        reads = [planned(name, query) for query in queries]
        keys = {CacheKey(name, SCOPE, each.query).name for each in reads}
        effects = [effect(name, each, query) for each, query in zip(reads, queries, strict=True)]
        is_equal = effects[0] == effects[1]
        event(f"equal: {is_equal}")
        if len(keys) == 1:
            assert is_equal, (queries, effects)
        elif is_equal:
            # A query that can match nothing sends nothing: sharing those would save nothing.
            assert not effects[0][0], (queries, effects)

    holds()


def respelled(query: dict[str, str]) -> Any:
    """Spell the same query, or nearly, in another way."""
    words = {
        "unwatched": {"1": "true", "true": "1", "0": "false", "false": "0"},
        "sort": {"titleSort": "titleSort:asc", "year": "year:desc", "rating:desc": "rating"},
        "genre": {"Drama": "7", "7": "dRAMA", "drama": "DRAMA", "straße": "STRASSE", "8": "8 "},
        "query": {" the ": "the", "cafe\u0301": "caf\u00e9", "the\u00a0": "the"},
        "start": {"1": "01"},
        "size": {"5": "05"},
    }
    other = {k: words.get(k, {}).get(v, v) for k, v in query.items() if k != "foo"}
    return st.sampled_from([other, other | {"foo": "bar"}, other | {"details": "full"}])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("unwatched=1", "unwatched=true"),
        ("unwatched=false", ""),
        ("unwatched=0", "unwatched=false"),
        ("sort=titleSort", "sort=titleSort:asc"),
        ("sort=addedAt", "sort=addedAt:desc"),
        ("sort=titleSort", ""),
        ("genre=Drama", "genre=dRaMa"),
        ("genre=7", "genre=drama"),
        ("genre=Stra%C3%9Fe", "genre=STRASSE"),
        ("genre=Com%C3%A9die", "genre=COME%CC%81DIE"),
        ("type=movie", ""),
        ("start=0&size=50", "size=50"),
        ("size=050", "size=50"),
        ("foo=1&bar=2", ""),
        ("year=1999&genre=7", "genre=7&year=1999"),
    ],
)
def test_the_same_in_other_words_shares_an_entry(one: str, other: str) -> None:
    keys = [
        services.library_items(
            Lists(), {"libraryKey": "1"}, LibraryItemsQuery.of(QueryDict(each))
        ).query
        for each in (one, other)
    ]
    assert (
        CacheKey("library-items", SCOPE, keys[0]).name
        == CacheKey("library-items", SCOPE, keys[1]).name
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


def strict(value: Any) -> Any:
    """Return a value that is equal only to those of the same types: 1 is not True."""
    if isinstance(value, dict):
        return ("dict", sorted((k, strict(v)) for k, v in value.items()))
    if isinstance(value, list | tuple):
        return ("list", [strict(each) for each in value])
    return (type(value).__name__, value)


@given(json_values, json_values)
def test_different_canonical_queries_have_different_keys(one: Any, other: Any) -> None:
    keys = {CacheKey("search", SCOPE, each).name for each in (one, other)}
    assert (len(keys) == 1) == (strict(one) == strict(other))


@given(st.text())
def test_nothing_a_client_sends_reaches_out_of_its_hash(text: str) -> None:
    key = CacheKey("search", SCOPE, (text, 50, None, "full")).name
    head, _, digest = key.rpartition(":")
    assert head == f"{response_cache.PREFIX}search:scope"
    assert len(digest) == 32
    assert set(digest) <= set("0123456789abcdef")


def test_policy_scope_and_shape_are_parts_of_the_key() -> None:
    keys = {
        CacheKey(policy, Scope(scope, "server"), (), shape).name
        for policy in ("a", "b")
        for scope in ("x", "y")
        for shape in ("1", "2")
    }
    assert len(keys) == 8


class OldPayload(Payload):
    """A payload before a change."""

    title = serializers.CharField()
    item = PlexExternalIdsPayload()


CHANGES: dict[str, Callable[[], dict[str, Any]]] = {
    "another member": lambda: {"year": serializers.IntegerField()},
    "an optional member": lambda: {"item": PlexExternalIdsPayload(required=False)},
    "a list": lambda: {"item": PlexExternalIdsPayload(many=True)},
    "other members inside": lambda: {"item": PlexTagPayload()},
    "another type": lambda: {"item": serializers.CharField()},
    "another source": lambda: {"title": serializers.CharField(source="titleSort")},
    "another version": lambda: {"payload_version": 2},
}


def payload_with(**members: Any) -> type[Payload]:
    title, item = serializers.CharField(), PlexExternalIdsPayload()
    return type("NewPayload", (Payload,), {"title": title, "item": item, **members})


def test_equal_payloads_have_equal_shapes() -> None:
    assert payload_with().shape() == OldPayload.shape()


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_payload_has_another_shape(change: str) -> None:
    assert payload_with(**CHANGES[change]()).shape() != OldPayload.shape()


def test_who_sees_something_else_is_another_scope() -> None:
    common = {"verify": True, "seconds": 10.0}
    scopes = {
        Connection(url=url, token=token, show_file_paths=paths, **common).scope
        for url in ("http://a:1", "http://b:1")
        for token in ("one", "two")
        for paths in (True, False)
    }
    assert len(scopes) == 8
