"""Shows, their seasons and episodes."""

from typing import Any

from plex_simulator.generation import metadata, vocabulary
from plex_simulator.generation.metadata import COUNTRIES, DAY
from plex_simulator.models import Item, Person, Tag
from plex_simulator.tables.generated import (
    AUDIENCE,
    CONTENT_RATING,
    DIRECTOR,
    DURATION,
    EXTERNAL_ID,
    SUMMARY,
    TAGLINE,
    VARIANT,
    GeneratedTable,
)
from plex_simulator.tables.item_table import ChildRanges
from plex_simulator.tables.movies import MovieTable
from plex_simulator.tables.videos import VideoTable


class ShowTable(MovieTable):
    """Shows. Most have only an audience rating; one in 20 comes from a legacy agent."""

    type = "show"

    def __init__(self, *args: Any, count: int, seasons: int) -> None:
        super().__init__(*args, count=count)
        self.fast_fields |= {"network": self.network}
        self.max_seasons = max(seasons, 1)
        self.child_ranges = ChildRanges(self.generated_count, self._season_count)

    def has_specials(self, index: int) -> bool:
        return index % 3 == 0

    def _season_count(self, index: int) -> int:
        return 1 + self.rng.below(index, VARIANT + 1, self.max_seasons) + self.has_specials(index)

    def rating(self, index: int) -> float | None:
        return super().rating(index) if index % 20 == 19 else None

    def content_rating(self, index: int) -> str | None:
        suits_children = self.theme(index).for_children
        ratings = vocabulary.CHILDREN_TV_RATINGS if suits_children else vocabulary.TV_RATINGS
        return self.rng.choice(index, CONTENT_RATING, ratings)

    def duration(self, index: int) -> int | None:
        return (22, 30, 45, 60)[self.rng.below(index, DURATION, 4)] * 60_000

    def guid(self, index: int) -> str:
        if index % 20 == 19:
            external_id = self.rng.below(index, EXTERNAL_ID, 400_000)
            return f"com.plexapp.agents.thetvdb://{external_id}?lang=en"
        return self.plex_guid(index)

    def position(self, index: int) -> int | None:
        return 1

    def leaf_count(self, index: int) -> int | None:
        seasons = self.child_table()
        return sum(len(seasons.children(season)) for season in self.children(index))

    def studio(self, index: int) -> str | None:
        variant = self.variant(index)
        return vocabulary.STUDIOS[variant % len(vocabulary.STUDIOS)] if variant < 90 else None

    def network(self, index: int) -> str:
        return vocabulary.NETWORKS[self.variant(index) % len(vocabulary.NETWORKS)]

    def tagline(self, index: int) -> str | None:
        if self.variant(index) >= 60:
            return None
        return self.rng.choice(index, TAGLINE, self.theme(index).taglines)

    def edition_title(self, index: int) -> str | None:
        return None

    def qualities(self, index: int) -> tuple[int, ...]:
        return ()

    def countries(self, index: int) -> tuple[Tag, ...]:
        return (COUNTRIES[self.variant(index) % len(COUNTRIES)],)

    def directors(self, index: int) -> tuple[Person, ...]:
        return self.crew(index, "director", DIRECTOR, 2)

    def writers(self, index: int) -> tuple[Person, ...]:
        return ()

    def producers(self, index: int) -> tuple[Person, ...]:
        return ()

    def labels(self, index: int) -> tuple[Tag, ...]:
        return ()

    def folder(self, index: int) -> str:
        return f"/data/tv/show{index:05}"

    def external_guids(self, index: int) -> tuple[str, ...]:
        number = self.rng.below(index, EXTERNAL_ID, 400_000) + 70_000
        return f"imdb://tt{number}", f"tmdb://{number // 3}", f"tvdb://{number}"

    def generate(self, index: int) -> Item:
        variant = self.variant(index)
        rating, audience = self.rating(index), self.audience_rating(index)
        seasons = self.children(index)
        season_table = self.child_table()
        season_numbers = [season_table.base_item(season).index for season in seasons]
        return Item(
            **self.common_fields(index),
            slug=self.slug(index),
            tagline=self.tagline(index),
            studio=self.studio(index),
            network=self.network(index),
            content_rating=self.content_rating(index),
            rating=rating,
            audience_rating=audience,
            audience_rating_image=None if audience is None else "themoviedb://image.rating",
            duration=self.duration(index),
            thumb=self.picture(index, "thumb"),
            art=self.picture(index, "art") if variant < 92 else None,
            theme=self.picture(index, "theme") if variant < 75 else None,
            banner=self.picture(index, "banner") if index % 20 == 19 else None,
            leaf_count=self.leaf_count(index),
            child_count=len(seasons),
            season_count=len(seasons) - 1 if 0 in season_numbers else None,
            genres=self.genres(index),
            countries=self.countries(index),
            directors=self.directors(index),
            roles=tuple(
                metadata.make_role(self.rng, index, position, number)
                for position, number in enumerate(self.actors(index))
            ),
            ratings=metadata.list_ratings(rating, audience),
            folders=(self.folder(index),),
        )


