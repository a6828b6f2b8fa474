"""Shows, their seasons and episodes."""

from typing import Any

from plex_simulator.generation import metadata, vocabulary
from plex_simulator.generation.metadata import COUNTRIES, DAY
from plex_simulator.models import Item, Role
from plex_simulator.tables.generated import (
    AUDIENCE,
    CONTENT_RATING,
    DIRECTOR,
    DURATION,
    EXTERNAL,
    RELEASED,
    SHAPE,
    Titled,
)
from plex_simulator.tables.item_table import Branches
from plex_simulator.tables.movies import Movies


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
        return self.dice.choice(index, CONTENT_RATING, vocabulary.TV_RATINGS)

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
            studio=vocabulary.STUDIOS[throw % len(vocabulary.STUDIOS)] if throw < 90 else None,
            network=vocabulary.NETWORKS[throw % len(vocabulary.NETWORKS)],
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
                metadata.role(self.dice, index, place, number)
                for place, number in enumerate(self.actors(index))
            ),
            guids=(f"imdb://tt{external}", f"tmdb://{external // 3}", f"tvdb://{external}")
            if guid.startswith("plex://")
            else (),
            ratings=metadata.scores(rating, audience),
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
        return metadata.released(self.dice, index, RELEASED, self.year(index))

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
        audience = metadata.score(self.dice, index, AUDIENCE, missing=15)
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
            directors=(metadata.person("director", index % 600),) if index % 3 else (),
            writers=(metadata.person("writer", index % 600),) if index % 4 else (),
            roles=tuple(
                Role(metadata.person("actor", number), None)
                for number in shows.actors(show)[:4]
            ),
            guids=() if legacy else (f"tvdb://{1_000_000 + index}",),
            ratings=metadata.scores(None, audience),
            media=metadata.video(
                self.dice, index, key, (index % 8,), duration, path
            ),
        )  # fmt: skip
