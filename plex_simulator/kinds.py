"""What movies, shows, music, photos and home videos are like, one shelf class per type."""

from typing import Any

from plex_simulator import invention, words
from plex_simulator.invention import COUNTRIES, DAY, GENRES, LABELS, MUSIC_GENRES
from plex_simulator.records import Item, Media, Part, Role, Tag
from plex_simulator.shelves import Branches, Shelf

# What a throw of the dice is for. Titles, summaries and dates take the next few numbers as well.
TITLE, SUMMARY, ADDED, UPDATED, RELEASED = 0, 10, 20, 25, 30
YEAR, RATING, AUDIENCE, DURATION, VERSION = 40, 42, 46, 50, 55
GENRE, DIRECTOR, WRITER, PRODUCER, ACTOR, COUNTRY = 110, 120, 130, 140, 150, 160
STUDIO, CONTENT_RATING, GUID, EXTERNAL, SHAPE = 170, 171, 172, 180, 190


class Titled(Shelf):
    """What all kinds share: a title, dates, pictures."""

    def __init__(self, *args: Any, made: int = 0) -> None:
        super().__init__(*args)
        self._made = made
        self.quick |= {
            "title": self.title,
            "titleSort": self.title_key,
            "addedAt": self.added_at,
            "id": lambda index: int(self.key(index)),
        }

    def made(self) -> int:
        return self._made

    def title(self, index: int) -> str:
        return invention.title(self.dice, index, TITLE)

    def name(self, index: int) -> str:
        """Tell the title as it is now, which may have been edited."""
        return self._edits[index].title if index in self._edits else self.title(index)

    def title_key(self, index: int) -> str:
        title = self.title(index)
        return (invention.title_sort(title) or title).casefold()

    def added_at(self, index: int) -> int:
        return invention.added_at(self.dice, index, ADDED, self.now)

    def updated_at(self, index: int) -> int | None:
        added = self.added_at(index)
        return invention.updated_at(self.dice, index, UPDATED, added, self.now)

    def picture(self, index: int, kind: str) -> str:
        stamp = self.updated_at(index) or self.added_at(index)
        return f"/library/metadata/{self.key(index)}/{kind}/{stamp}"

    def summary(self, index: int) -> str:
        return invention.summary(self.dice, index, SUMMARY)

    def plex_guid(self, index: int) -> str:
        return f"plex://{self.type}/{self.dice.hexadecimal(index, GUID, 24)}"

    def genres(self, index: int) -> tuple[Tag, ...]:
        count = 0 if index % 43 == 21 else 1 + self.dice(index, GENRE + 2, 5)
        drawn = invention.distinct(self.dice, index, GENRE, count, len(GENRES))
        return tuple(GENRES[number] for number in drawn)

    def genre_ids(self, index: int) -> tuple[int, ...]:
        return tuple(genre.id for genre in self.genres(index))

    def start(self, index: int) -> dict[str, Any]:
        """Fill in what every kind of item has."""
        title = self.title(index)
        return {
            "rating_key": self.key(index),
            "library_key": self.library_key,
            "type": self.type,
            "title": title,
            "title_sort": invention.title_sort(title),
            "added_at": self.added_at(index),
            "updated_at": self.updated_at(index),
        }