class SeasonTable(GeneratedTable):
    type = "season"

    def __init__(self, *args: Any, shows: ShowTable, episodes: int) -> None:
        super().__init__(*args)
        self.shows = shows
        self.link_parent(shows)
        self.max_episodes = max(episodes, 1)
        self.child_ranges = ChildRanges(self.generated_count, self._episode_count)

    def generated_count(self) -> int:
        return len(self.shows.child_ranges)

    def _episode_count(self, index: int) -> int:
        return 1 + self.rng.below(index, VARIANT + 1, self.max_episodes)

    def locate(self, index: int) -> tuple[int, int, int]:
        """Return the show of a season, its position in the show and the number of seasons."""
        show = self.shows.child_ranges.parent(index)
        siblings = self.shows.child_ranges.of(show)
        return show, index - siblings.start, len(siblings)

    def guid(self, index: int) -> str:
        show_guid = self.shows.guid(self.shows.child_ranges.parent(index))
        if show_guid.startswith("com.plexapp"):
            return show_guid.replace("?", f"/{self.season_number(index)}?")
        return self.plex_guid(index)

    def summary(self, index: int) -> str:
        return ""

    def guids(self, index: int) -> tuple[str, ...]:
        is_legacy = self.guid(index).startswith("com.plexapp")
        return () if is_legacy else (f"tmdb://{60_000 + index}", f"tvdb://{300_000 + index}")

    def position(self, index: int) -> int | None:
        return self.season_number(index)

    def leaf_count(self, index: int) -> int | None:
        return len(self.children(index))

    def season_number(self, index: int) -> int:
        """Return the number of a season; season 0 holds the specials."""
        show, position, _ = self.locate(index)
        return position if self.shows.has_specials(show) else position + 1

    def title(self, index: int) -> str:
        number = self.season_number(index)
        return f"Season {number}" if number else "Specials"

    def added_at(self, index: int) -> int:
        show, position, count = self.locate(index)
        show_added_at = self.shows.added_at(show)
        if show % 10 == 3 and position == count - 1:
            # The last season of some shows was added as a whole two days ago.
            return self.now - 2 * DAY - show * 60
        return show_added_at + (self.now - DAY - show_added_at) * position // (count + 1)

    def generate(self, index: int) -> Item:
        show_index, _, _ = self.locate(index)
        return Item(
            **self.common_fields(index),
            thumb=self.picture(index, "thumb"),
            art=self.shows.picture(show_index, "art"),
            parent_index=1,
            parent_rating_key=self.shows.key(show_index),
            parent_guid=self.shows.guid(show_index),
            parent_slug=self.shows.slug(show_index),
            parent_title=self.shows.current_title(show_index),
            parent_year=self.shows.year(show_index),
            parent_thumb=self.shows.picture(show_index, "thumb"),
            leaf_count=self.leaf_count(index),
        )


