"""What cannot be written is refused before anything is written, by name."""

from collections.abc import Callable
from typing import Any

from plex_simulator import Simulator
from tests.writing.conftest import Writer, sent

NEW = "/plex/libraries/1/collections"
CODE = (400, "VALIDATION_ERROR")


def key_of(plex: Simulator, library: str, kind: str) -> str:
    return plex.catalogue.items(library, kind)[0].rating_key


def test_unfit_items_are_named_one_by_one_before_anything_is_written(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    other, show = key_of(plex, "11", "movie"), key_of(plex, "2", "show")
    collection = plex.catalogue.collections("1")[0].rating_key
    wanted = [movies[0], "4040404040", other, show, collection, movies[1]]
    problems = [
        "4040404040: there is no such item.",
        f"{other}: it is in library 11, the collection in library 1.",
        f"{show}: it is in library 2, the collection in library 1.",
        f"{collection}: there is no such item.",
    ]
    existing = next(each for each in plex.catalogue.collections("1") if not each.smart)
    for path, body in (
        (NEW, {"title": "x", "items": wanted}),
        (f"/plex/collections/{existing.rating_key}/items", {"items": wanted}),
    ):
        for query in ("", "?dryRun=true"):
            error = writer.refused("POST", path + query, *CODE, json=body)
            assert error["details"] == {"items": problems}
            assert error["message"] == "4 of 6 items cannot be put in; nothing was written."
    assert sent(plex) == []


def test_items_of_another_type_are_named(writer: Writer, plex: Simulator) -> None:
    show, season = key_of(plex, "2", "show"), key_of(plex, "2", "season")
    path = "/plex/libraries/2/collections"
    body = {"title": "x", "items": [show, season]}
    error = writer.refused("POST", path, *CODE, json=body)
    problem = f"{season}: it is of type season, the collection of type show."
    assert error["details"] == {"items": [problem]}
    assert sent(plex) == []


def test_what_cannot_be_in_a_playlist_is_named(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    show, track = key_of(plex, "2", "show"), key_of(plex, "5", "track")
    wanted = [movies[0], show, track, "404"]
    problems = [
        f"{show}: a show cannot be in a playlist; what is below it can.",
        f"{track}: it is of type track, the playlist of type video.",
        "404: there is no such item.",
    ]
    for path, body in (
        ("/plex/playlists", {"title": "x", "items": wanted}),
        ("/plex/playlists/12001000/items", {"items": wanted}),
    ):
        error = writer.refused("POST", path, *CODE, json=body)
        assert error["details"] == {"items": problems}
    assert sent(plex) == []


BAD_BODIES: list[tuple[Any, set[str]]] = [
    ({}, {"title", "items"}),
    ([], {"body"}),
    ("text", {"body"}),
    ({"title": "", "items": ["1000"]}, {"title"}),
    ({"title": "  ", "items": ["1000"]}, {"title"}),
    ({"title": None, "items": ["1000"]}, {"title"}),
    ({"title": 7, "items": ["1000"]}, {"title"}),
    ({"title": ["x"], "items": ["1000"]}, {"title"}),
    ({"title": "x" * 201, "items": ["1000"]}, {"title"}),
    ({"title": "a\nb", "items": ["1000"]}, {"title"}),
    ({"title": "a\u0000b", "items": ["1000"]}, {"title"}),
    ({"title": "a\ud800b", "items": ["1000"]}, {"title"}),
    ({"title": "a\uffffb", "items": ["1000"]}, {"title"}),
    ({"title": "x", "items": ["1000"], "summary": "a\u0007"}, {"summary"}),
    ({"title": "x", "items": ["1000"], "summary": "я" * 900}, {"summary"}),
    ({"title": "x", "items": []}, {"items"}),
    ({"title": "x", "items": "1000"}, {"items"}),
    ({"title": "x", "items": {"0": "1000"}}, {"items"}),
    ({"title": "x", "items": None}, {"items"}),
    ({"title": "x", "items": ["1000"] * 1001}, {"items"}),
    ({"title": "x", "items": [True]}, {"items"}),
    ({"title": "x", "items": [1.5]}, {"items"}),
    ({"title": "x", "items": [None]}, {"items"}),
    ({"title": "x", "items": ["-1"]}, {"items"}),
    ({"title": "x", "items": [-1]}, {"items"}),
    ({"title": "x", "items": ["1,2"]}, {"items"}),
    ({"title": "x", "items": ["１"]}, {"items"}),
    ({"title": "x", "items": ["1/../2"]}, {"items"}),
    ({"title": "x", "items": ["12345678901"]}, {"items"}),
    ({"title": "x", "items": [["1000"]]}, {"items"}),
]


def test_a_bad_body_is_refused_by_member(signed_in: Callable[..., Writer], plex: Simulator) -> None:
    for body, expected in BAD_BODIES:
        writer = signed_in(is_superuser=True)
        for path in (NEW, "/plex/playlists"):
            error = writer.refused("POST", path, *CODE, json=body)
            assert set(error["details"]) == expected, body
            assert all(isinstance(each, list) for each in error["details"].values())
    assert plex.requests == ()


def test_bad_rating_keys_are_named_one_by_one(writer: Writer) -> None:
    body = {"title": "x", "items": ["1000", "a", "1 ", 5.5]}
    assert writer.refused("POST", NEW, *CODE, json=body)["details"] == {
        "items": [
            "a: not a rating key (1 to 10 digits).",
            "1 : not a rating key (1 to 10 digits).",
            "5.5: not a rating key (1 to 10 digits).",
        ]
    }


BAD_CHANGES: list[tuple[Any, str]] = [
    ({}, "body"),
    ({"titel": "x"}, "body"),
    ({"title": ""}, "title"),
    ({"title": None}, "title"),
    ({"titleSort": 5}, "titleSort"),
    ({"contentRating": "x" * 41}, "contentRating"),
    ({"sortOrder": "random"}, "sortOrder"),
    ({"sortOrder": 2}, "sortOrder"),
    ({"sortOrder": None}, "sortOrder"),
    ({"mode": "-1"}, "mode"),
]


def test_a_bad_change_is_refused_by_member(writer: Writer, plex: Simulator) -> None:
    for body, expected in BAD_CHANGES:
        error = writer.refused("PATCH", "/plex/collections/11001000", *CODE, json=body)
        assert list(error["details"]) == [expected], body
    assert plex.requests == ()


def test_what_is_no_json_is_refused_as_such(writer: Writer, plex: Simulator) -> None:
    as_json = {"Content-Type": "application/json"}
    for data in (b"{", b'{"title": NaN}', b"\xff", b"[" * 60_000):
        writer.refused("POST", NEW, *CODE, data=data, headers=as_json)
    writer.refused("POST", NEW, 415, "UNSUPPORTED_MEDIA_TYPE", data={"title": "x"})
    large = b'{"title": "' + b"x" * 64 * 1024 + b'"}'
    writer.refused("POST", NEW, 413, "PAYLOAD_TOO_LARGE", data=large, headers=as_json)
    assert plex.requests == ()


def test_a_bad_dry_run_writes_nothing(writer: Writer, plex: Simulator) -> None:
    body = {"title": "x", "items": ["1000"]}
    for value in ("", "yes", "2", "True"):
        error = writer.refused("POST", f"{NEW}?dryRun={value}", *CODE, json=body)
        assert list(error["details"]) == ["dryRun"]
    assert sent(plex) == []


def test_odd_texts_arrive_as_they_are(writer: Writer, plex: Simulator, movies: list[str]) -> None:
    title = "50% off + 1=2 & ?a[]=#;/\\\"'<x> 🎞 e\u0301 %41 &amp;"
    data = writer.wrote("POST", NEW, 201, json={"title": title, "items": movies[:1]})
    made = plex.catalogue.collection(data["collection"]["ratingKey"])
    assert made is not None
    assert made.title == data["collection"]["title"] == title


def test_the_longest_texts_are_written_in_pieces(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    title, summary = "🎞" * 200, "x\n" * 1_250
    body = {"title": title, "items": movies, "summary": summary.strip()}
    data = writer.wrote("POST", NEW, 201, json=body)
    key = data["collection"]["ratingKey"]
    assert data["collection"]["childCount"] == len(movies)
    longest = {"title": "ж" * 200, "titleSort": "字" * 200, "summary": "x" * 5_000}
    writer.wrote("PATCH", f"/plex/collections/{key}", json=longest)
    made = plex.catalogue.collection(key)
    assert made is not None
    assert (made.title, made.title_sort, made.summary) == tuple(longest.values())
