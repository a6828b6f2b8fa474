"""The bytes of a cached answer: whatever was packed comes out again, whatever was not is a miss."""

import gzip
import json
import pickle
import shutil
import struct
import subprocess
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medianest.api import renderers
from medianest.store import TagVersions
from plex_integration.caching import entry
from plex_integration.caching.entry import Entry, Head

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # JSON in UTF-8 cannot hold half a character.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)
abouts = st.dictionaries(st.sampled_from(["timestamp", "requestId", "cached"]), json_values)
tags = st.frozensets(st.sampled_from(["everything", "library:1", "policy:server", "libraries"]))
versions = st.dictionaries(
    st.sampled_from(["base", "everything", "library:1", "policy:server"]), st.text(max_size=8)
)


def packed(payload: bytes = b'{"a":1}', **changed: Any) -> Entry:
    given: dict[str, Any] = {"at": 1_700_000_000.5, "partial": False, "versions": {}, "tags": set()}
    given |= {"page": (-1, False), **changed}
    return entry.pack(payload, **(given | {"versions": at_versions(given["versions"])}))


def at_versions(versions: dict[str, str]) -> TagVersions:
    """Return the versions as a store reads them."""
    return TagVersions.parse(json.dumps(versions).encode())


NONE = at_versions({})


def framed(head: bytes, rest: bytes = b"") -> bytes:
    """Frame a head of one's own choosing as the code frames its own, checksum and all."""
    body = struct.pack("<I", len(head)) + head + rest
    return struct.pack("<12sII", b"MediaNest 1\n", zlib.crc32(body), len(body)) + body


@given(json_values, tags, versions, st.booleans(), st.floats(0, 4e9))
def test_what_was_packed_is_read_again(
    payload: Any, tags: frozenset[str], versions: dict[str, str], partial: bool, at: float
) -> None:
    written = renderers.encode(payload)
    made = packed(written, tags=tags, versions=versions, partial=partial, at=at)
    found = entry.read(made.to_bytes(), at_versions(versions))
    assert found == made
    assert found is not None
    assert found.payload() == written
    assert (found.head.at, found.head.partial) == (at, partial)


@given(json_values, abouts)
def test_every_answer_is_one_whole_gzip_stream_of_one_envelope(payload: Any, about: Any) -> None:
    made, metadata = packed(renderers.encode(payload)), renderers.encode(about)
    expected = renderers.success(renderers.encode(payload), about)
    sent = made.gzip(metadata)
    assert gzip.decompress(sent) == made.plain(metadata) == expected
    # Strictly: one member, its checksum read and right, not a byte left behind it.
    reader = zlib.decompressobj(31)
    assert reader.decompress(sent) == expected
    assert reader.eof
    assert reader.unused_data == b""
    checksum, size = struct.unpack("<II", sent[-8:])
    assert (checksum, size) == (zlib.crc32(expected), len(expected))
    assert json.loads(expected) == {"success": True, "data": payload, "metadata": about}


@given(json_values)
def test_a_payload_is_written_as_all_other_json_is(payload: Any) -> None:
    written = renderers.encode_payload(payload)
    assert json.loads(written) == payload
    assert json.dumps(json.loads(written)) == json.dumps(payload)  # the order, and 7.0 is not 7


@pytest.mark.parametrize(
    "value",
    [
        7.0,
        1e22,
        -0.0,
        2**63 - 1,
        2**70,
        "\x00\x1f\x7f\u2028",
        'é"\\/',
        "😀",
        {"b": 1, "a": [True, None]},
    ],
)
def test_a_payload_has_the_same_bytes_whatever_writes_it(value: Any) -> None:
    assert renderers.encode_payload([value]) == renderers.encode([value])


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        renderers.encode_payload({"title": "\ud800"})


def test_a_wrong_checksum_would_be_noticed_by_whoever_unpacks() -> None:
    sent = bytearray(packed().gzip(b"{}"))
    sent[-8] ^= 1
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(bytes(sent))


@pytest.mark.parametrize("program", ["gzip", "node"])
def test_other_programs_unpack_what_is_sent(program: str) -> None:
    if not shutil.which(program):
        pytest.skip(f"no {program} here")
    made = packed(renderers.encode({"title": "Amélie" * 5000}))
    script = "process.stdout.write(require('zlib').gunzipSync(require('fs').readFileSync(0)))"
    argv = {"gzip": ["gzip", "-dc"], "node": ["node", "-e", script]}[program]
    done = subprocess.run(argv, input=made.gzip(b'{"x":1}'), capture_output=True, check=True)
    assert done.stdout == made.plain(b'{"x":1}')
    assert done.stderr == b""