class EpisodeTable(VideoTable):
    type = "episode"

    def __init__(self, *args: Any, seasons: SeasonTable) -> None:
        super().__init__(*args)
        self.seasons = seasons
        self.link_parent(seasons)
        self.fast_fields |= {
            "audienceRating": self.audience_rating,
            "contentRating": self.content_rating,
        }

    def generated_count(self) -> int:
        return len(self.seasons.child_ranges)

    def locate(self, index: int) -> tuple[int, int, int]:
        """Return the season of an episode, its position in it and the number of episodes."""
        season = self.seasons.child_ranges.parent(index)
        siblings = self.seasons.child_ranges.of(season)
        return season, index - siblings.start, len(siblings)

    def position(self, index: int) -> int | None:
        return self.locate(index)[1] + 1

    def guid(self, index: int) -> str:
        season, position, _ = self.locate(index)
        season_guid = self.seasons.guid(season)
        if season_guid.startswith("com.plexapp"):
            return season_guid.replace("?", f"/{position + 1}?")
        return self.plex_guid(index)

    def guids(self, index: int) -> tuple[str, ...]:
        is_legacy = self.guid(index).startswith("com.plexapp")
        return () if is_legacy else (f"tvdb://{1_000_000 + index}",)

    def plain_summary(self, index: int) -> str:
        theme = self.seasons.shows.theme(self.show_index(index))
        return metadata.make_text(self.rng, index, SUMMARY, theme.plots, theme.endings)

    def audience_rating(self, index: int) -> float | None:
        return metadata.make_rating(self.rng, index, AUDIENCE, missing_percent=15)

    def content_rating(self, index: int) -> str | None:
        return self.seasons.shows.content_rating(self.show_index(index))

    def qualities(self, index: int) -> tuple[int, ...]:
        return (index % len(metadata.QUALITIES),)

    def added_at(self, index: int) -> int:
        season, position, count = self.locate(index)
        show, season_position, season_count = self.seasons.locate(season)
        season_added_at = self.seasons.added_at(season)
        is_last_season = season_position == season_count - 1
        if show % 10 == 6 and is_last_season and position == count - 1:
            # The last episode of some shows was added yesterday.
            return self.now - DAY - show * 60
        is_weekly = season % 2 == 0 and season_added_at + count * 7 * DAY < self.now - 31 * DAY
        return season_added_at + position * (7 * DAY if is_weekly else 5)

    def show_index(self, index: int) -> int:
        """Return the index of the show of an episode."""
        return self.seasons.locate(self.locate(index)[0])[0]

    def year(self, index: int) -> int | None:
        return self.seasons.shows.year(self.show_index(index))

    def duration(self, index: int) -> int | None:
        typical = self.seasons.shows.duration(self.show_index(index)) or 0
        return typical + self.rng.below(index, DURATION, 240_000) - 120_000

    def generate(self, index: int) -> Item:
        season, position, _ = self.locate(index)
        show = self.seasons.locate(season)[0]
        shows, seasons = self.seasons.shows, self.seasons
        number, key = seasons.season_number(season), int(self.key(index))
        duration = self.duration(index)
        audience = self.audience_rating(index)
        path = f"{shows.folder(show)}/Season {number:02}/S{number:02}E{position + 1:02}"
        return Item(
            **self.common_fields(index),
            content_rating=shows.content_rating(show),
            audience_rating=audience,
            audience_rating_image=None if audience is None else "thetvdb://image.rating",
            duration=duration,
            thumb=self.picture(index, "thumb"),
            art=shows.picture(show, "art"),
            parent_index=number,
            parent_rating_key=seasons.key(season),
            parent_guid=seasons.guid(season),
            parent_title=seasons.current_title(season),
            parent_thumb=seasons.picture(season, "thumb"),
            grandparent_rating_key=shows.key(show),
            grandparent_guid=shows.guid(show),
            grandparent_slug=shows.slug(show),
            grandparent_title=shows.current_title(show),
            grandparent_thumb=shows.picture(show, "thumb"),
            grandparent_art=shows.picture(show, "art"),
            directors=(metadata.make_person("director", index % 600),) if index % 3 else (),
            writers=(metadata.make_person("writer", index % 600),) if index % 4 else (),
            roles=tuple(
                metadata.make_role(self.rng, show, position, number)
                for position, number in enumerate(shows.actors(show)[:4])
            ),
            ratings=metadata.list_ratings(None, audience),
            media=metadata.make_media(
                self.rng, index, key, self.qualities(index), duration, path
            ),
            chapters=metadata.make_chapters(key, duration) if index % 5 < 2 else (),
        )  # fmt: skip
