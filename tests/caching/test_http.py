"""What HTTP says of a cached answer: freshness, validators, encodings; and what a hit costs."""

import gzip
import json
import shutil
import subprocess
import zlib
from collections.abc import Sequence
from typing import Any

import pytest

from plex_integration import policies
from plex_integration.configuration import runtime
from plex_simulator import Simulator
from tests import counting
from tests.conftest import Client
from tests.service import Person, Service, Valkey, ask

TTLS = {
    "/server": 1800,
    "/libraries": 1800,
    "/libraries/1/items?size=2&genre=drama": 600,
    "/search?query=the&limit=2": 600,
    "/recently-added?limit=2": 600,
    "/libraries/1/collections?size=2": 1800,
    "/collections/{collection}?size=2": 1800,
}
ITEMS = "/api/v1/plex/libraries/1/items?size=20"


@pytest.fixture
def collection(plex: Simulator) -> str:
    return str(plex.catalogue.collections("1")[0].rating_key)


def test_the_times_to_live_are_the_documented_ones() -> None:
    minutes = {policy.name: policy.ttl / 60 for policy in policies.POLICIES}
    assert (
        minutes.items()
        >= {
            "server": 30,
            "libraries": 30,
            "library-items": 10,
            "search": 10,
            "recently-added": 10,
            "collections": 30,
            "collection": 30,
        }.items()
    )


@pytest.mark.parametrize("path", TTLS)
def test_headers_and_envelope_say_the_same(
    quick: Client, shared: Any, collection: str, path: str
) -> None:
    url = "/plex" + path.format(collection=collection)
    for status in ("MISS", "HIT", "HIT"):
        answer = quick.get(url)
        about = answer.json()["metadata"]
        assert answer.headers["X-Plex-Cache-Status"] == status
        assert about["cached"] is (status == "HIT")
        assert answer.headers["Age"] == answer.headers["X-Plex-Cache-Age"] == str(about["cacheAge"])
        assert answer.headers["Cache-Control"].startswith(f"max-age={TTLS[path]}, private")
        vary = {each.strip().lower() for each in answer.headers["Vary"].split(",")}
        assert vary >= {"authorization", "accept", "accept-encoding"}
        assert answer.headers["X-Plex-Response-Time"].removesuffix("ms").isdigit()
        assert "stale" not in about


@pytest.mark.parametrize("path", TTLS)
def test_a_client_that_has_the_response_gets_304_without_a_body(
    quick: Client, shared: Any, collection: str, path: str
) -> None:
    url = "/plex" + path.format(collection=collection)
    etag = quick.get(url).headers["ETag"]
    strong = etag.removeprefix("W/")
    for header in (etag, strong, f'"other", {etag}', "*"):
        answer = quick.get(url, headers={"If-None-Match": header})
        assert (answer.status_code, answer.content) == (304, b""), header
        assert answer.headers["ETag"] == etag
        for name in ("Cache-Control", "Vary", "Age", "X-Plex-Cache-Status"):
            assert name in answer.headers
    assert quick.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("header", "is_packed"),
    [
        (None, False),
        ("gzip", True),
        ("GZIP", True),
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("*", True),
        ("deflate", False),
        ("identity", False),
        ("", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip ;q=0.0", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("gzip;q=0.001", True),
    ],
)
def test_gzip_is_sent_to_who_takes_it(
    service: Service, people: Sequence[Person], header: str | None, is_packed: bool
) -> None:
    for _ in range(2):  # a miss, a hit
        fields = {} if header is None else {"Accept-Encoding": header}
        answer = ask(service.url, ITEMS, people[0].headers | fields)
        assert answer.status == 200
        assert answer.headers.get("content-encoding") == ("gzip" if is_packed else None)
        body = gzip.decompress(answer.body) if is_packed else answer.body
        assert len(json.loads(body)["data"]["items"]) == 20
        if is_packed:
            assert len(answer.body) < len(body) / 2
            reader = zlib.decompressobj(31)
            assert reader.decompress(answer.body) == body
            assert (reader.eof, reader.unused_data) == (True, b"")


def test_the_packed_bytes_are_those_that_were_cached(
    service: Service, people: Sequence[Person], valkey: Valkey
) -> None:
    fields = people[0].headers | {"Accept-Encoding": "gzip"}
    answers = [ask(service.url, ITEMS, fields) for _ in range(3)]
    cached = [
        value
        for name in valkey.client.keys("medianest:cache:*:library-items:*")
        if (value := valkey.client.get(name))
    ]
    assert len(cached) == 1
    for answer in answers:
        # All but the metadata's stored block and the checksum are in the cached value.
        assert answer.body[: len(answer.body) - 300] in cached[0]


@pytest.mark.parametrize("program", ["curl", "node"])
def test_other_clients_read_what_is_sent(
    service: Service, people: Sequence[Person], program: str
) -> None:
    if not shutil.which(program):
        pytest.skip(f"no {program} here")
    url, token = service.url + ITEMS, people[0].headers["Authorization"]
    script = (
        f"fetch({url!r}, {{headers: {{Authorization: {token!r}}}}})"
        ".then(answer => answer.text()).then(text => process.stdout.write(text))"
    )
    curl = ["curl", "-sS", "--fail", "--noproxy", "*", "--compressed", url]
    argv = {
        "curl": [*curl, "-H", f"Authorization: {token}"],
        "node": ["node", "-e", script],
    }[program]
    for _ in range(2):
        done = subprocess.run(argv, capture_output=True, timeout=30, check=True)
        assert len(json.loads(done.stdout)["data"]["items"]) == 20
        assert done.stderr == b""


@pytest.mark.parametrize("path", TTLS)
def test_a_hit_costs_no_question_to_plex_or_the_database_and_one_to_redis(
    quick: Client,
    shared: Any,
    valkey: Valkey,
    plex: Simulator,
    collection: str,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = "/plex" + path.format(collection=collection)
    quick.get(url)  # a miss, which creates the versions
    runtime.reload()  # without a version, the settings would be read again after a second
    for _ in range(2):  # a hit that reads the new versions, a hit that reads the entry
        quick.get(url)
    plex.reset_requests()
    trips, queries = counting.round_trips(monkeypatch), counting.queries(monkeypatch)
    hit = quick.get(url)
    assert hit.headers["X-Plex-Cache-Status"] == "HIT"
    assert queries == []
    assert plex.requests == ()
    assert trips == [("EVALSHA", "GETRANGE", "GET")]


def test_a_hit_is_one_command_for_the_limit_and_two_reads_as_redis_counts_them(
    service: Service, people: Sequence[Person], valkey: Valkey
) -> None:
    ask(service.url, ITEMS, people[5].headers)  # loads the stamp of the user for all workers
    # The script reads the user's stamp, too.
    expected = {"cmdstat_evalsha": 5, "cmdstat_getrange": 5, "cmdstat_get": 10}
    # A worker that answers it for the first time reads more; each does so once.
    assert any(_commands_of_five_hits(service, people[5], valkey) == expected for _ in range(8))


def _commands_of_five_hits(service: Service, person: Person, valkey: Valkey) -> dict[str, int]:
    valkey.client.config_resetstat()
    answers = [ask(service.url, ITEMS, person.headers) for _ in range(5)]
    assert [answer.headers["x-plex-cache-status"] for answer in answers] == ["HIT"] * 5
    return {
        name: each["calls"]
        for name, each in valkey.client.info("commandstats").items()
        if name.removeprefix("cmdstat_") in ("evalsha", "eval", "get", "getrange", "set")
    }
