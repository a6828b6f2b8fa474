"""The whole truth about what the simulated server holds, and every way to change it.

Tests compare answers with this. It knows nothing about HTTP or XML.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from plex_simulator import tables
from plex_simulator.generation import collections
from plex_simulator.generation.metadata import DAY, Dice
from plex_simulator.models import (
    TYPE_NAMES,
    Collection,
    Entry,
    Item,
    Library,
    Playlist,
    Tag,
    User,
    Viewing,
)
from plex_simulator.queries import select
from plex_simulator.tables.item_table import Shelf, Sizes

SECTIONS: tuple[tuple[str, str, str, str, str, str, int, tuple[str, ...]], ...] = (
    ("1", "movie", "Movies", "tv.plex.agents.movie", "Plex Movie", "/data/movies", 0, ("movie",)),
    ("2", "show", "TV Shows", "tv.plex.agents.series", "Plex TV Series", "/data/tv", 0,
     ("show", "season", "episode")),
    ("5", "artist", "Music", "tv.plex.agents.music", "Plex Music", "/data/music", 0,
     ("artist", "album", "track")),
    ("6", "photo", "Photos", "com.plexapp.agents.none", "Plex Photo Scanner", "/data/photos", 0,
     ("photoalbum", "photo")),
    ("8", "movie", "Home Videos", "com.plexapp.agents.none", "Plex Video Files Scanner",
     "/data/home", 1, ("movie",)),
    ("11", "movie", "Archive (hidden)", "com.plexapp.agents.imdb", "Plex Movie Scanner",
     "/data/archive", 2, ("movie",)),
)  # fmt: skip
VIEWER_SECTIONS = frozenset({"1", "2", "5"})


@dataclass(frozen=True, slots=True)
class Change:
    """What listeners hear: state 0 created, 5 changed, 9 deleted."""

    library_key: str
    rating_key: str
    type: str
    title: str
    state: int
    at: int


class Catalogue:
    """Libraries, items, collections and playlists; the same for the same seed, sizes and now."""

    def __init__(
        self, seed: int, now: int, sizes: Sizes, owner_token: str, viewer_token: str
    ) -> None:
        self.started_at = now
        self._clock_zero = time.monotonic()
        self._lock = threading.RLock()
        self.listeners: list[Callable[[Change], None]] = []
        self.owner = User(1, "Margit", "margit@example.com", owner_token, None)
        self.viewer = User(4711, "Oskar", "oskar@example.com", viewer_token, VIEWER_SECTIONS)
        self.users = (self.owner, self.viewer)
        self._dice = Dice(seed, 99)
        self._shelves = self._build(seed, now, sizes)
        self._by_number = {shelf.number: shelf for shelf in self._shelves.values()}
        self._libraries = {entry[0]: self._library(n, entry) for n, entry in enumerate(SECTIONS)}
        gathered = [self._shelves[place] for place in (("1", "movie"), ("2", "show"))]
        gathered.append(self._shelves["5", "artist"])
        self._collections = {
            made.rating_key: made
            for made in collections.collections(self._dice, now, gathered, sizes.collections)
        }
        self._playlists = {
            made.rating_key: made
            for made in collections.playlists(
                self._dice, now, self.owner, self.viewer, self._shelves
            )
        }
        self._next_collection = collections.FIRST_COLLECTION_KEY + 5_000
        self._next_playlist = collections.FIRST_PLAYLIST_KEY + 5_000
        self._next_entry = 900_001
        self._tag_items()

    def _build(self, seed: int, now: int, sizes: Sizes) -> dict[tuple[str, str], Shelf]:
        common = (seed, now, self.users)
        movies = tables.Movies(*common, "1", 0, made=sizes.movies)
        shows = tables.Shows(*common, "2", 1, made=sizes.shows, seasons=sizes.seasons)
        seasons = tables.Seasons(*common, "2", 2, shows=shows, episodes=sizes.episodes)
        episodes = tables.Episodes(*common, "2", 3, seasons=seasons)
        artists = tables.Artists(*common, "5", 4, made=sizes.artists, albums=sizes.albums)
        albums = tables.Albums(*common, "5", 5, artists=artists, tracks=sizes.tracks)
        tracks = tables.Tracks(*common, "5", 6, albums=albums)
        photo_albums = tables.PhotoAlbums(
            *common, "6", 7, made=sizes.photo_albums, photos=sizes.photos
        )
        photos = tables.Photos(*common, "6", 8, albums=photo_albums)
        videos = tables.Videos(*common, "8", 9, made=sizes.videos)
        hidden = tables.Movies(*common, "11", 10, made=sizes.hidden, legacy=True)
        shelves = (
            movies, shows, seasons, episodes, artists, albums, tracks, photo_albums, photos,
            videos, hidden,
        )  # fmt: skip
        return {(shelf.library_key, shelf.type): shelf for shelf in shelves}

    def _library(self, number: int, entry: Any) -> Library:
        key, kind, title, agent, scanner, location, hidden, item_types = entry
        return Library(
            key=key,
            type=kind,
            title=title,
            agent=agent,
            scanner=scanner,
            language="xn" if agent.endswith("none") else "en-US",
            uuid=self._dice.uuid(number, 9),
            location=location,
            hidden=hidden,
            created_at=self.started_at - (2_200 - number) * DAY,
            updated_at=self.started_at - (number + 1) * DAY,
            scanned_at=self.started_at - (number + 1) * 3600,
            # Recent servers count changes in numbers that JavaScript cannot hold.
            content_changed_at=7_726_555_702_310_039_813 + number * 1_009,
            item_types=item_types,
        )

    def now(self) -> int:
        """Tell the time: that given at the start, and what has passed since."""
        return self.started_at + int(time.monotonic() - self._clock_zero)

    # Reading

    @property
    def libraries(self) -> tuple[Library, ...]:
        return tuple(self._libraries.values())

    def library(self, key: str) -> Library | None:
        return self._libraries.get(key)

    def shelf(self, library_key: str, type: str) -> Shelf:
        return self._shelves[library_key, type]

    def items(self, library_key: str, type: str) -> Sequence[Item]:
        """List a library's items of one type in rating key order, each made when read."""
        return self._shelves[library_key, type].live()

    def place(self, rating_key: str) -> tuple[Shelf, int] | None:
        """Find where an item stands; None when there is no such item."""
        if not rating_key.isascii() or not rating_key.isdigit() or len(rating_key) > 12:
            return None
        shelf = self._by_number.get(int(rating_key) // 1_000_000)
        if shelf is None:
            return None
        try:
            return shelf, shelf.index(rating_key)
        except ValueError:
            return None

    def item(self, rating_key: str) -> Item | None:
        found = self.place(rating_key)
        return found[0].item(found[1]) if found else None

    def children(self, rating_key: str) -> list[Item]:
        found = self.place(rating_key)
        if found is None:
            return []
        shelf, index = found
        return [shelf.below().item(place) for place in shelf.children(index)]

    def collections(self, library_key: str | None = None) -> list[Collection]:
        """List collections by sort title, of one library or of all."""
        found = [
            made for made in self._collections.values() if library_key in (None, made.library_key)
        ]
        return sorted(found, key=lambda made: made.sort_title.casefold())

    def collection(self, rating_key: str) -> Collection | None:
        return self._collections.get(rating_key)

    def collection_items(self, rating_key: str, user: User | None = None) -> list[Item]:
        """List a collection's items in the collection's own order."""
        made = self._collections[rating_key]
        if made.content is not None:
            return self.run(made.content, user or self.owner)
        items = [item for key in made.item_keys if (item := self.item(key))]
        if made.sort == 0:
            items.sort(key=lambda item: item.originally_available_at or "")
        elif made.sort == 1:
            items.sort(key=lambda item: item.sort_title.casefold())
        return items

    def collection_span(self, rating_key: str, user: User) -> tuple[int, int | None, int | None]:
        """Count a collection's items and tell their first and last year."""
        made = self._collections[rating_key]
        shelf = self._shelves[made.library_key, made.subtype]

        def work() -> tuple[int, int | None, int | None]:
            items = self.collection_items(rating_key, user)
            years = [item.year for item in items if item.year is not None]
            return len(items), min(years, default=None), max(years, default=None)

        return shelf.kept(("span", rating_key, user.id), work)  # type: ignore[no-any-return]

    @property
    def playlists(self) -> tuple[Playlist, ...]:
        return tuple(self._playlists.values())

    def playlist(self, rating_key: str) -> Playlist | None:
        return self._playlists.get(rating_key)

    def playlist_items(self, rating_key: str) -> list[tuple[int | None, Item]]:
        """List a playlist's items with their playlist item ids; smart ones have none."""
        made = self._playlists[rating_key]
        if made.content is not None:
            user = next(user for user in self.users if user.id == made.user_id)
            return [(None, item) for item in self.run(made.content, user)]
        return [(entry.id, item) for entry in made.entries if (item := self.item(entry.rating_key))]

    def run(self, content: str, user: User) -> list[Item]:
        """List what a smart collection's or playlist's query selects for a user."""
        parts = urlsplit(content)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        library_key = parts.path.split("/")[3]
        if library_key not in self._libraries:
            return []
        library = self._libraries[library_key]
        number = dict(pairs).get("type", "")
        kind = TYPE_NAMES.get(int(number)) if number.isdigit() else library.item_types[0]
        if (library_key, kind) not in self._shelves:
            return []
        shelf = self._shelves[library_key, str(kind)]
        chosen = select(shelf, user, pairs, self.now())
        limit = dict(pairs).get("limit", "")
        return [shelf.item(index) for index in chosen[: int(limit) if limit.isdigit() else None]]

    def storage(self, library_key: str) -> tuple[int, int]:
        """Sum up the bytes and milliseconds of all files; beyond 5,000 items from a sample."""
        shelf = self._shelves[library_key, self._libraries[library_key].item_types[-1]]
        return shelf.kept("storage", lambda: self._sum_up(shelf))  # type: ignore[no-any-return]

    @staticmethod
    def _sum_up(shelf: Shelf) -> tuple[int, int]:
        items = shelf.live()
        step = len(items) // 5_000 + 1
        size = duration = 0
        for item in (items[index] for index in range(0, len(items), step)):
            parts = [part for media in item.media for part in media.parts]
            size += sum(part.size for part in parts)
            duration += sum(part.duration or 0 for part in parts)
        return size * step, duration * step

    # Changing items

    def add(self, library_key: str, type: str, title: str, **attributes: Any) -> Item:
        """Add an item, now; seasons, episodes, albums, tracks and photos need parent_rating_key."""
        with self._lock:
            shelf = self._shelves[library_key, type]
            key = shelf.key(len(shelf))
            if shelf.parent is not None:
                above = self.item(str(attributes.get("parent_rating_key")))
                if above is None or above.type != shelf.parent.type:
                    raise ValueError(f"{type} needs the parent_rating_key of a {shelf.parent.type}")
                attributes = self._family(shelf, above) | attributes
            given = {"guid": f"local://{key}", "added_at": self.now(), **attributes}
            item = Item(rating_key=key, library_key=library_key, type=type, title=title, **given)
            index = shelf.append(item)
            self._changed(shelf, index, item, 0)
            return shelf.item(index)

    def _family(self, shelf: Shelf, above: Item) -> dict[str, Any]:
        """Say what a new child inherits from its parents."""
        siblings = self.children(above.rating_key)
        family: dict[str, Any] = {
            "parent_title": above.title,
            "parent_guid": above.guid,
            "parent_thumb": above.thumb,
            "index": 1 + max((child.index or 0 for child in siblings), default=0),
            "parent_index": above.index,
            "art": above.art,
        }
        if shelf.parent is not None and shelf.parent.parent is not None:
            family |= {
                "grandparent_rating_key": above.parent_rating_key,
                "grandparent_guid": above.parent_guid,
                "grandparent_title": above.parent_title,
                "grandparent_thumb": above.parent_thumb,
            }
        return family

    def change(self, rating_key: str, **attributes: Any) -> Item:
        """Change attributes of an item, for instance its title; updated_at moves to now."""
        with self._lock:
            shelf, index = self._find(rating_key)
            bare = shelf.bare(index)
            # The clock counts whole seconds, but a change must show.
            stamp = max(self.now(), (bare.updated_at or 0) + 1)
            item = replace(bare, **{"updated_at": stamp, **attributes})
            shelf.put(index, item)
            self._changed(shelf, index, item, 5)
            return shelf.item(index)

    def remove(self, rating_key: str) -> None:
        """Remove an item and all below it."""
        with self._lock:
            shelf, index = self._find(rating_key)
            item = shelf.item(index)
            for child in self.children(rating_key):
                self.remove(child.rating_key)
            shelf.remove(index)
            self._changed(shelf, index, item, 9)

    def mark_watched(
        self,
        rating_key: str,
        user: User | None = None,
        *,
        watched: bool = True,
        view_offset: int = 0,
    ) -> None:
        """Mark an item, or all below it, as watched, unwatched, or watched in part."""
        with self._lock:
            shelf, index = self._find(rating_key)
            who = user or self.owner
            for child in self.children(rating_key):
                self.mark_watched(child.rating_key, who, watched=watched)
            if shelf.child is None:
                before = shelf.viewing(index, who)
                seen = Viewing(user_rating=before.user_rating)
                if view_offset:
                    seen = replace(before, view_offset=view_offset, last_viewed_at=self.now())
                elif watched:
                    seen = Viewing(before.view_count + 1, 0, self.now(), before.user_rating)
                shelf.set_viewing(index, who, seen)
            self._changed(shelf, index, shelf.item(index), 5)

    def rate(self, rating_key: str, user: User, stars: float | None) -> None:
        with self._lock:
            shelf, index = self._find(rating_key)
            shelf.set_viewing(index, user, replace(shelf.viewing(index, user), user_rating=stars))
            self._changed(shelf, index, shelf.item(index), 5)

    def _find(self, rating_key: str) -> tuple[Shelf, int]:
        found = self.place(rating_key)
        if found is None:
            raise KeyError(rating_key)
        return found

    def _changed(self, shelf: Shelf, index: int, item: Item, state: int) -> None:
        for related in self._shelves.values():
            if related.library_key == shelf.library_key:
                related.forget()
        self._touch(shelf.library_key, item.rating_key, item.type, item.title, state)

    def _touch(self, library_key: str, key: str, kind: str, title: str, state: int) -> None:
        before, now = self._libraries[library_key], self.now()
        self._libraries[library_key] = replace(
            before,
            updated_at=max(now, before.updated_at),
            scanned_at=max(now, before.scanned_at),
            content_changed_at=before.content_changed_at + 1,
        )
        change = Change(library_key, key, kind, title, state, now)
        for listener in self.listeners:
            listener(change)

    # Changing collections

    def add_collection(
        self,
        library_key: str,
        title: str,
        subtype: str,
        item_keys: Sequence[str] = (),
        content: str | None = None,
    ) -> Collection:
        with self._lock:
            key = self._next_collection
            self._next_collection += 1
            made = Collection(
                rating_key=str(key),
                tag_id=key * 3,
                guid=f"collection://{self._dice.uuid(key, 4)}",
                library_key=library_key,
                subtype=subtype,
                title=title,
                added_at=self.now(),
                updated_at=self.now(),
                item_keys=tuple(dict.fromkeys(item_keys)),
                smart=content is not None,
                content=content,
            )
            return self._keep_collection(made, 0)

    def change_collection(self, rating_key: str, **attributes: Any) -> Collection:
        with self._lock:
            before = self._collections[rating_key]
            stamp = max(self.now(), before.updated_at + 1)
            return self._keep_collection(replace(before, updated_at=stamp, **attributes), 5)

    def remove_collection(self, rating_key: str) -> None:
        with self._lock:
            made = self._collections.pop(rating_key)
            self._tag_items()
            self._touch(made.library_key, rating_key, "collection", made.title, 9)

    def _keep_collection(self, made: Collection, state: int) -> Collection:
        self._collections[made.rating_key] = made
        self._tag_items()
        self._touch(made.library_key, made.rating_key, "collection", made.title, state)
        return made

    def _tag_items(self) -> None:
        """Give every shelf the collection tags of its items; smart collections tag nothing."""
        tags: dict[str, tuple[Tag, ...]] = {}
        for made in self._collections.values():
            for key in made.item_keys:
                tags[key] = (*tags.get(key, ()), Tag(made.tag_id, made.title))
        for shelf in self._shelves.values():
            shelf.collection_tags = lambda key: tags.get(key, ())
            shelf.forget()

    # Changing playlists

    def add_playlist(
        self,
        user: User,
        title: str,
        playlist_type: str,
        item_keys: Sequence[str] = (),
        content: str | None = None,
    ) -> Playlist:
        with self._lock:
            key = self._next_playlist
            self._next_playlist += 1
            made = Playlist(
                rating_key=str(key),
                guid=f"com.plexapp.agents.none://{self._dice.uuid(key, 5)}",
                user_id=user.id,
                title=title,
                playlist_type=playlist_type,
                added_at=self.now(),
                updated_at=self.now(),
                smart=content is not None,
                content=content,
            )
            self._playlists[made.rating_key] = made
            return self.extend_playlist(made.rating_key, item_keys)

    def extend_playlist(self, rating_key: str, item_keys: Sequence[str]) -> Playlist:
        """Append items; unlike a collection, a playlist may hold an item twice."""
        with self._lock:
            entries = []
            for key in item_keys:
                entries.append(Entry(self._next_entry, key))
                self._next_entry += 1
            before = self._playlists[rating_key].entries
            return self.change_playlist(rating_key, entries=(*before, *entries))

    def change_playlist(self, rating_key: str, **attributes: Any) -> Playlist:
        with self._lock:
            before = self._playlists[rating_key]
            stamp = max(self.now(), before.updated_at + 1)
            made = replace(before, updated_at=stamp, **attributes)
            self._playlists[rating_key] = made
            return made

    def remove_playlist(self, rating_key: str) -> None:
        with self._lock:
            del self._playlists[rating_key]
