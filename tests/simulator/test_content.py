"""What a library contains by default: titles, texts and genres as people would have them."""

from collections.abc import Iterator

import pytest

from plex_simulator import Simulator
from plex_simulator.generation.themes import THEMES
from plex_simulator.generation.vocabulary import CHILDREN_RATINGS, EDGE_CASE_TITLES
from plex_simulator.models import Item

from .conftest import NOW


@pytest.fixture(scope="module")
def plain() -> Iterator[Simulator]:
    with Simulator(now=NOW) as simulator:
        yield simulator


def all_items(simulator: Simulator) -> list[Item]:
    catalogue = simulator.catalogue
    return [
        item
        for library in catalogue.libraries
        for item_type in library.item_types
        for item in catalogue.items(library.key, item_type)
    ]


def is_plain(text: str) -> bool:
    return text.isprintable() and text == text.strip() and not set("<>{}") & set(text)


def test_titles_and_texts_contain_no_markup_and_no_line_breaks(plain: Simulator) -> None:
    odd = [
        text
        for item in all_items(plain)
        for text in (item.title, item.summary, item.tagline or "")
        if not is_plain(text)
    ]
    assert odd == []
    shelves = (*plain.catalogue.collections(), *plain.catalogue.playlists)
    assert [each.title for each in shelves if not is_plain(each.title + each.summary)] == []
    assert not {item.title for item in all_items(plain)} & set(EDGE_CASE_TITLES)


def test_each_movie_and_show_has_a_summary_of_two_sentences(plain: Simulator) -> None:
    for item in (*plain.catalogue.items("1", "movie"), *plain.catalogue.items("2", "show")):
        assert item.summary.count(". ") == 1, item.summary
        assert 40 < len(item.summary) < 200


def test_the_genres_of_a_movie_go_together(plain: Simulator) -> None:
    known = {genres for theme in THEMES for genres in theme.genres}
    found = {movie.genres for movie in plain.catalogue.items("1", "movie")}
    assert found - {()} <= known
    assert len(found) > len(known) // 2


def test_movies_for_children_have_a_rating_for_children(plain: Simulator) -> None:
    animations = [
        movie
        for movie in plain.catalogue.items("1", "movie")
        if "Animation" in {genre.tag for genre in movie.genres}
    ]
    assert animations
    assert {movie.content_rating for movie in animations} <= {*CHILDREN_RATINGS, None}


def test_collections_and_playlists_are_not_empty(plain: Simulator) -> None:
    catalogue = plain.catalogue
    for collection in catalogue.collections():
        assert catalogue.collection_items(collection.rating_key)
    for playlist in catalogue.playlists:
        assert catalogue.playlist_summary(playlist.rating_key)[0]


def test_edge_cases_replace_titles_and_leave_the_other_items_as_they_are(plain: Simulator) -> None:
    with Simulator(now=NOW, edge_cases=True) as odd:
        titles = [movie.title for movie in odd.catalogue.items("1", "movie")]
        plain_titles = [movie.title for movie in plain.catalogue.items("1", "movie")]
        pairs = zip(titles, plain_titles, strict=True)
        different = [title for title, plain_title in pairs if title != plain_title]
        assert different == list(EDGE_CASE_TITLES[: len(different)])
        assert "<b>Bold</b> Choices" in different
