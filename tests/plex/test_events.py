"""Plex's event stream: read whole or in pieces, true or made up."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plex_integration.plex import (
    AnythingChanged,
    Change,
    CollectionChanged,
    ItemChanged,
    LibraryChanged,
)
from plex_integration.plex.events import Event, EventParser, read_changes

LIBRARY = "com.plexapp.plugins.library"
STREAM = (
    b"\xef\xbb\xbf: hello\r\n\r\n"
    b'event: timeline\ndata: {"TimelineEntry":\ndata: []}\n\n'
    b"event:ping\rdata:{}\r\r"
    b"id: 7\r\nretry: 10\r\nnonsense\r\ndata\r\ndata:  two\r\n\r\n"
    b"event: nothing\n\n"
    b"event: \xff\xfe\ndata: \xf0\x9f\x8e\xac\n\n"
    b"event: cut\ndata: off"
)
EVENTS = [
    Event("timeline", '{"TimelineEntry":\n[]}'),
    Event("ping", "{}"),
    Event("", "\n two"),
    Event("��", "🎬"),
]


def _pieces(whole: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(whole) + 1) for cut in cuts), len(whole)]
    return [whole[a:b] for a, b in pairwise(places)]


def _read(pieces: list[bytes], most_bytes: int = 1000) -> list[Event]:
    parser = EventParser(most_bytes)
    return [event for piece in pieces for event in parser.feed(piece)]


def _changes_in(message: Any) -> list[Change]:
    return list(read_changes(Event("", json.dumps(message))))


def _timeline(**entry: Any) -> dict[str, Any]:
    usual = {"identifier": LIBRARY, "sectionID": "1", "itemID": "7", "type": 1, "state": 5}
    return {"TimelineEntry": [usual | entry]}


def _activity(event: str = "ended", **activity: Any) -> dict[str, Any]:
    return {"ActivityNotification": [{"event": event, "Activity": activity}]}


def _refreshed(key: str, **context: bool) -> dict[str, Any]:
    return _activity(type="library.refresh.items", Context={"key": key, **context})


def test_events_are_read_as_the_standard_says() -> None:
    assert _read([STREAM]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_events_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    assert _read(_pieces(STREAM, cuts)) == EVENTS


def test_events_are_the_same_byte_by_byte() -> None:
    assert _read([bytes([byte]) for byte in STREAM]) == EVENTS


@given(
    st.lists(st.sampled_from([b"data: ", b"event: x", b"\r", b"\n", b"\r\n", b":", b"12345"]))
    | st.lists(st.binary(max_size=50)),
    st.lists(st.integers(0, 1000), max_size=8),
    st.integers(1, 40),
)
def test_any_bytes_are_read_the_same_however_they_are_cut(
    parts: list[bytes], cuts: list[int], most_bytes: int
) -> None:
    whole = b"".join(parts)
    events = _read([whole], most_bytes)
    assert _read(_pieces(whole, cuts), most_bytes) == events
    assert all(event.data is None or len(event.data) <= most_bytes for event in events)


@pytest.mark.parametrize(
    "large",
    [
        b"data: " + b"x" * 200 + b"\n\n",
        b"data: 1234\n" * 20 + b"\n",
        b"data:\n" * 200 + b"\n",
        b": " + b"x" * 200 + b"\n\n",
        b"event: " + b"x" * 200 + b"\ndata: 1\n\n",
    ],
)
def test_an_event_that_is_too_large_is_reported_and_the_next_one_is_read(large: bytes) -> None:
    parser = EventParser(100)
    events = [event for byte in large for event in parser.feed(bytes([byte]))]
    assert [event.data for event in events] == [None]
    assert parser.feed(b"data: next\n\n") == [Event("", "next")]
    assert list(read_changes(events[0])) == [AnythingChanged()]


def test_a_stream_that_never_ends_a_line_takes_no_room() -> None:
    parser = EventParser(100)
    for _ in range(1000):
        assert parser.feed(b"x" * 1000) == []
    assert len(parser._line) <= 101


@pytest.mark.parametrize("wrap", [lambda body: body, lambda body: {"NotificationContainer": body}])
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (_timeline(), [LibraryChanged("1")]),
        (_timeline(state="9", sectionID=22), [LibraryChanged("22")]),
        ({"TimelineEntry": _timeline()["TimelineEntry"][0]}, [LibraryChanged("1")]),
        (_timeline(state=0), []),
        (_timeline(state=True), []),
        (_timeline(identifier="tv.plex.providers.epg"), []),
        (_timeline(type=15, sectionID=-1), []),
        (_timeline(sectionID="-1"), [ItemChanged("7")]),
        (_timeline(sectionID=None, itemID=8), [ItemChanged("8")]),
        (_timeline(sectionID=None, itemID=None), []),
        (
            _activity(type="library.update.section", Context={"librarySectionID": "5"}),
            [LibraryChanged("5")],
        ),
        (
            _activity(type="library.update.section", Context={"librarySectionID": 5}),
            [LibraryChanged("5")],
        ),
        (_activity("updated", type="library.update.section"), []),
        (_activity(type="library.update.section"), [AnythingChanged()]),
        (_activity(type="media.generate.intros", Context={"librarySectionID": 5}), []),
        (
            # As it was recorded from a server: the item alone.
            _activity(
                type="library.refresh.items",
                userID=1,
                progress=100,
                Context={"accessible": False, "exists": False, "key": "/library/metadata/10123"},
            ),
            [ItemChanged("10123")],
        ),
        (
            # As it was recorded from a server: someone opened a title in a Plex app.
            _refreshed("/library/metadata/513", refreshed=False, analyzed=False, exists=True),
            [],
        ),
        (_refreshed("/library/metadata/513", refreshed=False), []),
        (_refreshed("/library/metadata/513", exists=True, accessible=True), []),
        (
            _refreshed("/library/metadata/513", exists=False, accessible=True),
            [ItemChanged("513")],
        ),
        (
            _refreshed("/library/metadata/513", refreshed=True, analyzed=False),
            [ItemChanged("513")],
        ),
        (
            _refreshed("/library/metadata/513", refreshed=False, analyzed=True),
            [ItemChanged("513")],
        ),
        (_refreshed("/library/metadata/1,2,3"), [*map(ItemChanged, "123")]),
        (_refreshed("/library/metadata/1/children"), [ItemChanged("1")]),
        (_refreshed("/library/collections/8/children"), [CollectionChanged("8")]),
        (_refreshed("/library/collections/8"), [CollectionChanged("8")]),
        (_refreshed("/library/collections/8x"), [AnythingChanged()]),
        (_refreshed("/library/metadata/1,x"), [AnythingChanged()]),
        (
            {
                "type": "activity",
                "ActivityNotification": {
                    "event": "ended",
                    "Activity": {"type": "library.refresh.items", "Context": {"key": "/x"}},
                },
            },
            [AnythingChanged()],
        ),
        ({"type": "playing", "PlaySessionStateNotification": [{"ratingKey": "7"}]}, []),
        ({"type": "timeline"}, []),
        (_timeline()["TimelineEntry"], []),
        (None, []),
    ],
)
def test_a_message_tells_what_changed(wrap: Any, message: Any, expected: list[Change]) -> None:
    assert _changes_in(wrap(message)) == expected


KEYS = st.sampled_from(
    [
        *("NotificationContainer", "TimelineEntry", "ActivityNotification", "Activity", "Context"),
        *("key", "identifier", "state", "sectionID", "itemID", "type", "event"),
        "librarySectionID",
    ]
)
VALUES = st.sampled_from([LIBRARY, "ended", "library.update.section", 5, 9, "9" * 30, -1, 1.5, "²"])


@given(
    st.recursive(
        st.none() | st.booleans() | VALUES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    )
)
def test_made_up_messages_never_raise(message: Any) -> None:
    for change in _changes_in(message):
        assert isinstance(change, Change)


@pytest.mark.parametrize("text", ["", "{", "nonsense", "[" * 100_000, "NaN", "9" * 10_000])
def test_what_is_no_message_is_passed_over(text: str) -> None:
    assert list(read_changes(Event("timeline", text))) == []
