"""Films, and home videos that are hardly described."""

from typing import Any

from plex_simulator.generation import metadata, vocabulary
from plex_simulator.generation.metadata import COUNTRIES, LABELS
from plex_simulator.models import Item
from plex_simulator.tables.generated import (
    ACTOR,
    AUDIENCE,
    CONTENT_RATING,
    COUNTRY,
    DIRECTOR,
    DURATION,
    EXTERNAL,
    GUID,
    PRODUCER,
    RATING,
    RELEASED,
    SHAPE,
    VERSION,
    WRITER,
    YEAR,
    Titled,
)


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
                number + metadata.FIRST_PERSON_ID["actor"] for number in self.actors(index)
            ),
        }

    def year(self, index: int) -> int | None:
        return None if index % 41 == 17 else self.this_year - self.dice(index, YEAR, 100)

    def released(self, index: int) -> str | None:
        return metadata.released(self.dice, index, RELEASED, self.year(index))

    def rating(self, index: int) -> float | None:
        return metadata.score(self.dice, index, RATING, missing=8)

    def audience_rating(self, index: int) -> float | None:
        return metadata.score(self.dice, index, AUDIENCE, missing=4)

    def duration(self, index: int) -> int | None:
        if index % 59 == 40:
            return None
        return 4_200_000 + self.dice(index, DURATION, 6_600_000)

    def content_rating(self, index: int) -> str | None:
        if index % 71 == 30:
            return None
        ratings = vocabulary.CONTENT_RATINGS
        return ratings[self.dice(index, CONTENT_RATING, len(ratings))]

    def actors(self, index: int) -> tuple[int, ...]:
        count = 200 if index % 97 == 50 else 0 if index % 67 == 33 else 4
        if count == 4:
            count += self.dice(index, ACTOR + 2, 16)
        return metadata.distinct(self.dice, index, ACTOR, count, metadata.PEOPLE)

    def crew(self, index: int, kind: str, purpose: int, most: int) -> tuple[Any, ...]:
        count = self.dice(index, purpose + 2, most + 1)
        drawn = metadata.distinct(self.dice, index, purpose, count, 600)
        return tuple(metadata.person(kind, number) for number in drawn)

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
        countries = metadata.distinct(self.dice, index, COUNTRY, 1 + throw % 3, len(COUNTRIES))
        chosen = metadata.versions(self.dice, index, VERSION)
        external = self.dice(index, EXTERNAL, 9_000_000) + 1_000_000
        return Item(
            **self.start(index),
            guid=guid,
            original_title=self.title(index + 500_000) if throw < 9 else None,
            summary=self.summary(index),
            tagline=f"Every {title.split()[-1].lower()} has a beginning." if throw < 70 else None,
            studio=None if throw == 50 else vocabulary.STUDIOS[throw % len(vocabulary.STUDIOS)],
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
                metadata.role(self.dice, index, place, number)
                for place, number in enumerate(self.actors(index))
            ),
            labels=(LABELS[throw % 2],) if throw < 6 else (),
            guids=(f"imdb://tt{external}", f"tmdb://{external // 7}", f"tvdb://{external // 11}")
            if guid.startswith("plex://")
            else (),
            ratings=metadata.scores(rating, audience),
            media=metadata.video(
                self.dice, index, int(self.key(index)), chosen, duration, path
            ),
            chapters=metadata.chapters(int(self.key(index)), duration) if throw < 60 else (),
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
            media=metadata.video(
                self.dice, index, key, (3,), self.duration(index), f"/data/home/clip{index:04}"
            ),
        )
