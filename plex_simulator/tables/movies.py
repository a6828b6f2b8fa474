"""Movies and home videos."""

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
    EXTERNAL_ID,
    GUID,
    PRODUCER,
    QUALITY,
    RATING,
    RELEASED,
    VARIANT,
    WRITER,
    YEAR,
    GeneratedTable,
)


class MovieTable(GeneratedTable):
    """Movies. With `legacy`, they were matched by a legacy agent."""

    type = "movie"

    def __init__(self, *args: Any, count: int, legacy: bool = False) -> None:
        super().__init__(*args, count=count)
        self.legacy = legacy
        self.fast_columns |= {
            "year": self.year,
            "rating": self.rating,
            "audienceRating": self.audience_rating,
            "duration": self.duration,
            "contentRating": self.content_rating,
            "genre": self.genre_ids,
            "originallyAvailableAt": self.released,
            "actor": self.actor_ids,
        }

    def year(self, index: int) -> int | None:
        return None if index % 41 == 17 else self.this_year - self.rng.below(index, YEAR, 100)

    def released(self, index: int) -> str | None:
        return metadata.make_release_date(self.rng, index, RELEASED, self.year(index))

    def rating(self, index: int) -> float | None:
        return metadata.make_rating(self.rng, index, RATING, missing_percent=8)

    def audience_rating(self, index: int) -> float | None:
        return metadata.make_rating(self.rng, index, AUDIENCE, missing_percent=4)

    def duration(self, index: int) -> int | None:
        if index % 59 == 40:
            return None
        return 4_200_000 + self.rng.below(index, DURATION, 6_600_000)

    def content_rating(self, index: int) -> str | None:
        if index % 71 == 30:
            return None
        ratings = vocabulary.CONTENT_RATINGS
        return ratings[self.rng.below(index, CONTENT_RATING, len(ratings))]

    def actors(self, index: int) -> tuple[int, ...]:
        """Return the numbers of the actors: mostly up to 20, sometimes none or 200."""
        count = 200 if index % 97 == 50 else 0 if index % 67 == 33 else 4
        if count == 4:
            count += self.rng.below(index, ACTOR + 2, 16)
        return metadata.pick_distinct(self.rng, index, ACTOR, count, metadata.PEOPLE)

    def actor_ids(self, index: int) -> tuple[int, ...]:
        first = metadata.FIRST_PERSON_ID["actor"]
        return tuple(first + number for number in self.actors(index))

    def crew(self, index: int, job: str, purpose: int, max_count: int) -> tuple[Any, ...]:
        """Return up to `max_count` people with the same job, for instance the directors."""
        count = self.rng.below(index, purpose + 2, max_count + 1)
        numbers = metadata.pick_distinct(self.rng, index, purpose, count, 600)
        return tuple(metadata.make_person(job, number) for number in numbers)

    def guid(self, index: int) -> str:
        if index % 61 == 44:
            return f"local://{self.key(index)}"
        if self.legacy or index % 17 == 9:
            number = 1_000_000 + self.rng.below(index, EXTERNAL_ID, 9_000_000)
            return f"com.plexapp.agents.imdb://tt{number}?lang=en"
        return self.plex_guid(index)

    def external_guids(self, index: int) -> tuple[str, ...]:
        number = self.rng.below(index, EXTERNAL_ID, 9_000_000) + 1_000_000
        return f"imdb://tt{number}", f"tmdb://{number // 7}", f"tvdb://{number // 11}"

    def generate(self, index: int) -> Item:
        guid, duration, rating = self.guid(index), self.duration(index), self.rating(index)
        audience, year, title = self.audience_rating(index), self.year(index), self.title(index)
        matched = not guid.startswith("local://")
        variant = self.rng.below(index, VARIANT, 100)
        file_title = (
            "".join(c for c in title if c.isalnum() or c in " -")[:80].strip() or "Untitled"
        )
        path = f"/data/movies/{file_title} ({year})/{file_title} ({year})"
        country_count = 1 + variant % 3
        countries = metadata.pick_distinct(self.rng, index, COUNTRY, country_count, len(COUNTRIES))
        qualities = metadata.pick_qualities(self.rng, index, QUALITY)
        return Item(
            **self.common_fields(index),
            guid=guid,
            original_title=self.title(index + 500_000) if variant < 9 else None,
            summary=self.summary(index),
            tagline=f"Every {title.split()[-1].lower()} has a beginning." if variant < 70 else None,
            studio=None if variant == 50 else vocabulary.STUDIOS[variant % len(vocabulary.STUDIOS)],
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
            art=self.picture(index, "art") if matched and variant < 90 else None,
            genres=self.genres(index),
            countries=tuple(COUNTRIES[number] for number in countries),
            directors=self.crew(index, "director", DIRECTOR, 3),
            writers=self.crew(index, "writer", WRITER, 4),
            producers=self.crew(index, "producer", PRODUCER, 3),
            roles=tuple(
                metadata.make_role(self.rng, index, position, number)
                for position, number in enumerate(self.actors(index))
            ),
            labels=(LABELS[variant % 2],) if variant < 6 else (),
            guids=self.external_guids(index) if guid.startswith("plex://") else (),
            ratings=metadata.list_ratings(rating, audience),
            media=metadata.make_media(
                self.rng, index, int(self.key(index)), qualities, duration, path
            ),
            chapters=metadata.make_chapters(int(self.key(index)), duration) if variant < 60 else (),
        )  # fmt: skip


class HomeVideoTable(GeneratedTable):
    """Videos without an agent, which have hardly any metadata."""

    type = "movie"

    def duration(self, index: int) -> int | None:
        return 20_000 + self.rng.below(index, DURATION, 900_000)

    def generate(self, index: int) -> Item:
        key = int(self.key(index))
        return Item(
            **self.common_fields(index),
            subtype="clip",
            guid=f"com.plexapp.agents.none://{self.rng.hexadecimal(index, GUID, 40)}?lang=xn",
            year=2010 + self.rng.below(index, YEAR, 16) if index % 2 else None,
            duration=self.duration(index),
            media=metadata.make_media(
                self.rng, index, key, (3,), self.duration(index), f"/data/home/clip{index:04}"
            ),
        )
