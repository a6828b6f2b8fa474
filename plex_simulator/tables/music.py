"""Artists, albums and tracks."""

from typing import Any

from plex_simulator.generation import metadata, vocabulary
from plex_simulator.generation.metadata import COUNTRIES, MUSIC_GENRES
from plex_simulator.models import Item, Media, Part, Stream, Tag
from plex_simulator.tables.generated import (
    DURATION,
    EXTERNAL_ID,
    GENRE,
    RATING,
    SUMMARY,
    TITLE,
    VARIANT,
    YEAR,
    GeneratedTable,
)
from plex_simulator.tables.item_table import ChildRanges


class MusicTable(GeneratedTable):
    """A table of items that MusicBrainz knows."""

    def guids(self, index: int) -> tuple[str, ...]:
        return (f"mbid://{self.rng.uuid(index, EXTERNAL_ID)}",)


class ArtistTable(MusicTable):
    type = "artist"

    def __init__(self, *args: Any, count: int, albums: int) -> None:
        super().__init__(*args, count=count)
        self.max_albums = max(albums, 1)
        self.child_ranges = ChildRanges(
            self.generated_count, lambda i: 1 + self.rng.below(i, VARIANT, self.max_albums)
        )
        self.fast_tags |= {"genre": self.genres, "country": self.countries}

    def plain_title(self, index: int) -> str:
        if index % 4 == 0:
            return metadata.make_title(self.rng, index, TITLE)
        first = self.rng.choice(index, TITLE + 1, vocabulary.FIRST_NAMES)
        last = self.rng.choice(index, TITLE + 2, vocabulary.LAST_NAMES)
        return f"The {last} Trio" if index % 4 == 1 else f"{first} {last}"

    def plain_summary(self, index: int) -> str:
        return metadata.make_text(self.rng, index, SUMMARY, vocabulary.ARTIST_SENTENCES)

    def genres(self, index: int) -> tuple[Tag, ...]:
        count = 1 + self.rng.below(index, GENRE + 2, 4)
        numbers = metadata.pick_distinct(self.rng, index, GENRE, count, len(MUSIC_GENRES))
        return tuple(MUSIC_GENRES[number] for number in numbers)

    def countries(self, index: int) -> tuple[Tag, ...]:
        return (COUNTRIES[index % len(COUNTRIES)],)

    def folder(self, index: int) -> str:
        return f"/data/music/artist{self.key(index)}"

    def generate(self, index: int) -> Item:
        return Item(
            **self.common_fields(index),
            thumb=self.picture(index, "thumb") if index % 7 else None,
            art=self.picture(index, "art") if index % 5 else None,
            child_count=len(self.children(index)),
            genres=self.genres(index),
            countries=self.countries(index),
            folders=(self.folder(index),),
        )


class AlbumTable(MusicTable):
    type = "album"

    def __init__(self, *args: Any, artists: ArtistTable, tracks: int) -> None:
        super().__init__(*args)
        self.artists = artists
        self.link_parent(artists)
        self.max_tracks = max(tracks, 1)
        self.child_ranges = ChildRanges(
            self.generated_count, lambda i: 1 + self.rng.below(i, VARIANT, self.max_tracks)
        )
        self.fast_fields |= {"rating": self.rating, "studio": self.studio}
        self.fast_tags |= {"genre": self.genres}

    def generated_count(self) -> int:
        return len(self.artists.child_ranges)

    def year(self, index: int) -> int | None:
        return None if index % 19 == 18 else 1960 + self.rng.below(index, YEAR, 66)

    def summary(self, index: int) -> str:
        return super().summary(index) if index % 3 else ""

    def plain_summary(self, index: int) -> str:
        return metadata.make_text(self.rng, index, SUMMARY, vocabulary.ALBUM_SENTENCES)

    def rating(self, index: int) -> float | None:
        return metadata.make_rating(self.rng, index, RATING, missing_percent=40)

    def studio(self, index: int) -> str:
        return vocabulary.STUDIOS[index % len(vocabulary.STUDIOS)]

    def genres(self, index: int) -> tuple[Tag, ...]:
        return self.artists.genres(self.artists.child_ranges.parent(index))[:3]

    def generate(self, index: int) -> Item:
        artist = self.artists.child_ranges.parent(index)
        return Item(
            **self.common_fields(index),
            studio=self.studio(index),
            rating=self.rating(index),
            thumb=self.picture(index, "thumb") if index % 9 else None,
            art=self.artists.base_item(artist).art,
            parent_rating_key=self.artists.key(artist),
            parent_guid=self.artists.plex_guid(artist),
            parent_title=self.artists.current_title(artist),
            parent_thumb=self.artists.base_item(artist).thumb,
            leaf_count=len(self.children(index)),
            genres=self.genres(index),
        )


class TrackTable(MusicTable):
    type = "track"

    def __init__(self, *args: Any, albums: AlbumTable) -> None:
        super().__init__(*args)
        self.albums = albums
        self.link_parent(albums)
        self.fast_fields |= {"mediaBitrate": self.bitrate}

    def generated_count(self) -> int:
        return len(self.albums.child_ranges)

    def duration(self, index: int) -> int | None:
        return 90_000 + self.rng.below(index, DURATION, 300_000)

    def storage(self, index: int) -> tuple[int, int]:
        duration = self.duration(index) or 0
        return duration * 90, duration

    def bitrate(self, index: int) -> int:
        return 720 + index % 300

    def summary(self, index: int) -> str:
        return ""

    def position(self, index: int) -> int | None:
        album = self.albums.child_ranges.parent(index)
        return index - self.albums.child_ranges.of(album).start + 1

    def generate(self, index: int) -> Item:
        album_index = self.albums.child_ranges.parent(index)
        album = self.albums.base_item(album_index)
        artist = self.albums.artists.base_item(self.albums.parent_index(album_index))
        number = self.position(index)
        key, duration = int(self.key(index)), self.duration(index)
        bitrate = self.bitrate(index)
        stream = Stream(
            key * 128, 2, "flac", 0, "FLAC (Stereo)", selected=True, bitrate=bitrate, channels=2
        )
        part = Part(
            id=key * 16,
            key=f"/library/parts/{key * 16}/1600000000/file.flac",
            file=f"{artist.folders[0]}/album{album.rating_key}/{number:02}.flac",
            size=(duration or 0) * 90,
            duration=duration,
            container="flac",
            video_profile=None,
            streams=(stream,),
        )
        media = Media(
            id=key * 4,
            parts=(part,),
            duration=duration,
            bitrate=bitrate,
            audio_channels=2,
            audio_codec="flac",
            container="flac",
        )
        return Item(
            **self.common_fields(index),
            original_title="Ensemble & Guests" if index % 23 == 4 else None,
            duration=duration,
            thumb=album.thumb,
            art=artist.art,
            parent_index=1,
            parent_rating_key=album.rating_key,
            parent_guid=album.guid,
            parent_title=album.title,
            parent_thumb=album.thumb,
            grandparent_rating_key=artist.rating_key,
            grandparent_guid=artist.guid,
            grandparent_title=artist.title,
            grandparent_thumb=artist.thumb,
            grandparent_art=artist.art,
            media=(media,),
        )
