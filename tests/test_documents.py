"""The document's JavaScript examples, unchanged, run by Node; and the API page's numbers."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plex_integration.policies import POLICIES
from plex_simulator import Simulator
from tests.conftest import Client

DOCUMENT = Path(__file__).parent / "document"


@pytest.fixture
def titles(plex: Simulator) -> Iterator[dict[str, str]]:
    """What the examples look for, and its likes of another type: title to rating key."""
    added = {
        title: plex.catalogue.add(library, kind, title, year=year)
        for library, kind, title, year in (
            ("2", "show", "Breaking Bad", 2008),
            ("1", "movie", "Breaking Away", 1979),
            ("1", "movie", "The Matrix", 1999),
            ("1", "movie", "The Matrix Reloaded", 2003),
            ("2", "show", "Matrix of Leadership", 1986),
        )
    }
    yield {title: item.rating_key for title, item in added.items()}
    for item in added.values():
        plex.catalogue.remove(item.rating_key)


def _run(example: str, expression: str, api: Client, token: str | None = None) -> Any:
    """Return the value of an expression at the end of an example."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("Node is needed to run the document's examples: install nodejs.")
    token = token or str(api.headers["Authorization"]).removeprefix("Bearer ")
    ran = subprocess.run(
        [node, DOCUMENT / "run.js", api.root, token, DOCUMENT / example, expression],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_browsing_shows_the_first_50_movies(plex: Simulator, api: Client) -> None:
    page = _run("browse-library.js", "await browseMovieLibrary()", api)
    total = len(plex.catalogue.items("1", "movie"))
    assert page["pagination"] == {"start": 0, "size": 50, "total": total, "hasMore": True}
    assert page["hasMore"] is True
    assert len(page["items"]) == 50
    assert all(item["type"] == "movie" for item in page["items"])


def test_browsing_page_by_page_shows_every_movie_once(plex: Simulator, api: Client) -> None:
    every_page = """await (async () => {
        const seen = [];
        for (let page = 0, hasMore = true; hasMore; page += 1) {
            const answer = await browseMovieLibrary(page, 100);
            seen.push(...answer.items.map((item) => [item.ratingKey, item.title]));
            hasMore = answer.hasMore;
        }
        return seen;
    })()"""
    seen = _run("browse-library.js", every_page, api)
    movies = [[movie.rating_key, movie.title] for movie in plex.catalogue.items("1", "movie")]
    assert sorted(seen) == sorted(movies)


def test_browsing_without_a_good_token_throws_the_services_message(api: Client) -> None:
    caught = "await browseMovieLibrary().catch((error) => error.message)"
    message = _run("browse-library.js", caught, api, token="forged")
    assert message == "Sign in: a valid access token is needed."


def test_searching_finds_the_documents_show_and_movies(api: Client, titles: dict[str, str]) -> None:
    found = _run("search-and-filter.js", "({ tvShows, movies })", api)
    shows = {show["title"]: show["ratingKey"] for show in found["tvShows"]}
    movies = {movie["title"]: movie["ratingKey"] for movie in found["movies"]}
    assert shows == {"Breaking Bad": titles["Breaking Bad"]}
    assert movies == {name: titles[name] for name in ("The Matrix", "The Matrix Reloaded")}
    assert found["tvShows"][0]["library"] == {"id": "2", "title": "TV Shows", "type": "show"}


def test_searching_for_too_little_finds_nothing(api: Client) -> None:
    assert _run("search-and-filter.js", "await searchAndFilter('x')", api) == []


def test_the_api_page_lists_the_cache_time_and_the_limit_of_every_endpoint() -> None:
    page = (DOCUMENT.parent.parent / "docs" / "api.md").read_text()
    rows = re.findall(r"^\| ([a-z-]+) \| (\d+) minutes? \| (\d+)", page, re.MULTILINE)
    said = {name: (int(minutes) * 60, int(requests)) for name, minutes, requests in rows}
    meant = {
        policy.name.removeprefix("library-"): (policy.ttl, policy.limit.requests)
        for policy in POLICIES
    }
    assert said == meant