class Movies(Titled):
    """Films; `legacy` ones were all matched by the agents of old."""

    type = "movie"

    def __init__(self, *args: Any, made: int, legacy: bool = False) -> None:
        super().__init__(*args, made=made)
        self.legacy = legacy
        self.quick |= {
            "year": self.year,
            "rating": self.rating,
            "audienceRating": self.audience_rating,
            "duration": self.duration,
            "contentRating": self.content_rating,
            "genre": self.genre_ids,
            "originallyAvailableAt": self.released,
            "actor": lambda index: tuple(
                number + invention.FIRST_PERSON_ID["actor"] for number in self.actors(index)
            ),
        }

    def year(self, index: int) -> int | None:
        return None if index % 41 == 17 else self.this_year - self.dice(index, YEAR, 100)

    def released(self, index: int) -> str | None:
        return invention.released(self.dice, index, RELEASED, self.year(index))

    def rating(self, index: int) -> float | None:
        return invention.score(self.dice, index, RATING, missing=8)

    def audience_rating(self, index: int) -> float | None:
        return invention.score(self.dice, index, AUDIENCE, missing=4)

    def duration(self, index: int) -> int | None:
        if index % 59 == 40:
            return None
        return 4_200_000 + self.dice(index, DURATION, 6_600_000)

    def content_rating(self, index: int) -> str | None:
        if index % 71 == 30:
            return None
        ratings = words.CONTENT_RATINGS
        return ratings[self.dice(index, CONTENT_RATING, len(ratings))]

    def actors(self, index: int) -> tuple[int, ...]:
        count = 200 if index % 97 == 50 else 0 if index % 67 == 33 else 4
        if count == 4:
            count += self.dice(index, ACTOR + 2, 16)
        return invention.distinct(self.dice, index, ACTOR, count, invention.PEOPLE)

    def crew(self, index: int, kind: str, purpose: int, most: int) -> tuple[Any, ...]:
        count = self.dice(index, purpose + 2, most + 1)
        drawn = invention.distinct(self.dice, index, purpose, count, 600)
        return tuple(invention.person(kind, number) for number in drawn)

    def guid(self, index: int) -> str:
        if index % 61 == 44:
            return f"local://{self.key(index)}"
        if self.legacy or index % 17 == 9:
            number = 1_000_000 + self.dice(index, EXTERNAL, 9_000_000)
            return f"com.plexapp.agents.imdb://tt{number}?lang=en"
        return self.plex_guid(index)

    def make(self, index: int) -> Item:
        guid, duration, rating = self.guid(index), self.duration(index), self.rating(index)
        audience, year, title = self.audience_rating(index), self.year(index), self.title(index)
        matched = not guid.startswith("local://")
        throw = self.dice(index, SHAPE, 100)
        plain = "".join(c for c in title if c.isalnum() or c in " -")[:80].strip() or "Untitled"
        path = f"/data/movies/{plain} ({year})/{plain} ({year})"
        countries = invention.distinct(self.dice, index, COUNTRY, 1 + throw % 3, len(COUNTRIES))
        chosen = invention.versions(self.dice, index, VERSION)
        external = self.dice(index, EXTERNAL, 9_000_000) + 1_000_000
        return Item(
            **self.start(index),
            guid=guid,
            original_title=self.title(index + 500_000) if throw < 9 else None,
            summary=self.summary(index),
            tagline=f"Every {title.split()[-1].lower()} has a beginning." if throw < 70 else None,
            studio=None if throw == 50 else words.STUDIOS[throw % len(words.STUDIOS)],
            content_rating=self.content_rating(index),
            rating=rating,
            rating_image=None if rating is None else "rottentomatoes://image.rating.ripe",
            audience_rating=audience,
            audience_rating_image=None if audience is None else "themoviedb://image.rating",
            year=year,
            duration=duration,
            originally_available_at=self.released(index),
            edition_title="Director's Cut" if index % 37 == 12 else None,
            thumb=self.picture(index, "thumb") if matched else None,
            art=self.picture(index, "art") if matched and throw < 90 else None,
            genres=self.genres(index),
            countries=tuple(COUNTRIES[number] for number in countries),
            directors=self.crew(index, "director", DIRECTOR, 3),
            writers=self.crew(index, "writer", WRITER, 4),
            producers=self.crew(index, "producer", PRODUCER, 3),
            roles=tuple(
                invention.role(self.dice, index, place, number)
                for place, number in enumerate(self.actors(index))
            ),
            labels=(LABELS[throw % 2],) if throw < 6 else (),
            guids=(f"imdb://tt{external}", f"tmdb://{external // 7}", f"tvdb://{external // 11}")
            if guid.startswith("plex://")
            else (),
            ratings=invention.scores(rating, audience),
            media=invention.video(
                self.dice, index, int(self.key(index)), chosen, duration, path
            ),
            chapters=invention.chapters(int(self.key(index)), duration) if throw < 60 else (),
        )  # fmt: skip


class Videos(Titled):
    """Other videos: films without agent, hardly described."""

    type = "movie"

    def duration(self, index: int) -> int | None:
        return 20_000 + self.dice(index, DURATION, 900_000)

    def make(self, index: int) -> Item:
        key = int(self.key(index))
        return Item(
            **self.start(index),
            subtype="clip",
            guid=f"com.plexapp.agents.none://{self.dice.hexadecimal(index, GUID, 40)}?lang=xn",
            year=2010 + self.dice(index, YEAR, 16) if index % 2 else None,
            duration=self.duration(index),
            media=invention.video(
                self.dice, index, key, (3,), self.duration(index), f"/data/home/clip{index:04}"
            ),
        )


