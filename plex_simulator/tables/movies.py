"""Movies and home videos."""

from typing import Any

from plex_simulator.generation import metadata, vocabulary
from plex_simulator.generation.metadata import COUNTRIES, LABELS
from plex_simulator.generation.themes import THEMES, Theme
from plex_simulator.models import Item, Person, Tag
from plex_simulator.tables.generated import (
    ACTOR,
    AUDIENCE,
    CONTENT_RATING,
    COUNTRY,
    DIRECTOR,
    DURATION,
    EXTERNAL_ID,
    GENRE,
    GUID,
    PRODUCER,
    QUALITY,
    RATING,
    SUMMARY,
    TAGLINE,
    THEME,
    TITLE,
    VARIANT,
    WRITER,
    YEAR,
)
from plex_simulator.tables.videos import VideoTable


class MovieTable(VideoTable):
    """Movies. With `legacy`, they were matched by a legacy agent."""

    type = "movie"

    def __init__(self, *args: Any, count: int, legacy: bool = False) -> None:
        super().__init__(*args, count=count)
        self.legacy = legacy
        self.fast_fields |= {
            "rating": self.rating,
            "audienceRating": self.audience_rating,
            "contentRating": self.content_rating,
            "studio": self.studio,
            "tagline": self.tagline,
            "editionTitle": self.edition_title,
        }
        self.fast_tags |= {
            "genre": self.genres,
            "country": self.countries,
            "director": self.directors,
            "writer": self.writers,
            "producer": self.producers,
            "actor": self.cast,
            "label": self.labels,
        }

    def variant(self, index: int) -> int:
        return self.rng.below(index, VARIANT, 100)

    def position(self, index: int) -> int | None:
        return None

    def theme(self, index: int) -> Theme:
        return self.rng.choice(index, THEME, THEMES)

    def genres(self, index: int) -> tuple[Tag, ...]:
        if index % 43 == 21:
            return ()
        return self.rng.choice(index, GENRE, self.theme(index).genres)

    def plain_summary(self, index: int) -> str:
        theme = self.theme(index)
        return metadata.make_text(self.rng, index, SUMMARY, theme.plots, theme.endings)

    def year(self, index: int) -> int | None:
        if index % 41 == 17:
            return None
        ages = (self.rng.below(index, YEAR, 100), self.rng.below(index, YEAR + 1, 100))
        return self.this_year - min(ages)  # more new movies than old ones

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
        suits_children = self.theme(index).for_children
        ratings = vocabulary.CHILDREN_RATINGS if suits_children else vocabulary.CONTENT_RATINGS
        return self.rng.choice(index, CONTENT_RATING, ratings)

    def actors(self, index: int) -> tuple[int, ...]:
        """Return the numbers of the actors: mostly up to 20, sometimes none or 200."""
        count = 200 if index % 97 == 50 else 0 if index % 67 == 33 else 4
        if count == 4:
            count += self.rng.below(index, ACTOR + 2, 16)
        return metadata.pick_distinct(self.rng, index, ACTOR, count, metadata.PEOPLE)

    def cast(self, index: int) -> tuple[Person, ...]:
        """Return the actors without their roles."""
        return tuple(metadata.make_person("actor", number) for number in self.actors(index))

    def directors(self, index: int) -> tuple[Person, ...]:
        return self.crew(index, "director", DIRECTOR, 3)

    def writers(self, index: int) -> tuple[Person, ...]:
        return self.crew(index, "writer", WRITER, 4)

    def producers(self, index: int) -> tuple[Person, ...]:
        return self.crew(index, "producer", PRODUCER, 3)

    def crew(self, index: int, job: str, purpose: int, max_count: int) -> tuple[Person, ...]:
        """Return up to `max_count` people with the same job, for instance the directors."""
        count = self.rng.below(index, purpose + 2, max_count + 1)
        numbers = metadata.pick_distinct(self.rng, index, purpose, count, 600)
        return tuple(metadata.make_person(job, number) for number in numbers)

    def countries(self, index: int) -> tuple[Tag, ...]:
        count = 1 + self.variant(index) % 3
        numbers = metadata.pick_distinct(self.rng, index, COUNTRY, count, len(COUNTRIES))
        return tuple(COUNTRIES[number] for number in numbers)

    def labels(self, index: int) -> tuple[Tag, ...]:
        variant = self.variant(index)
        return (LABELS[variant % 2],) if variant < 6 else ()

    def studio(self, index: int) -> str | None:
        variant = self.variant(index)
        return None if variant == 50 else vocabulary.STUDIOS[variant % len(vocabulary.STUDIOS)]

    def tagline(self, index: int) -> str | None:
        if self.variant(index) >= 70:
            return None
        return self.rng.choice(index, TAGLINE, self.theme(index).taglines)

    def edition_title(self, index: int) -> str | None:
        return "Director's Cut" if index % 37 == 12 else None

    def qualities(self, index: int) -> tuple[int, ...]:
        return metadata.pick_qualities(self.rng, index, QUALITY)

    def guid(self, index: int) -> str:
        if index % 61 == 44:
            return f"local://{self.key(index)}"
        if self.legacy or index % 17 == 9:
            number = 1_000_000 + self.rng.below(index, EXTERNAL_ID, 9_000_000)
            return f"com.plexapp.agents.imdb://tt{number}?lang=en"
        return self.plex_guid(index)

    def slug(self, index: int) -> str | None:
        return metadata.make_slug(self.title(index), self.guid(index))

    def guids(self, index: int) -> tuple[str, ...]:
        return self.external_guids(index) if self.guid(index).startswith("plex://") else ()

    def external_guids(self, index: int) -> tuple[str, ...]:
        number = self.rng.below(index, EXTERNAL_ID, 9_000_000) + 1_000_000
        return f"imdb://tt{number}", f"tmdb://{number // 7}", f"tvdb://{number // 11}"

    def generate(self, index: int) -> Item:
        guid, duration, rating = self.guid(index), self.duration(index), self.rating(index)
        audience, year, title = self.audience_rating(index), self.year(index), self.title(index)
        matched = not guid.startswith("local://")
        variant = self.variant(index)
        file_title = (
            "".join(c for c in title if c.isalnum() or c in " -")[:80].strip() or "Untitled"
        )
        path = f"/data/movies/{file_title} ({year})/{file_title} ({year})"
        return Item(
            **self.common_fields(index),
            slug=self.slug(index),
            original_title=self.title(index + 500_000) if variant < 9 else None,
            tagline=self.tagline(index),
            studio=self.studio(index),
            content_rating=self.content_rating(index),
            rating=rating,
            rating_image=None if rating is None else "rottentomatoes://image.rating.ripe",
            audience_rating=audience,
            audience_rating_image=None if audience is None else "themoviedb://image.rating",
            duration=duration,
            edition_title=self.edition_title(index),
            thumb=self.picture(index, "thumb") if matched else None,
            art=self.picture(index, "art") if matched and variant < 90 else None,
            genres=self.genres(index),
            countries=self.countries(index),
            directors=self.directors(index),
            writers=self.writers(index),
            producers=self.producers(index),
            roles=tuple(
                metadata.make_role(self.rng, index, position, number)
                for position, number in enumerate(self.actors(index))
            ),
            labels=self.labels(index),
            ratings=metadata.list_ratings(rating, audience),
            media=metadata.make_media(
                self.rng, index, int(self.key(index)), self.qualities(index), duration, path
            ),
            chapters=metadata.make_chapters(int(self.key(index)), duration) if variant < 60 else (),
        )  # fmt: skip


