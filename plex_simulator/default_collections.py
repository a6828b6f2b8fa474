"""The collections that a new catalogue starts with."""

from collections.abc import Sequence

from plex_simulator.generation import vocabulary
from plex_simulator.generation.metadata import DAY, FIRST_COLLECTION_TAG_ID, GENRES, make_text
from plex_simulator.models import Collection
from plex_simulator.seeded_random import SeededRandom
from plex_simulator.tables.item_table import ItemTable

FIRST_COLLECTION_KEY = 11_001_000
LARGE = 150


def make_collections(
    rng: SeededRandom, now: int, tables: Sequence[ItemTable], count: int
) -> list[Collection]:
    """Make collections of the items of each table.

    The first table gets `count` collections and the special ones, the other tables get three each.
    """
    collections: list[Collection] = []
    for table_number, table in enumerate(tables):
        size = len(table)
        for position in range(min(count if table_number == 0 else 3, size)):
            number = len(collections)
            chosen = [rng.below(number, 10 + n, size) for n in range(2 + rng.below(number, 1, 8))]
            art = f"/library/metadata/{table.key(chosen[0])}/art/{now - DAY}"
            collections.append(
                _make_collection(
                    rng,
                    now,
                    number,
                    table,
                    _make_title(rng, number),
                    summary=_make_summary(rng, number, position, table) if position % 2 else "",
                    item_keys=tuple(dict.fromkeys(map(table.key, chosen))),
                    sort=position % 3,
                    mode=(-1, 0, 1, 2)[position % 4],
                    content_rating="PG" if position % 3 else None,
                    art=art if position % 4 == 0 else None,
                    custom_thumb=position % 2 == 0,
                )
            )
        if table_number == 0:
            collections.extend(_make_special_collections(rng, now, len(collections), table))
    return collections


def _make_special_collections(
    rng: SeededRandom, now: int, number: int, table: ItemTable
) -> list[Collection]:
    """Make a large collection and a smart one; as edge cases, both kinds without any items."""
    all_movies = f"/library/sections/{table.library_key}/all?type=1"
    comedy_id = next(genre.id for genre in GENRES if genre.tag == "Comedy")
    large = tuple(table.key(index) for index in range(min(LARGE, len(table))))
    collections = [
        _make_collection(rng, now, number, table, "A Large Shelf", item_keys=large, sort=2),
        _make_collection(
            rng, now, number + 2, table, "Clever Comedies",
            smart=True, content=f"{all_movies}&genre={comedy_id}&sort=year:desc",
        ),
    ]  # fmt: skip
    if table.edge_cases:
        empty = _make_collection(rng, now, number + 1, table, "Empty <Shelf> & Dust")
        nothing_matches = _make_collection(
            rng, now, number + 3, table, "Before Film 🎞",
            smart=True, content=f"{all_movies}&year%3C%3C=1801",
        )  # fmt: skip
        collections = [collections[0], empty, collections[1], nothing_matches]
    return collections


def _make_summary(rng: SeededRandom, number: int, position: int, table: ItemTable) -> str:
    if table.edge_cases:
        return vocabulary.EDGE_CASE_SUMMARIES[position % 3]
    return make_text(rng, number, 40, vocabulary.COLLECTION_SENTENCES)


def _make_title(rng: SeededRandom, number: int) -> str:
    noun = rng.choice(number, 3, vocabulary.NOUNS)
    return f"The {noun} Collection" if number % 2 else f"{noun} Nights"


def _make_collection(
    rng: SeededRandom,
    now: int,
    number: int,
    table: ItemTable,
    title: str,
    *,
    summary: str = "",
    item_keys: tuple[str, ...] = (),
    sort: int = 0,
    mode: int = -1,
    content_rating: str | None = None,
    art: str | None = None,
    custom_thumb: bool = False,
    smart: bool = False,
    content: str | None = None,
) -> Collection:
    added_at = now - 40 * DAY - rng.below(number, 2, 900 * DAY)
    return Collection(
        rating_key=str(FIRST_COLLECTION_KEY + number),
        tag_id=FIRST_COLLECTION_TAG_ID + number * 3,
        guid=f"collection://{rng.uuid(number, 4)}",
        library_key=table.library_key,
        subtype=table.type,
        title=title,
        title_sort=title[4:] if title.startswith("The ") else None,
        summary=summary,
        added_at=added_at,
        updated_at=added_at + 30 * DAY,
        item_keys=item_keys,
        sort=sort,
        mode=mode,
        content_rating=content_rating,
        art=art,
        custom_thumb=custom_thumb,
        smart=smart,
        content=content,
    )
