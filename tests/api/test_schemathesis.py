"""Schemathesis sends what the document allows and what it forbids, and compares the answers.

The service runs as it does in production, on Redis and the simulated Plex. Schemathesis also
writes, so each test has a Plex of its own.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from accounts.throttling import LIMITS as SIGN_IN_LIMITS
from plex_integration.policies import LIMITS
from plex_simulator import Simulator
from tests.service import ROOT, House, Person, Service, Valkey, ask
from tests.writing.conftest import SMALL

# Each takes a minute on two idle processors.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# Random ids name nothing: most ids are those of what there is.
CONFIGURATION = """
# Where nothing but 401 comes back, nothing was tested.
warnings.fail-on = ["missing_auth"]

[dictionaries]
libraries.values = {libraries}
collections.values = {collections}
playlists.values = {playlists}
items.values = {items}
genres.values = ["Drama", "Comedy"]
searches.values = ["the", "night"]

# What these accept depends on what Plex has: the type of a library, the library of an item, whether
# a collection is smart; or on which origins are allowed. A schema cannot say that, so values that
# fit it may get 400. For the ids of `listItems`, Schemathesis also sends guids of other responses.
[[operations]]
include-operation-id = [
    "listLibraryItems", "listRecentlyAdded", "createCollection", "addCollectionItems",
    "moveCollectionItem", "createPlaylist", "addPlaylistItems", "movePlaylistItem",
    "createPlexPin", "listItems",
]
checks.positive_data_acceptance.expected-statuses = [
    "2xx", "400", "401", "403", "404", "409", "429", "5xx",
]

# They need a user who is linked to a Plex account, and `deletePlexLink` removes any link.
[[operations]]
include-operation-id = ["listPlexHomeUsers", "markWatched", "markUnwatched", "setProgress"]
warnings = false

[parameters]
"path.libraryKey" = {{ dictionary = "libraries", probability = 0.8 }}
"path.collectionKey" = {{ dictionary = "collections", probability = 0.8 }}
"path.playlistKey" = {{ dictionary = "playlists", probability = 0.8 }}
"path.ratingKey" = {{ dictionary = "items", probability = 0.8 }}
"query.library" = {{ dictionary = "libraries", probability = 0.8 }}
"query.genre" = {{ dictionary = "genres", probability = 0.5 }}
"query.query" = {{ dictionary = "searches", probability = 0.5 }}
"query.ids" = {{ dictionary = "items", probability = 0.5 }}
"body.ids[*]" = {{ dictionary = "items", probability = 0.8 }}
"body.items[*]" = {{ dictionary = "items", probability = 0.8 }}
"body.after" = {{ dictionary = "items", probability = 0.8 }}
"""


@pytest.fixture
def plex() -> Iterator[Simulator]:
    with Simulator(seed=11, **SMALL) as simulator:
        yield simulator


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey that the test may kill."""
    server = Valkey(tmp_path)
    yield server
    server.close()


@pytest.fixture
def unlimited(house: House, plex: Simulator, redis: Valkey) -> Iterator[Service]:
    """The service with limits that are never reached: otherwise most answers would be 429."""
    database = house.copied()
    limits = [("rate", limit.scope, 1_000_000) for limit in (*LIMITS, *SIGN_IN_LIMITS)]
    with house.databases.rows(database) as execute:
        for limit in limits:
            execute(
                "INSERT INTO plex_integration_policychange (kind, name, value) VALUES (%s, %s, %s)",
                limit,
            )
    service = house.service(
        redis,
        workers=2,
        is_patient=False,
        DATABASE_URL=database,
        PLEX_URL=plex.url,
        PLEX_TOKEN=plex.owner_token,
        PLEX_TV_URL=plex.url,
    )
    yield service
    service.close()


def keys(service: Service, writer: Person, path: str, member: str) -> list[str]:
    """Return the rating keys of a list of the API."""
    answer = ask(service.url, f"/api/v1/plex{path}", writer.headers)
    assert answer.status == 200
    return [each["ratingKey"] for each in answer.json()["data"][member]]


def configuration(service: Service, writer: Person) -> str:
    """Return the configuration with ids of this Plex: a collection, a playlist, what is in them."""
    collection = keys(service, writer, "/libraries/1/collections", "collections")[0]
    playlist = keys(service, writer, "/playlists?type=video", "playlists")[0]
    paths = (f"/collections/{collection}", f"/playlists/{playlist}", "/libraries/2/items")
    return CONFIGURATION.format(
        libraries=["1", "1", "2", "5", "6"],
        collections=[collection],
        playlists=[playlist],
        items=[key for path in paths for key in keys(service, writer, f"{path}?size=4", "items")],
    )


def written_document(folder: Path) -> Path:
    """Write the document without `fields`, and without `dryRun` for deletions.

    A selection leaves out members that the schema requires, and the schema cannot say which. After
    a dry run, Schemathesis would report that what was deleted is still there.
    """
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text())
    shared = document["components"]["parameters"]
    operations = [each for path in document["paths"].values() for each in path.items()]
    for method, operation in operations:
        left_out = {"fields", "dryRun"} if method == "delete" else {"fields"}
        operation["parameters"] = [
            each for each in operation.get("parameters", ()) if _name(each, shared) not in left_out
        ]
    written = folder / "openapi.json"
    written.write_text(json.dumps(document))
    return written


def _name(parameter: Any, shared: Any) -> Any:
    reference = parameter.get("$ref")
    return (shared[reference.rsplit("/", 1)[1]] if reference else parameter)["name"]


def run(service: Service, writer: Person, folder: Path, *, examples: int) -> None:
    """Run all checks of Schemathesis; fail with its report.

    `examples` is how many random requests an operation gets, besides those for each of its
    parameters and for each link to another operation.
    """
    settings = folder / "schemathesis.toml"
    settings.write_text(configuration(service, writer))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings)]
    command += ["run", str(written_document(folder)), "--url", service.url, "--checks", "all"]
    command += ["--header", f"Authorization: Bearer {writer.access}"]
    command += ["--seed", "1", "--max-examples", str(examples)]
    # With a database, a quarter of the time goes into smaller copies of examples, for the next run.
    command += ["--generation-database", "none"]
    command += ["--continue-on-failure", "--no-color"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_answer_is_as_the_document_says(
    unlimited: Service, house: House, tmp_path: Path
) -> None:
    run(unlimited, house.writers[0], tmp_path, examples=50)


def test_every_answer_is_as_the_document_says_without_redis(
    unlimited: Service, house: House, redis: Valkey, tmp_path: Path
) -> None:
    redis.kill()
    # Bodies and queries are read as with Redis, from the same seed: fewer random ones are enough.
    run(unlimited, house.writers[0], tmp_path, examples=10)
