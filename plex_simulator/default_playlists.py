"""The playlists that a new catalogue starts with."""

from plex_simulator.generation.metadata import DAY
from plex_simulator.models import Account, Playlist, PlaylistEntry
from plex_simulator.seeded_random import SeededRandom
from plex_simulator.tables.item_table import ItemTable

FIRST_PLAYLIST_KEY = 12_001_000


def make_playlists(
    rng: SeededRandom,
    now: int,
    owner: Account,
    viewer: Account,
    tables: dict[tuple[str, str], ItemTable],
) -> list[Playlist]:
    """Make four playlists of the owner and one of the viewer; an empty one is an edge case."""
    movies, episodes = tables["1", "movie"], tables["2", "episode"]
    tracks, photos = tables["5", "track"], tables["6", "photo"]
    mixed = (*_slice_keys(movies, 0, 5), *_slice_keys(episodes, 3, 4))
    definitions = [
        (owner, "Rainy Sunday", "video", mixed, None),
        (owner, "Train Ride & Tea", "audio", _slice_keys(tracks, 0, 130), None),
        (owner, "Slideshow", "photo", _slice_keys(photos, 0, 12), None),
        (owner, "Not Yet Seen", "video", (), "/library/sections/1/all?type=1&unwatched=1"),
        *([(owner, "Nothing Here", "audio", (), None)] if movies.edge_cases else []),
        (viewer, "Meine Liste", "video", _slice_keys(movies, 2, 3), None),
    ]
    return [
        Playlist(
            rating_key=str(FIRST_PLAYLIST_KEY + number),
            guid=f"com.plexapp.agents.none://{rng.uuid(number, 5)}",
            user_id=user.id,
            title=title,
            playlist_type=playlist_type,
            added_at=now - (90 + number) * DAY,
            updated_at=now - (9 + number) * DAY,
            smart=content is not None,
            content=content,
            entries=tuple(
                PlaylistEntry(number * 1_000 + position, key)
                for position, key in enumerate(keys, start=1)
            ),
            view_count=number % 2,
            last_viewed_at=now - 5 * DAY if number % 2 else None,
        )
        for number, (user, title, playlist_type, keys, content) in enumerate(definitions)
    ]


def _slice_keys(table: ItemTable, start: int, count: int) -> tuple[str, ...]:
    return tuple(table.key(index) for index in range(len(table))[start : start + count])
