"""Which filter of a share hides an item, in all forms that Plex's clients write."""

from typing import Any

import pytest

from plex_integration.plex.plextv.share_filters import find_hiding

KIDS = {"label": ["Kids"], "contentRating": ["PG"]}
ADULTS = {"label": ["Adults"], "contentRating": ["R"]}
NOTHING: dict[str, list[str]] = {"label": [], "contentRating": []}


def hides(text: str, tags: Any, library: str = "movie", name: str = "filterMovies") -> bool:
    return find_hiding({name: text}, library, tags) is not None


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("label!=Adults", [ADULTS]),
        ("label=Kids", [ADULTS, NOTHING]),
        ("label!=Other,Adults", [ADULTS]),
        ("label!=Other%2CAdults", [ADULTS]),
        ("label!=adults", [ADULTS]),
        ("contentRating=G%2CPG", [ADULTS, NOTHING]),
        ("contentRating!=R,NR", [ADULTS]),
        ("label=Kids|contentRating=R", [NOTHING]),
        ("label=Kids&contentRating=R", [KIDS, ADULTS, NOTHING]),
        ("label=Kids|label=Adults&contentRating=R", [KIDS, NOTHING]),
        ("label!=Adults&contentRating=PG", [ADULTS, NOTHING]),
    ],
)
def test_a_filter_hides_what_does_not_meet_its_conditions(text: str, hidden: list[Any]) -> None:
    assert [tags for tags in (KIDS, ADULTS, NOTHING) if hides(text, tags)] == hidden


def test_percent_encoded_values_are_read() -> None:
    assert not hides("contentRating=UK%3A+Uc%2Cgb%2FU", {"contentRating": ["gb/U"]})
    assert not hides("contentRating=UK%3A+Uc%2Cgb%2FU", {"contentRating": ["UK: Uc"]})


@pytest.mark.parametrize("text", ["studio=A", "label!=Cats&Dogs", "Dogs", "=", "&", "|", ""])
def test_what_is_not_understood_is_not_said_to_hide_anything(text: str) -> None:
    assert not hides(text, NOTHING)


@pytest.mark.parametrize(
    ("library", "name"),
    [
        ("movie", "filterMovies"),
        ("show", "filterTelevision"),
        ("artist", "filterMusic"),
        ("photo", "filterPhotos"),
        ("photo", "filterAll"),
    ],
)
def test_each_type_of_library_has_its_filter_and_that_of_all(library: str, name: str) -> None:
    assert hides("label=Kids", ADULTS, library, name)
    other = "filterMovies" if library != "movie" else "filterMusic"
    assert not hides("label=Kids", ADULTS, library, other)


def test_the_filter_is_named_with_the_condition_that_hides_the_item() -> None:
    filters = {"filterAll": "", "filterMovies": "label=Adults|label=Kids&contentRating!=R%2CNR"}
    hiding = find_hiding(filters, "movie", ADULTS)
    assert str(hiding) == "filterMovies (contentRating!=R, NR)"
    filters = {"filterMovies": "label=Kids|contentRating=G"}
    assert str(find_hiding(filters, "movie", ADULTS)) == (
        "filterMovies (label=Kids or contentRating=G)"
    )


def test_a_long_list_of_values_is_shortened() -> None:
    ratings = "%2C".join(f"rating-{number}" for number in range(40))
    hiding = find_hiding({"filterMovies": f"contentRating={ratings}"}, "movie", ADULTS)
    assert str(hiding) == (
        "filterMovies (contentRating=rating-0, rating-1, rating-2, rating-3, rating-4 and 35 more)"
    )
