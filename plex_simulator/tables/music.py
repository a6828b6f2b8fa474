"""Artists, their albums and tracks."""

from typing import Any

from plex_simulator.generation import metadata, vocabulary
from plex_simulator.generation.metadata import COUNTRIES, MUSIC_GENRES
from plex_simulator.models import Item, Media, Part, Tag
from plex_simulator.tables.generated import (
    DURATION,
    EXTERNAL,
    GENRE,
    RATING,
    RELEASED,
    SHAPE,
    TITLE,
    YEAR,
    Titled,
)
from plex_simulator.tables.item_table import Branches


class Artists(Titled):
    type = "artist"

    def __init__(self, *args: Any, made: int, albums: int) -> None:
        super().__init__(*args, made=made)
        self.most_albums = max(albums, 1)
        self.branches = Branches(self.made, lambda i: 1 + self.dice(i, SHAPE, self.most_albums))

    def title(self, index: int) -> str:
        if index % 13 == 5 or index % 4 == 0:
            return metadata.title(self.dice, index, TITLE)
        first = self.dice.choice(index, TITLE + 1, vocabulary.FIRST_NAMES)
        last = self.dice.choice(index, TITLE + 2, vocabulary.LAST_NAMES)
        return f"The {last} Trio" if index % 4 == 1 else f"{first} {last}"

    def genres(self, index: int) -> tuple[Tag, ...]:
        count = 1 + self.dice(index, GENRE + 2, 4)
        drawn = metadata.distinct(self.dice, index, GENRE, count, len(MUSIC_GENRES))
        return tuple(MUSIC_GENRES[number] for number in drawn)

    def make(self, index: int) -> Item:
        mbid = self.dice.uuid(index, EXTERNAL)
        return Item(
            **self.start(index),
            guid=self.plex_guid(index),
            summary=self.summary(index),
            thumb=self.picture(index, "thumb") if index % 7 else None,
            art=self.picture(index, "art") if index % 5 else None,
            index=1,
            child_count=len(self.children(index)),
            genres=self.genres(index),
            countries=(COUNTRIES[index % len(COUNTRIES)],),
            guids=(f"mbid://{mbid}",),
        )


class Albums(Titled):
    type = "album"

    def __init__(self, *args: Any, artists: Artists, tracks: int) -> None:
        super().__init__(*args)
        self.parent = self.artists = artists
        artists.child = self
        self.most_tracks = max(tracks, 1)
        self.branches = Branches(self.made, lambda i: 1 + self.dice(i, SHAPE, self.most_tracks))

    def made(self) -> int:
        return len(self.artists.branches)

    def make(self, index: int) -> Item:
        artist = self.artists.branches.parent(index)
        year = None if index % 19 == 18 else 1960 + self.dice(index, YEAR, 66)
        rating = metadata.score(self.dice, index, RATING, missing=40)
        return Item(
            **self.start(index),
            guid=self.plex_guid(index),
            summary=self.summary(index) if index % 3 else "",
            studio=vocabulary.STUDIOS[index % len(vocabulary.STUDIOS)],
            rating=rating,
            year=year,
            originally_available_at=metadata.released(self.dice, index, RELEASED, year),
            thumb=self.picture(index, "thumb") if index % 9 else None,
            art=self.artists.bare(artist).art,
            index=1,
            parent_rating_key=self.artists.key(artist),
            parent_guid=self.artists.plex_guid(artist),
            parent_title=self.artists.name(artist),
            parent_thumb=self.artists.bare(artist).thumb,
            leaf_count=len(self.children(index)),
            genres=self.artists.genres(artist)[:3],
            guids=(f"mbid://{self.dice.uuid(index, EXTERNAL)}",),
        )


class Tracks(Titled):
    type = "track"

    def __init__(self, *args: Any, albums: Albums) -> None:
        super().__init__(*args)
        self.parent = self.albums = albums
        albums.child = self
        self.quick |= {"duration": self.duration}

    def made(self) -> int:
        return len(self.albums.branches)

    def duration(self, index: int) -> int | None:
        return 90_000 + self.dice(index, DURATION, 300_000)

    def make(self, index: int) -> Item:
        place = self.albums.branches.parent(index)
        album, number = self.albums.bare(place), index - self.albums.branches.of(place).start + 1
        artist = self.albums.artists.bare(self.albums.parent_index(place))
        key, duration = int(self.key(index)), self.duration(index)
        part = Part(
            id=key * 16,
            key=f"/library/parts/{key * 16}/1600000000/file.flac",
            file=f"/data/music/artist{artist.rating_key}/album{album.rating_key}/{number:02}.flac",
            size=(duration or 0) * 90,
            duration=duration,
            container="flac",
            video_profile=None,
            streams=(),
        )
        media = Media(
            id=key * 4,
            parts=(part,),
            duration=duration,
            bitrate=720 + index % 300,
            audio_channels=2,
            audio_codec="flac",
            container="flac",
        )
        return Item(
            **self.start(index),
            guid=self.plex_guid(index),
            original_title="Ensemble & Guests" if index % 23 == 4 else None,
            duration=duration,
            thumb=album.thumb,
            art=artist.art,
            index=number,
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
            guids=(f"mbid://{self.dice.uuid(index, EXTERNAL)}",),
            media=(media,),
        )