class HomeVideoTable(VideoTable):
    """Videos without an agent, which have hardly any metadata."""

    type = "movie"

    def guid(self, index: int) -> str:
        return f"com.plexapp.agents.none://{self.rng.hexadecimal(index, GUID, 40)}?lang=xn"

    def plain_title(self, index: int) -> str:
        event = self.rng.choice(index, TITLE, vocabulary.EVENTS)
        return f"{event} in {self.rng.choice(index, TITLE + 1, vocabulary.PLACES)}"

    def summary(self, index: int) -> str:
        return ""

    def position(self, index: int) -> int | None:
        return None

    def year(self, index: int) -> int | None:
        return 2010 + self.rng.below(index, YEAR, 16) if index % 2 else None

    def released(self, index: int) -> str | None:
        return None

    def qualities(self, index: int) -> tuple[int, ...]:
        return (3,)

    def duration(self, index: int) -> int | None:
        return 20_000 + self.rng.below(index, DURATION, 900_000)

    def generate(self, index: int) -> Item:
        key = int(self.key(index))
        return Item(
            **self.common_fields(index),
            subtype="clip",
            duration=self.duration(index),
            media=metadata.make_media(
                self.rng, index, key, self.qualities(index), self.duration(index),
                f"/data/home/clip{index:04}",
            ),
        )  # fmt: skip