def test_the_payload_is_compressed_once_and_cached_so() -> None:
    made = packed(renderers.encode({"titles": ["The Matrix"] * 5000}))
    assert len(made.to_bytes()) < 2000
    first, second = made.gzip(b'{"requestId":"a"}'), made.gzip(b'{"requestId":"b"}')
    assert first.startswith(made.packed)
    assert second.startswith(made.packed)


def test_every_single_changed_byte_is_a_miss() -> None:
    written = packed(renderers.encode({"title": "x"}), tags={"everything"}).to_bytes()
    assert entry.read(written, NONE)
    for place in range(len(written)):
        for flip in (1, 0x80, 0xFF):
            changed = bytearray(written)
            changed[place] ^= flip
            assert entry.read(bytes(changed), NONE) is None, (place, flip)


def test_every_truncated_or_lengthened_value_is_a_miss() -> None:
    written = packed().to_bytes()
    for length in range(len(written)):
        assert entry.read(written[:length], NONE) is None, length
    assert entry.read(written + b"\0", NONE) is None
    assert entry.read(written + written, NONE) is None


@settings(max_examples=300)
@given(st.binary(max_size=300) | st.binary(max_size=80).map(lambda rest: framed(rest)))
def test_foreign_bytes_are_a_miss_and_never_an_error(written: bytes) -> None:
    assert entry.read(written, NONE) is None


GOOD_HEAD = asdict(packed().head)


@pytest.mark.parametrize(
    "head",
    [
        {},
        [],
        None,
        "head",
        GOOD_HEAD | {"added": "by a later release"},
        {name: value for name, value in GOOD_HEAD.items() if name != "etag"},
        GOOD_HEAD | {"tags": None},
        GOOD_HEAD | {"tags": ["everything"]},
        GOOD_HEAD | {"at": "yesterday"},
        GOOD_HEAD | {"at": None},
        GOOD_HEAD | {"crc": "x"},
        GOOD_HEAD | {"size": None},
        GOOD_HEAD | {"etag": 7},
        GOOD_HEAD | {"base": 0},
    ],
    ids=lambda head: f"{type(head).__name__}",
)
def test_a_head_of_another_shape_is_a_miss(head: Any) -> None:
    written = framed(json.dumps(head).encode(), packed().packed)
    assert entry.read(written, NONE) is None


def test_the_test_frames_heads_as_the_code_does() -> None:
    assert entry.read(framed(json.dumps(GOOD_HEAD).encode(), packed().packed), NONE) == packed()


@pytest.mark.parametrize(
    "written",
    [
        None,
        "text",
        b"",
        7,
        packed().to_bytes().replace(b"MediaNest 1\n", b"MediaNest 0\n"),
        pickle.dumps({"success": True}),
        pickle.dumps(packed()),
        zlib.compress(b'{"success":true}'),
        b'{"success":true,"data":{}}',
        b"failed:PLEX_API_ERROR",
        framed(b"[" * 50_000),
        struct.pack("<12sII", b"MediaNest 1\n", zlib.crc32(b"\xff" * 4), 4) + b"\xff" * 4,
    ],
)
def test_what_others_wrote_is_a_miss(written: Any) -> None:
    assert entry.read(written, NONE) is None


def test_nothing_that_is_cached_is_ever_unpickled() -> None:
    rooms = Path(entry.__file__).parents[2]
    for path in (*rooms.glob("plex_integration/caching/*.py"), *rooms.glob("medianest/store/*.py")):
        source = path.read_text()
        assert "import pickle" not in source, path
        assert "marshal" not in source, path


@given(versions, tags, versions)
def test_an_entry_is_current_only_under_the_versions_it_was_loaded_under(
    then: dict[str, str], tags: frozenset[str], now: dict[str, str]
) -> None:
    made = packed(tags=tags, versions=then)
    is_same = all(then.get(tag, "") == now.get(tag, "") for tag in (*tags, "base"))
    assert (entry.read(made.to_bytes(), at_versions(now)) is not None) == is_same


def test_equal_payloads_have_equal_validators_and_others_have_others() -> None:
    assert packed(b"1", at=1.0).head.etag == packed(b"1", at=2.0, partial=True).head.etag
    assert packed(b"1").head.etag != packed(b"2").head.etag
    assert isinstance(packed().head, Head)
