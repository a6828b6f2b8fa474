"""The collections and playlists a new catalogue starts with."""

from collections.abc import Sequence

from plex_simulator.generation import vocabulary
from plex_simulator.generation.metadata import DAY, FIRST_COLLECTION_TAG_ID, GENRES, Dice
from plex_simulator.models import Collection, Entry, Playlist, User
from plex_simulator.tables.item_table import Shelf

FIRST_COLLECTION_KEY = 11_001_000
FIRST_PLAYLIST_KEY = 12_001_000
LARGE = 150


def collections(dice: Dice, now: int, shelves: Sequence[Shelf], many: int) -> list[Collection]:
    """Gather items of each shelf: `many` from the first, three from the others, and odd ones."""
    made: list[Collection] = []
    for position, shelf in enumerate(shelves):
        size = len(shelf)
        for place in range(min(many if position == 0 else 3, size)):
            number = len(made)
            chosen = [dice(number, 10 + n, size) for n in range(2 + dice(number, 1, 8))]
            made.append(
                _collection(
                    dice, now, number, shelf, _name(dice, number),
                    summary=vocabulary.AWKWARD_SUMMARIES[place % 3] if place % 2 else "",
                    item_keys=tuple(dict.fromkeys(map(shelf.key, chosen))),
                    sort=place % 3,
                    mode=(-1, 0, 1, 2)[place % 4],
                    content_rating="PG" if place % 3 else None,
                    art=f"/library/metadata/{shelf.key(chosen[0])}/art/{now - DAY}"
                    if place % 4 == 0
                    else None,
                    custom_thumb=place % 2 == 0,
                )
            )  # fmt: skip
        if position == 0:
            made.extend(_odd_ones(dice, now, len(made), shelf))
    return made


def _odd_ones(dice: Dice, now: int, number: int, shelf: Shelf) -> list[Collection]:
    everything = f"/library/sections/{shelf.library_key}/all?type=1"
    comedies = next(genre.id for genre in GENRES if genre.tag == "Comedy")
    large = tuple(shelf.key(index) for index in range(min(LARGE, len(shelf))))
    return [
        _collection(dice, now, number, shelf, "A Large Shelf", item_keys=large, sort=2),
        _collection(dice, now, number + 1, shelf, "Empty <Shelf> & Dust"),
        _collection(
            dice, now, number + 2, shelf, "Clever Comedies",
            smart=True, content=f"{everything}&genre={comedies}&sort=year:desc",
        ),
        _collection(
            dice, now, number + 3, shelf, "Before Film 🎞",
            smart=True, content=f"{everything}&year%3C%3C=1801",
        ),
    ]  # fmt: skip


def _name(dice: Dice, number: int) -> str:
    noun = dice.choice(number, 3, vocabulary.NOUNS)
    return f"The {noun} Collection" if number % 2 else f"{noun} Nights"


def _collection(
    dice: Dice,
    now: int,
    number: int,
    shelf: Shelf,
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
    added = now - 40 * DAY - dice(number, 2, 900 * DAY)
    return Collection(
        rating_key=str(FIRST_COLLECTION_KEY + number),
        tag_id=FIRST_COLLECTION_TAG_ID + number * 3,
        guid=f"collection://{dice.uuid(number, 4)}",
        library_key=shelf.library_key,
        subtype=shelf.type,
        title=title,
        title_sort=title[4:] if title.startswith("The ") else None,
        summary=summary,
        added_at=added,
        updated_at=added + 30 * DAY,
        item_keys=item_keys,
        sort=sort,
        mode=mode,
        content_rating=content_rating,
        art=art,
        custom_thumb=custom_thumb,
        smart=smart,
        content=content,
    )


def playlists(
    dice: Dice, now: int, owner: User, viewer: User, shelves: dict[tuple[str, str], Shelf]
) -> list[Playlist]:
    movies, episodes = shelves["1", "movie"], shelves["2", "episode"]
    tracks, photos = shelves["5", "track"], shelves["6", "photo"]
    mixed = (*_some(movies, 0, 5), *_some(episodes, 3, 4))
    plans = [
        (owner, "Rainy Sunday", "video", mixed, None),
        (owner, "Train Ride & Tea", "audio", _some(tracks, 0, 130), None),
        (owner, "Slideshow", "photo", _some(photos, 0, 12), None),
        (owner, "Not Yet Seen", "video", (), "/library/sections/1/all?type=1&unwatched=1"),
        (owner, "Nothing Here", "audio", (), None),
        (viewer, "Meine Liste", "video", _some(movies, 2, 3), None),
    ]
    return [
        Playlist(
            rating_key=str(FIRST_PLAYLIST_KEY + number),
            guid=f"com.plexapp.agents.none://{dice.uuid(number, 5)}",
            user_id=user.id,
            title=title,
            playlist_type=kind,
            added_at=now - (90 + number) * DAY,
            updated_at=now - (9 + number) * DAY,
            smart=content is not None,
            content=content,
            entries=tuple(Entry(number * 1_000 + place + 1, key) for place, key in enumerate(keys)),
            view_count=number % 2,
            last_viewed_at=now - 5 * DAY if number % 2 else None,
        )
        for number, (user, title, kind, keys, content) in enumerate(plans)
    ]


def _some(shelf: Shelf, first: int, count: int) -> tuple[str, ...]:
    return tuple(shelf.key(index) for index in range(len(shelf))[first : first + count])