class Shows(Movies):
    """Series. New agents give them an audience rating only."""

    type = "show"

    def __init__(self, *args: Any, made: int, seasons: int) -> None:
        super().__init__(*args, made=made)
        self.most_seasons = max(seasons, 1)
        self.branches = Branches(self.made, self._seasons)

    def has_specials(self, index: int) -> bool:
        return index % 3 == 0

    def _seasons(self, index: int) -> int:
        return 1 + self.dice(index, SHAPE + 1, self.most_seasons) + self.has_specials(index)

    def rating(self, index: int) -> float | None:
        return super().rating(index) if index % 20 == 19 else None

    def content_rating(self, index: int) -> str | None:
        return words.TV_RATINGS[self.dice(index, CONTENT_RATING, len(words.TV_RATINGS))]

    def duration(self, index: int) -> int | None:
        return (22, 30, 45, 60)[self.dice(index, DURATION, 4)] * 60_000

    def guid(self, index: int) -> str:
        if index % 20 == 19:
            return f"com.plexapp.agents.thetvdb://{self.dice(index, EXTERNAL, 400_000)}?lang=en"
        return self.plex_guid(index)

    def make(self, index: int) -> Item:
        guid, throw = self.guid(index), self.dice(index, SHAPE, 100)
        rating, audience = self.rating(index), self.audience_rating(index)
        external = self.dice(index, EXTERNAL, 400_000) + 70_000
        seasons = self.children(index)
        below = self.below()
        numbers = [below.bare(place).index for place in seasons]
        return Item(
            **self.start(index),
            guid=guid,
            summary=self.summary(index),
            tagline="Some doors open twice." if throw < 60 else None,
            studio=words.STUDIOS[throw % len(words.STUDIOS)] if throw < 90 else None,
            network=words.NETWORKS[throw % len(words.NETWORKS)],
            content_rating=self.content_rating(index),
            rating=rating,
            audience_rating=audience,
            audience_rating_image=None if audience is None else "themoviedb://image.rating",
            year=self.year(index),
            duration=self.duration(index),
            originally_available_at=self.released(index),
            thumb=self.picture(index, "thumb"),
            art=self.picture(index, "art") if throw < 92 else None,
            theme=self.picture(index, "theme") if throw < 75 else None,
            banner=self.picture(index, "banner") if index % 20 == 19 else None,
            index=1,
            leaf_count=sum(len(below.children(place)) for place in seasons),
            child_count=len(seasons),
            season_count=len(seasons) - 1 if 0 in numbers else None,
            genres=self.genres(index),
            countries=(COUNTRIES[throw % len(COUNTRIES)],),
            directors=self.crew(index, "director", DIRECTOR, 2),
            roles=tuple(
                invention.role(self.dice, index, place, number)
                for place, number in enumerate(self.actors(index))
            ),
            guids=(f"imdb://tt{external}", f"tmdb://{external // 3}", f"tvdb://{external}")
            if guid.startswith("plex://")
            else (),
            ratings=invention.scores(rating, audience),
        )


