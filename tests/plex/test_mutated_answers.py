"""10,000 mutated answers of Plex through the whole service: each is used, or an error of Plex.

404 is only answered where Plex's answer can be read and does not hold what was requested.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
import requests
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from accounts import tokens
from accounts.models import User
from plex_integration.errors import PlexApiError
from plex_integration.plex.errors import PlexNotFound
from plex_integration.plex.media import ITEM_TYPES
from plex_integration.plex.xml import parse_xml
from plex_simulator import Simulator
from tests.api.test_true_schema import DOCUMENT, resolved
from tests.conftest import forget_everything
from tests.plex.conftest import RawServer, Request, ok
from tests.plex.mutations import MUTATIONS, Mutation, mutated
from tests.writing.conftest import SMALL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# What is requested, and the path of the document that describes it.
QUESTIONS = {
    "/server": "/server",
    "/libraries": "/libraries",
    "/libraries/1/items?size=3": "/libraries/{libraryKey}/items",
    "/libraries/2/items?size=3&details=summary&genre=drama": "/libraries/{libraryKey}/items",
    "/libraries/1/collections": "/libraries/{libraryKey}/collections",
    "/libraries/1/genres": "/libraries/{libraryKey}/genres",
    "/collections/{collection}?size=3": "/collections/{collectionKey}",
    "/search?query=the&limit=3": "/search",
    "/recently-added?limit=3": "/recently-added",
    "/recently-added?limit=3&type=movie&library=1": "/recently-added",
    "/on-deck?limit=3": "/on-deck",
    "/items/lookup?guid=imdb://tt0000001": "/items/lookup",
    "/items/{movie}": "/items/{ratingKey}",
    "/items/{album}": "/items/{ratingKey}",
    "/items/{show}/children?size=3": "/items/{ratingKey}/children",
    "/playlists": "/playlists",
    "/playlists/{playlist}?size=3": "/playlists/{playlistKey}",
}
EXAMPLES = -(-10_000 // len(QUESTIONS))
PARENTS = {"show", "season", "artist", "album", "photoalbum"}
WANTED = {"ITEM": set(ITEM_TYPES), "COLLECTION": {"collection"}, "PLAYLIST": {"playlist"}}


Name = tuple[str, ...]
"""A request to Plex: its path with the query, and the page that it is for."""


class MutatingPlex:
    """Answers as the simulator does, except that `mutations` change the answer named `mutated`."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._answers: dict[Name, requests.Response] = {}
        self._server = RawServer(self._answer)
        self.url = self._server.url
        self.requested: set[Name] = set()
        self.mutated: Name | None = None
        self.mutations: list[Mutation] = []

    def close(self) -> None:
        self._server.close()

    def mutable(self) -> list[Name]:
        """Return the requests so far that were answered with XML."""
        return sorted(name for name in self.requested if self._answers[name].status_code == 200)

    def body(self, name: Name) -> bytes:
        """Return the answer to a request as it is sent now."""
        body = self._answers[name].content
        return mutated(body, self.mutations) if name == self.mutated else body

    def _answer(self, request: Request) -> bytes:
        page = {f"X-Plex-Container-{each}": request.header(f"X-Plex-Container-{each}") or ""
                for each in ("Start", "Size")}  # fmt: skip
        name = (request.path, *page.values())
        if name not in self._answers:
            headers = {"X-Plex-Token": self._simulator.owner_token, **page}
            url = self._simulator.url + request.path
            self._answers[name] = requests.get(url, headers=headers, timeout=10)
        self.requested.add(name)
        answer = self._answers[name]
        return ok(self.body(name), f"{answer.status_code} {answer.reason}")


class Reader:
    """Sends requests to the service in this process, which forgets everything before each."""

    def __init__(self, access: str) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {access}"})

    def get(self, question: str) -> Any:
        forget_everything()
        return self._client.get(f"/api/v1/plex{question}")

    def key(self, question: str, member: str) -> str:
        """Return the rating key of the first in a list."""
        key: str = self.get(question).json()["data"][member][0]["ratingKey"]
        return key


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(seed=11, **SMALL) as simulator:
        yield simulator


@pytest.fixture
def plex(simulator: Simulator, settings: Any) -> Iterator[MutatingPlex]:
    plex = MutatingPlex(simulator)
    settings.PLEX_URL, settings.PLEX_TOKEN = plex.url, simulator.owner_token
    yield plex
    plex.close()


@pytest.fixture
def reader(plex: MutatingPlex, db: None) -> Reader:
    return Reader(tokens.issue(User.objects.create(username="reader", password="!")).access)


@pytest.fixture
def ids(reader: Reader) -> dict[str, str]:
    """Something of each kind that the simulator has."""
    return {
        "{movie}": reader.key("/libraries/1/items?size=1", "items"),
        "{show}": reader.key("/libraries/2/items?size=1", "items"),
        "{album}": reader.key("/libraries/5/items?size=1&type=album", "items"),
        "{collection}": reader.key("/libraries/1/collections", "collections"),
        "{playlist}": reader.key("/playlists", "playlists"),
    }


@lru_cache
def validator(path: str, status: int) -> Draft202012Validator:
    described = DOCUMENT["paths"][f"/api/v1/plex{path}"]["get"]["responses"][str(status)]
    response = resolved(described)
    schema = response["content"]["application/json"]["schema"]
    return Draft202012Validator(
        {**schema, "components": DOCUMENT["components"]}, validate_formats=True
    )


def is_absent(code: str, body: bytes) -> bool:
    """Return whether an answer of Plex shows that something is not there.

    It is empty, or it is readable and every element in it is something else.
    """
    try:
        root = parse_xml([body])
    except PlexNotFound:
        return True
    if code == "LIBRARY_NOT_FOUND":
        return all(each.tag == "Directory" and each.get("key", "").isdigit() for each in root)
    wanted = {"", *WANTED[code.removesuffix("_NOT_FOUND")]}
    types = {each.get("type", "") for each in root}
    return not types & wanted or types <= set(ITEM_TYPES) - PARENTS


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_mutated_answer_is_used_or_is_an_error_of_plex(
    question: str, plex: MutatingPlex, reader: Reader, ids: dict[str, str]
) -> None:
    path = QUESTIONS[question]
    for name, key in ids.items():
        question = question.replace(name, key)
    plex.requested.clear()
    assert reader.get(question).status_code == 200
    answers = plex.mutable()
    statuses = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(answers), MUTATIONS)
    def check(name: Name, mutations: list[Mutation]) -> None:
        plex.mutated, plex.mutations = name, mutations
        answer = reader.get(question)
        body = answer.json()
        statuses.add(answer.status_code)
        assert answer.status_code in (200, 404, 502), body
        validator(path, answer.status_code).validate(body)
        if answer.status_code == 404:
            assert is_absent(body["error"]["code"], plex.body(name)), plex.body(name)
        if answer.status_code == 502:
            assert body["error"]["code"] == PlexApiError.code

    check()
    assert {200, 502} <= statuses
