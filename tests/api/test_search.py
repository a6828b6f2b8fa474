"""Search: the best matches of all libraries together, in order, and what in them matched."""

from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import requests

from plex_simulator import Simulator
from plex_simulator.models import Item
from tests.api import expected
from tests.conftest import Client

QUERIES = ["the", "night", "comedy", "ada", "hotel", "東京", "salt & p", "1987", "<b>", "season 2",
           "“before”", "img_100", "jazz", "שלום", "nonexistentword"]  # fmt: skip


def hits(plex: Simulator, query: str, limit: int) -> list[tuple[str, str, str, float]]:
    """Ask the simulator itself: rating key, type, reason and score of every item in its hubs."""
    answer = requests.get(
        f"{plex.url}/hubs/search",
        params={"query": query, "limit": str(limit)},
        headers={"X-Plex-Token": plex.owner_token},
        timeout=10,
    )
    return [
        (row.attrib["ratingKey"], row.attrib["type"], row.get("reason", "title"),
         float(row.attrib["score"]))
        for hub in ElementTree.fromstring(answer.content).findall("Hub")
        for row in hub
        if "ratingKey" in row.attrib
    ]  # fmt: skip


def facts_of(plex: Simulator, key: str) -> Item:
    found = plex.catalogue.item(key)
    assert found is not None
    return found


@pytest.mark.parametrize("query", QUERIES)
def test_results_are_plexs_items_best_first(api: Client, plex: Simulator, query: str) -> None:
    wanted = sorted(hits(plex, query, 200), key=lambda hit: -hit[3])[:200]
    data = api.data(f"/plex/search?query={quote(query)}&limit=200")
    found = [(each["ratingKey"], each["matchReason"]) for each in data["results"]]
    assert found == [(key, reason) for key, _, reason, _ in wanted]
    assert data["total"] == len(found)
    assert isinstance(data["queryTime"], int)
    assert 0 <= data["queryTime"] < 10_000


@pytest.mark.parametrize("query", ["night", "comedy", "salt & p"])
def test_every_result_is_complete(api: Client, plex: Simulator, query: str) -> None:
    results = api.data(f"/plex/search?query={quote(query)}&limit=120")["results"]
    assert results
    for result in results:
        facts = facts_of(plex, result["ratingKey"])
        reason = result.pop("matchReason")
        assert result == expected.item(plex.catalogue, facts)
        if reason == "title":
            assert f" {query}" in f" {facts.title.casefold()}"
        else:
            tags = {"genre": facts.genres, "actor": facts.roles, "director": facts.directors}
            assert any(f" {query}" in f" {each.tag.casefold()}" for each in tags[reason])


def test_a_summary_of_results_is_what_plexs_hubs_hold(api: Client, plex: Simulator) -> None:
    for result in api.data("/plex/search?query=night&details=summary")["results"]:
        result.pop("matchReason")
        facts = facts_of(plex, result["ratingKey"])
        assert result == expected.summary(plex.catalogue, facts)


@pytest.mark.parametrize("kind", ["movie", "show", "episode", "artist", "album", "track"])
def test_a_type_keeps_only_that_type(api: Client, plex: Simulator, kind: str) -> None:
    wanted = sorted(hits(plex, "the", 200), key=lambda hit: -hit[3])
    results = api.data(f"/plex/search?query=the&type={kind}&limit=200&details=summary")["results"]
    assert [each["ratingKey"] for each in results] == [
        key for key, found, _, _ in wanted if found == kind
    ]
    assert {each["type"] for each in results} <= {kind}


def test_without_a_type_results_are_of_many_types(api: Client, plex: Simulator) -> None:
    results = api.data("/plex/search?query=the&limit=200&details=summary")["results"]
    assert {"movie", "episode", "album"} <= {each["type"] for each in results}


@pytest.mark.parametrize("limit", [1, 2, 7, 200])
def test_the_limit_counts_all_results_together(api: Client, limit: int) -> None:
    data = api.data(f"/plex/search?query=the&limit={limit}&details=summary")
    assert len(data["results"]) == data["total"] <= limit
    best = api.data("/plex/search?query=the&limit=199&details=summary")["results"]
    assert data["results"] == (best + data["results"][199:])[:limit]


def test_fifty_results_are_the_default(api: Client) -> None:
    assert api.data("/plex/search?query=the&details=summary")["total"] == 50


def test_people_and_collections_are_left_out(api: Client, plex: Simulator) -> None:
    results = api.data("/plex/search?query=ada&limit=200")["results"]
    assert results
    assert all(plex.catalogue.item(each["ratingKey"]) for each in results)
    assert "actor" in {each["matchReason"] for each in results}
    shelf = api.data("/plex/search?query=large%20shelf")
    assert shelf["results"] == []
    assert shelf["total"] == 0


def test_an_archived_library_is_not_searched_and_every_result_names_its_own(
    api: Client, plex: Simulator
) -> None:
    results = api.data("/plex/search?query=the&limit=200&details=summary")["results"]
    assert "11" not in {each["library"]["id"] for each in results}
    for each in results:
        facts = facts_of(plex, each["ratingKey"])
        assert each["library"] == expected.library(plex.catalogue, facts.library_key)


def test_a_decomposed_query_finds_the_composed_title(api: Client, own_plex: Simulator) -> None:
    own_plex.catalogue.add("1", "movie", "Ångström Revisited")
    decomposed = quote("A\u030angstro\u0308m")
    titles = [each["title"] for each in api.data(f"/plex/search?query={decomposed}")["results"]]
    assert "Ångström Revisited" in titles


def test_blanks_around_a_query_do_not_count(api: Client) -> None:
    bare = api.data("/plex/search?query=night&details=summary")["results"]
    assert api.data("/plex/search?query=%20%09night%20&details=summary")["results"] == bare


@pytest.mark.parametrize(
    "query", ["", "?query=", "?query=a", "?query=%20a%20", "?query=%20%20%20", "?query=A%CC%8A",
              "?query=%F0%9F%8E%AC", "?query=&limit=0", "?limit=1", "?query=a&type=nonsense"]
)  # fmt: skip
def test_fewer_than_two_characters_are_too_short(api: Client, plex: Simulator, query: str) -> None:
    error = api.error(f"/plex/search{query}", 400, "SEARCH_QUERY_TOO_SHORT")
    assert error["message"] == "Search query must be at least 2 characters."
    assert plex.count() == 0


def test_two_and_two_hundred_characters_are_enough_and_not_too_many(api: Client) -> None:
    assert api.data("/plex/search?query=zq")["results"] == []
    assert api.data("/plex/search?query=" + "z" * 200)["results"] == []
    assert api.data("/plex/search?query=" + "%E6%9D%B1" * 200)["results"] == []
    error = api.error("/plex/search?query=" + "z" * 201, 400, "VALIDATION_ERROR")
    assert set(error["details"]) == {"query"}