class Seasons(Titled):
    type = "season"

    def __init__(self, *args: Any, shows: Shows, episodes: int) -> None:
        super().__init__(*args)
        self.parent = self.shows = shows
        shows.child = self
        self.most_episodes = max(episodes, 1)
        self.branches = Branches(self.made, self._episodes)

    def made(self) -> int:
        return len(self.shows.branches)

    def _episodes(self, index: int) -> int:
        return 1 + self.dice(index, SHAPE + 1, self.most_episodes)

    def position(self, index: int) -> tuple[int, int, int]:
        """Place a season: its show, which of the show's seasons it is, and out of how many."""
        show = self.shows.branches.parent(index)
        siblings = self.shows.branches.of(show)
        return show, index - siblings.start, len(siblings)

    def season_number(self, index: int) -> int:
        show, place, _ = self.position(index)
        return place if self.shows.has_specials(show) else place + 1

    def title(self, index: int) -> str:
        number = self.season_number(index)
        return f"Season {number}" if number else "Specials"

    def added_at(self, index: int) -> int:
        show, place, count = self.position(index)
        first = self.shows.added_at(show)
        if show % 10 == 3 and place == count - 1:  # a whole season, dumped two days ago
            return self.now - 2 * DAY - show * 60
        return first + (self.now - DAY - first) * place // (count + 1)

    def make(self, index: int) -> Item:
        show_index, _, _ = self.position(index)
        number = self.season_number(index)
        show_guid = self.shows.guid(show_index)
        legacy = show_guid.startswith("com.plexapp")
        return Item(
            **self.start(index),
            guid=show_guid.replace("?", f"/{number}?") if legacy else self.plex_guid(index),
            thumb=self.picture(index, "thumb"),
            art=self.shows.picture(show_index, "art"),
            index=number,
            parent_index=1,
            parent_rating_key=self.shows.key(show_index),
            parent_guid=show_guid,
            parent_title=self.shows.name(show_index),
            parent_year=self.shows.year(show_index),
            parent_thumb=self.shows.picture(show_index, "thumb"),
            leaf_count=len(self.children(index)),
        )


class Episodes(Titled):
    type = "episode"

    def __init__(self, *args: Any, seasons: Seasons) -> None:
        super().__init__(*args)
        self.parent = self.seasons = seasons
        seasons.child = self
        self.quick |= {
            "year": self.year,
            "rating": lambda _: None,
            "duration": self.duration,
            "index": self.episode_number,
            "originallyAvailableAt": self.released,
        }

    def made(self) -> int:
        return len(self.seasons.branches)

    def place(self, index: int) -> tuple[int, int, int]:
        """Place an episode: its season, its position in there, and out of how many."""
        season = self.seasons.branches.parent(index)
        siblings = self.seasons.branches.of(season)
        return season, index - siblings.start, len(siblings)

    def episode_number(self, index: int) -> int:
        return self.place(index)[1] + 1

    def added_at(self, index: int) -> int:
        season, place, count = self.place(index)
        show, season_place, seasons = self.seasons.position(season)
        start = self.seasons.added_at(season)
        last_season = season_place == seasons - 1
        if show % 10 == 6 and last_season and place == count - 1:  # one new episode, yesterday
            return self.now - DAY - show * 60
        weekly = season % 2 == 0 and start + count * 7 * DAY < self.now - 31 * DAY
        return start + place * (7 * DAY if weekly else 5)

    def show_of(self, index: int) -> int:
        return self.seasons.position(self.place(index)[0])[0]

    def year(self, index: int) -> int | None:
        return self.seasons.shows.year(self.show_of(index))

    def released(self, index: int) -> str | None:
        return invention.released(self.dice, index, RELEASED, self.year(index))

    def duration(self, index: int) -> int | None:
        typical = self.seasons.shows.duration(self.show_of(index)) or 0
        return typical + self.dice(index, DURATION, 240_000) - 120_000

    def make(self, index: int) -> Item:
        season, place, _ = self.place(index)
        show = self.seasons.position(season)[0]
        shows, seasons = self.seasons.shows, self.seasons
        number, key = seasons.season_number(season), int(self.key(index))
        show_guid, duration = shows.guid(show), self.duration(index)
        legacy = show_guid.startswith("com.plexapp")
        audience = invention.score(self.dice, index, AUDIENCE, missing=15)
        season_guid = seasons.bare(season).guid
        path = f"/data/tv/show{show:05}/Season {number:02}/S{number:02}E{place + 1:02}"
        return Item(
            **self.start(index),
            guid=season_guid.replace("?", f"/{place + 1}?") if legacy else self.plex_guid(index),
            summary=self.summary(index),
            content_rating=shows.content_rating(show),
            audience_rating=audience,
            audience_rating_image=None if audience is None else "thetvdb://image.rating",
            year=self.year(index),
            duration=duration,
            originally_available_at=self.released(index),
            thumb=self.picture(index, "thumb"),
            art=shows.picture(show, "art"),
            index=place + 1,
            parent_index=number,
            parent_rating_key=seasons.key(season),
            parent_guid=season_guid,
            parent_title=seasons.name(season),
            parent_thumb=seasons.picture(season, "thumb"),
            grandparent_rating_key=shows.key(show),
            grandparent_guid=show_guid,
            grandparent_title=shows.name(show),
            grandparent_thumb=shows.picture(show, "thumb"),
            grandparent_art=shows.picture(show, "art"),
            directors=(invention.person("director", index % 600),) if index % 3 else (),
            writers=(invention.person("writer", index % 600),) if index % 4 else (),
            roles=tuple(
                Role(invention.person("actor", number), None)
                for number in shows.actors(show)[:4]
            ),
            guids=() if legacy else (f"tvdb://{1_000_000 + index}",),
            ratings=invention.scores(None, audience),
            media=invention.video(
                self.dice, index, key, (index % 8,), duration, path
            ),
        )  # fmt: skip


class Artists(Titled):
    type = "artist"

    def __init__(self, *args: Any, made: int, albums: int) -> None:
        super().__init__(*args, made=made)
        self.most_albums = max(albums, 1)
        self.branches = Branches(self.made, lambda i: 1 + self.dice(i, SHAPE, self.most_albums))

    def title(self, index: int) -> str:
        if index % 13 == 5 or index % 4 == 0:
            return invention.title(self.dice, index, TITLE)
        first = words.FIRST_NAMES[self.dice(index, TITLE + 1, len(words.FIRST_NAMES))]
        last = words.LAST_NAMES[self.dice(index, TITLE + 2, len(words.LAST_NAMES))]
        return f"The {last} Trio" if index % 4 == 1 else f"{first} {last}"

    def genres(self, index: int) -> tuple[Tag, ...]:
        count = 1 + self.dice(index, GENRE + 2, 4)
        drawn = invention.distinct(self.dice, index, GENRE, count, len(MUSIC_GENRES))
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
        rating = invention.score(self.dice, index, RATING, missing=40)
        return Item(
            **self.start(index),
            guid=self.plex_guid(index),
            summary=self.summary(index) if index % 3 else "",
            studio=words.STUDIOS[index % len(words.STUDIOS)],
            rating=rating,
            year=year,
            originally_available_at=invention.released(self.dice, index, RELEASED, year),
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


class PhotoAlbums(Titled):
    type = "photoalbum"

    def __init__(self, *args: Any, made: int, photos: int) -> None:
        super().__init__(*args, made=made)
        self.most_photos = max(photos, 1)
        self.branches = Branches(self.made, lambda i: 1 + self.dice(i, SHAPE, self.most_photos))

    def make(self, index: int) -> Item:
        return Item(
            **self.start(index),
            guid=f"local://{self.key(index)}",
            thumb=self.picture(index, "thumb"),
            art=self.picture(index, "art"),
            index=1,
            leaf_count=len(self.children(index)),
        )


class Photos(Titled):
    type = "photo"

    def __init__(self, *args: Any, albums: PhotoAlbums) -> None:
        super().__init__(*args)
        self.parent = self.albums = albums
        albums.child = self

    def made(self) -> int:
        return len(self.albums.branches)

    def title(self, index: int) -> str:
        return f"IMG_{1000 + index}"

    def make(self, index: int) -> Item:
        place = self.albums.branches.parent(index)
        key = int(self.key(index))
        wide = index % 3 > 0
        year = 2012 + self.dice(index, YEAR, 14)
        part = Part(
            id=key * 16,
            key=f"/library/parts/{key * 16}/1600000000/file.jpg",
            file=f"/data/photos/album{place:04}/{self.title(index)}.jpg",
            size=300_000 + self.dice(index, 61, 5_000_000),
            duration=None,
            container="jpeg",
            video_profile=None,
            streams=(),
        )
        media = Media(
            id=key * 4,
            parts=(part,),
            width=4032 if wide else 3024,
            height=3024 if wide else 4032,
            aspect_ratio=1.33 if wide else 0.75,
            container="jpeg",
        )
        return Item(
            **self.start(index),
            guid=f"local://{key}",
            year=year,
            originally_available_at=invention.released(self.dice, index, RELEASED, year),
            thumb=self.picture(index, "thumb"),
            index=1,
            parent_rating_key=self.albums.key(place),
            parent_guid=f"local://{self.albums.key(place)}",
            parent_title=self.albums.name(place),
            parent_thumb=self.albums.picture(place, "thumb"),
            media=(media,),
        )
