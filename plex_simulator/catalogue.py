"""The catalogue: everything that the simulated server holds, and all methods that change it.

Tests compare responses with the catalogue. It does not depend on HTTP or XML.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from plex_simulator.default_collections import FIRST_COLLECTION_KEY, make_collections
from plex_simulator.default_playlists import FIRST_PLAYLIST_KEY, make_playlists
from plex_simulator.generation.metadata import DAY
from plex_simulator.models import (
    TYPE_NAMES,
    Account,
    Collection,
    Item,
    Library,
    Playlist,
    PlaylistEntry,
    Tag,
    WatchState,
)
from plex_simulator.queries import select
from plex_simulator.seeded_random import SeededRandom
from plex_simulator.sizes import Sizes
from plex_simulator.tables import (
    AlbumTable,
    ArtistTable,
    EpisodeTable,
    HomeVideoTable,
    MovieTable,
    PhotoAlbumTable,
    PhotoTable,
    SeasonTable,
    ShowTable,
    TrackTable,
)
from plex_simulator.tables.item_table import ItemSequence, ItemTable
from plex_simulator.visibility import is_visible, share_filter, visible_indexes

# key, type, title, agent, scanner, location, hidden, item types
LIBRARIES: tuple[tuple[str, str, str, str, str, str, int, tuple[str, ...]], ...] = (
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
LIBRARY_KEYS = tuple(row[0] for row in LIBRARIES)

NO_COLLECTIONS = "little_kid"  # the age profile that sees no collections

PlaylistRow = tuple[int, ItemTable, int]  # entry id, table and index of the item

# The state of an item in a timeline notification.
CREATED, UPDATED, DELETED = 0, 5, 9


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an item or collection, as listeners receive it."""

    library_key: str
    rating_key: str
    type: str
    title: str
    state: int  # CREATED, UPDATED or DELETED
    at: int


class Catalogue:
    """The libraries, items, collections and playlists of the server.

    The same seed, sizes and start time give the same catalogue. The first two accounts are the
    owner and the viewer, who have playlists. More accounts can join later.
    """

    def __init__(
        self,
        seed: int,
        now: int,
        sizes: Sizes,
        accounts: Sequence[Account],
        *,
        edge_cases: bool = False,
    ) -> None:
        self.started_at = now
        self._clock_started_at = time.monotonic()
        self._lock = threading.RLock()
        self.listeners: list[Callable[[Change], None]] = []
        self.users = accounts
        self.owner, self.viewer = accounts[:2]
        self._rng = SeededRandom(seed, 99)
        self._tables = self._make_tables(seed, now, sizes, edge_cases)
        self._tables_by_number = {table.number: table for table in self._tables.values()}
        self._libraries = {
            row[0]: self._make_library(number, row) for number, row in enumerate(LIBRARIES)
        }
        collection_tables = [
            self._tables["1", "movie"], self._tables["2", "show"], self._tables["5", "artist"]
        ]  # fmt: skip
        self._collections = {
            collection.rating_key: collection
            for collection in make_collections(self._rng, now, collection_tables, sizes.collections)
        }
        self._playlists = {
            playlist.rating_key: playlist
            for playlist in make_playlists(self._rng, now, self.owner, self.viewer, self._tables)
        }
        self._next_collection_key = FIRST_COLLECTION_KEY + 5_000
        self._next_playlist_key = FIRST_PLAYLIST_KEY + 5_000
        self._next_entry_id = 900_001
        self._update_collection_tags()

    def _make_tables(
        self, seed: int, now: int, sizes: Sizes, edge_cases: bool
    ) -> dict[tuple[str, str], ItemTable]:
        common = (seed, now, self.users, edge_cases)
        movies = MovieTable(*common, "1", 0, count=sizes.movies)
        shows = ShowTable(*common, "2", 1, count=sizes.shows, seasons=sizes.seasons)
        seasons = SeasonTable(*common, "2", 2, shows=shows, episodes=sizes.episodes)
        episodes = EpisodeTable(*common, "2", 3, seasons=seasons)
        artists = ArtistTable(*common, "5", 4, count=sizes.artists, albums=sizes.albums)
        albums = AlbumTable(*common, "5", 5, artists=artists, tracks=sizes.tracks)
        tracks = TrackTable(*common, "5", 6, albums=albums)
        photo_albums = PhotoAlbumTable(
            *common, "6", 7, count=sizes.photo_albums, photos=sizes.photos
        )
        photos = PhotoTable(*common, "6", 8, albums=photo_albums)
        videos = HomeVideoTable(*common, "8", 9, count=sizes.videos)
        hidden = MovieTable(*common, "11", 10, count=sizes.hidden, legacy=True)
        tables = (
            movies, shows, seasons, episodes, artists, albums, tracks, photo_albums, photos,
            videos, hidden,
        )  # fmt: skip
        return {(table.library_key, table.type): table for table in tables}

    def _make_library(self, number: int, row: Any) -> Library:
        key, library_type, title, agent, scanner, location, hidden, item_types = row
        return Library(
            key=key,
            type=library_type,
            title=title,
            agent=agent,
            scanner=scanner,
            language="xn" if agent.endswith("none") else "en-US",
            uuid=self._rng.uuid(number, 9),
            location=location,
            hidden=hidden,
            created_at=self.started_at - (2_200 - number) * DAY,
            updated_at=self.started_at - (number + 1) * DAY,
            scanned_at=self.started_at - (number + 1) * 3600,
            # Recent servers send numbers above 2**53, which JavaScript cannot represent exactly.
            content_changed_at=7_726_555_702_310_039_813 + number * 1_009,
            item_types=item_types,
        )

    def now(self) -> int:
        """Return the server's time: the start time plus the seconds that passed since."""
        return self.started_at + int(time.monotonic() - self._clock_started_at)

    # Reading

    @property
    def libraries(self) -> tuple[Library, ...]:
        return tuple(self._libraries.values())

    def library(self, key: str) -> Library | None:
        return self._libraries.get(key)

    def table(self, library_key: str, type: str) -> ItemTable:
        return self._tables[library_key, type]

    def items(self, library_key: str, type: str) -> ItemSequence:
        """List the items of one type in a library in rating key order."""
        return self._tables[library_key, type].items()

    def find(self, rating_key: str) -> tuple[ItemTable, int] | None:
        """Return the table and index of an item, or None if there is no such item."""
        if not rating_key.isascii() or not rating_key.isdigit() or len(rating_key) > 12:
            return None
        table = self._tables_by_number.get(int(rating_key) // 1_000_000)
        if table is None:
            return None
        try:
            return table, table.index(rating_key)
        except ValueError:
            return None

    def find_visible(self, user: Account, rating_key: str) -> tuple[ItemTable, int] | None:
        """Return the table and index of an item, or None if the user does not see it."""
        found = self.find(rating_key)
        if found is None or not user.may_see(found[0].library_key):
            return None
        table, index = found
        return found if is_visible(table, user, index) else None

    def item(self, rating_key: str) -> Item | None:
        found = self.find(rating_key)
        return found[0].item(found[1]) if found else None

    def children(self, rating_key: str) -> list[Item]:
        """List the children of an item, for instance the seasons of a show."""
        found = self.find(rating_key)
        if found is None:
            return []
        table, index = found
        return [table.child_table().item(child) for child in table.children(index)]

    def collections(self, library_key: str | None = None) -> list[Collection]:
        """List the collections of one library, or of all libraries, by sort title."""
        found = [
            collection
            for collection in self._collections.values()
            if library_key in (None, collection.library_key)
        ]
        return sorted(found, key=lambda collection: collection.sort_title.casefold())

    def collection(self, rating_key: str) -> Collection | None:
        return self._collections.get(rating_key)

    def visible_collections(self, user: Account, library_key: str) -> list[Collection]:
        """List the collections of a library that a user sees, by sort title."""
        found = self.collections(library_key)
        return [collection for collection in found if self.may_see_collection(user, collection)]

    def visible_collection(self, user: Account, rating_key: str) -> Collection | None:
        """Return a collection, or None if there is none or the user does not see it."""
        collection = self._collections.get(rating_key)
        if collection is None or not self.may_see_collection(user, collection):
            return None
        return collection

    def may_see_collection(self, user: Account, collection: Collection) -> bool:
        """Return whether a user sees a collection; not if the user sees no item of it."""
        if not user.may_see(collection.library_key) or user.restriction_profile == NO_COLLECTIONS:
            return False
        table = self._tables[collection.library_key, collection.subtype]
        is_filtered = bool(share_filter(table, user))
        return not is_filtered or len(self.collection_items(collection.rating_key, user)) > 0

    def collection_items(self, rating_key: str, user: Account | None = None) -> ItemSequence:
        """List the items of a collection that a user sees, by default the owner, in its order."""
        collection, user = self._collections[rating_key], user or self.owner
        if collection.content is not None:
            watcher = user if collection.filter_user else self.owner
            return self.run_query(collection.content, user, watcher=watcher)
        table = self._tables[collection.library_key, collection.subtype]
        found = map(table.find_index, collection.item_keys)
        indexes = [index for index in found if index is not None]
        if collection.sort == 0:
            released = table.column("originallyAvailableAt", self.owner)
            indexes.sort(key=lambda index: released[index] or "")
        elif collection.sort == 1:
            indexes.sort(key=table.column("titleSort", self.owner).__getitem__)
        return table.items(visible_indexes(table, user, indexes))

    def collection_summary(
        self, rating_key: str, user: Account
    ) -> tuple[int, int | None, int | None]:
        """Return the number of items of a collection, their first year and their last year."""
        items = self.collection_items(rating_key, user)
        years = [year for year in items.values("year", user) if year is not None]
        return len(items), min(years, default=None), max(years, default=None)

    @property
    def playlists(self) -> tuple[Playlist, ...]:
        return tuple(self._playlists.values())

    def playlist(self, rating_key: str) -> Playlist | None:
        return self._playlists.get(rating_key)

    def playlist_rows(self, rating_key: str) -> list[PlaylistRow]:
        """List the entries of a playlist that is not smart, without those of hidden items."""
        playlist = self._playlists[rating_key]
        user = self._playlist_user(playlist)
        entries = playlist.entries
        found = [(entry.id, self.find_visible(user, entry.rating_key)) for entry in entries]
        return [(entry_id, *place) for entry_id, place in found if place is not None]

    def playlist_summary(self, rating_key: str) -> tuple[int, int]:
        """Return the number of items of a playlist and their duration in milliseconds."""
        playlist = self._playlists[rating_key]
        if playlist.content is not None:
            user = self._playlist_user(playlist)
            durations = self.run_query(playlist.content, user, leaves=True).values("duration", user)
        else:
            rows = self.playlist_rows(rating_key)
            durations = [table.column("duration", self.owner)[index] for _, table, index in rows]
        return len(durations), sum(filter(None, durations))

    def _playlist_user(self, playlist: Playlist) -> Account:
        return next(user for user in self.users if user.id == playlist.user_id)

    def run_query(
        self, content: str, user: Account, *, watcher: Account | None = None, leaves: bool = False
    ) -> ItemSequence:
        """List the items that the query of a smart collection or playlist selects for a user.

        The watch states are those of the `watcher`, by default of the user. With `leaves`, list
        what can be played: for a query of shows, their episodes.
        """
        parts = urlsplit(content)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        library_key = parts.path.split("/")[3]
        table = self._queried_table(library_key, dict(pairs).get("type", ""))
        if table is None or not user.may_see(library_key):
            return next(iter(self._tables.values())).items(())
        table = [table, *table.descendant_tables()][-1] if leaves else table
        selected = select(table, watcher or user, pairs, self.now())
        indexes = visible_indexes(table, user, selected)
        limit = dict(pairs).get("limit", "")
        return table.items(indexes[: int(limit) if limit.isdigit() else None])

    def _queried_table(self, library_key: str, number: str) -> ItemTable | None:
        library = self._libraries.get(library_key)
        if library is None:
            return None
        item_type = TYPE_NAMES.get(int(number)) if number.isdigit() else library.item_types[0]
        return self._tables.get((library_key, str(item_type)))

    def storage(self, library_key: str) -> tuple[int, int]:
        """Return the total size in bytes and duration in milliseconds of a library's files."""
        return self._tables[
            library_key, self._libraries[library_key].item_types[-1]
        ].total_storage()

    # Changing items

    def add(self, library_key: str, type: str, title: str, **attributes: Any) -> Item:
        """Add an item, with the current time as its date.

        Seasons, episodes, albums, tracks and photos need a `parent_rating_key`.
        """
        with self._lock:
            table = self._tables[library_key, type]
            key = table.key(len(table))
            if table.parent is not None:
                parent = self.item(str(attributes.get("parent_rating_key")))
                if parent is None or parent.type != table.parent.type:
                    raise ValueError(f"{type} needs the parent_rating_key of a {table.parent.type}")
                attributes = self._inherited_attributes(table, parent) | attributes
            defaults = {"guid": f"local://{key}", "added_at": self.now()}
            attributes = {**defaults, **attributes}
            item = Item(
                rating_key=key, library_key=library_key, type=type, title=title, **attributes
            )
            index = table.append(item)
            self._record_change(table, index, item, CREATED)
            return table.item(index)

    def _inherited_attributes(self, table: ItemTable, parent: Item) -> dict[str, Any]:
        """Return the attributes that a new child takes from its parent and grandparent."""
        siblings = self.children(parent.rating_key)
        attributes: dict[str, Any] = {
            "parent_title": parent.title,
            "parent_guid": parent.guid,
            "parent_thumb": parent.thumb,
            "index": 1 + max((child.index or 0 for child in siblings), default=0),
            "parent_index": parent.index,
            "art": parent.art,
        }
        if table.parent is not None and table.parent.parent is not None:
            attributes |= {
                "grandparent_rating_key": parent.parent_rating_key,
                "grandparent_guid": parent.parent_guid,
                "grandparent_title": parent.parent_title,
                "grandparent_thumb": parent.parent_thumb,
            }
        return attributes

    def change(self, rating_key: str, **attributes: Any) -> Item:
        """Change attributes of an item, for instance its title, and set `updated_at` to now."""
        with self._lock:
            table, index = self._locate(rating_key)
            relatives = table.relatives(index)
            item = table.base_item(index)
            # Two changes in the same second must differ in updated_at, too.
            updated_at = max(self.now(), (item.updated_at or 0) + 1)
            item = replace(item, **{"updated_at": updated_at, **attributes})
            table.set_item(index, item)
            self._record_change(table, index, item, UPDATED, relatives)
            return table.item(index)

    def remove(self, rating_key: str) -> None:
        """Remove an item and its descendants."""
        with self._lock:
            table, index = self._locate(rating_key)
            item = table.item(index)
            for child in self.children(rating_key):
                self.remove(child.rating_key)
            relatives = table.relatives(index)
            table.remove(index)
            self._record_change(table, index, item, DELETED, relatives)

    def mark_watched(
        self, rating_key: str, user: Account | None = None, *, watched: bool = True
    ) -> None:
        """Mark an item, or all its descendants, as watched once more or as unwatched.

        The listeners are not notified: what an account has watched is no change of the library. The
        recorded events of a mark are a refresh that changed nothing.
        """
        with self._lock:
            table, index = self._locate(rating_key)
            user = user or self.owner
            for child in self.children(rating_key):
                self.mark_watched(child.rating_key, user, watched=watched)
            if table.child is None:
                before = table.watch_state(index, user)
                after = WatchState(user_rating=before.user_rating)
                if watched:
                    after = WatchState(before.view_count + 1, 0, self.now(), before.user_rating)
                table.set_watch_state(index, user, after)
            self._note_change(table, index, table.relatives(index))

    def set_progress(self, rating_key: str, user: Account, view_offset: int) -> None:
        """Set the resume point of an item in milliseconds.

        The listeners are not notified, because clients report their progress every few seconds.
        """
        with self._lock:
            table, index = self._locate(rating_key)
            before = table.watch_state(index, user)
            after = replace(before, view_offset=view_offset, last_viewed_at=self.now())
            table.set_watch_state(index, user, after)
            self._note_change(table, index, table.relatives(index))

    def rate(self, rating_key: str, user: Account, rating: float | None) -> None:
        """Set or remove a user's rating of an item."""
        with self._lock:
            table, index = self._locate(rating_key)
            watch_state = replace(table.watch_state(index, user), user_rating=rating)
            table.set_watch_state(index, user, watch_state)
            self._note_change(table, index, table.relatives(index))

    def _locate(self, rating_key: str) -> tuple[ItemTable, int]:
        """Return the table and index of an item; raise KeyError if there is no such item."""
        found = self.find(rating_key)
        if found is None:
            raise KeyError(rating_key)
        return found

    def _record_change(
        self,
        table: ItemTable,
        index: int,
        item: Item,
        state: int,
        relatives: Iterable[tuple[ItemTable, int]] = (),
    ) -> None:
        """Note a change and tell the listeners; `relatives` are those before the change."""
        if state != DELETED:
            relatives = {*relatives, *table.relatives(index)}
        self._note_change(table, index, relatives)
        self._notify(table.library_key, item.rating_key, item.type, item.title, state)

    def _note_change(
        self, table: ItemTable, index: int, relatives: Iterable[tuple[ItemTable, int]]
    ) -> None:
        """Let the tables of a library follow the change of an item and of its relatives."""
        for changed_table, changed_index in ((table, index), *relatives):
            changed_table.note_change(changed_index)
        for other in self._tables.values():
            if other.library_key == table.library_key:
                other.clear_results()

    def _notify(self, library_key: str, rating_key: str, type: str, title: str, state: int) -> None:
        """Update the dates of a library and call the listeners."""
        library, now = self._libraries[library_key], self.now()
        self._libraries[library_key] = replace(
            library,
            updated_at=max(now, library.updated_at),
            scanned_at=max(now, library.scanned_at),
            content_changed_at=library.content_changed_at + 1,
        )
        change = Change(library_key, rating_key, type, title, state, now)
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
        """Add a collection, which is smart if it has a query as its `content`."""
        with self._lock:
            key = self._next_collection_key
            self._next_collection_key += 1
            collection = Collection(
                rating_key=str(key),
                tag_id=key * 3,
                guid=f"collection://{self._rng.uuid(key, 4)}",
                library_key=library_key,
                subtype=subtype,
                title=title,
                added_at=self.now(),
                updated_at=self.now(),
                item_keys=tuple(dict.fromkeys(item_keys)),
                smart=content is not None,
                content=content,
            )
            return self._store_collection(collection, CREATED)

    def change_collection(self, rating_key: str, **attributes: Any) -> Collection:
        """Change attributes of a collection, and set `updated_at` to now."""
        with self._lock:
            collection = self._collections[rating_key]
            updated_at = max(self.now(), collection.updated_at + 1)
            collection = replace(collection, updated_at=updated_at, **attributes)
            return self._store_collection(collection, UPDATED)

    def remove_collection(self, rating_key: str) -> None:
        with self._lock:
            collection = self._collections.pop(rating_key)
            self._update_collection_tags()
            self._notify_collection(collection, DELETED)

    def _store_collection(self, collection: Collection, state: int) -> Collection:
        self._collections[collection.rating_key] = collection
        self._update_collection_tags()
        self._notify_collection(collection, state)
        return collection

    def _notify_collection(self, collection: Collection, state: int) -> None:
        self._notify(
            collection.library_key, collection.rating_key, "collection", collection.title, state
        )

    def _update_collection_tags(self) -> None:
        """Give every table the collection tags of its items; smart collections tag no items."""
        tags: dict[str, tuple[Tag, ...]] = {}
        for collection in self._collections.values():
            for key in collection.item_keys:
                tags[key] = (*tags.get(key, ()), Tag(collection.tag_id, collection.title))
        for table in self._tables.values():
            table.set_collection_tags(tags)

    # Changing playlists

    def add_playlist(
        self,
        user: Account,
        title: str,
        playlist_type: str,
        item_keys: Sequence[str] = (),
        content: str | None = None,
    ) -> Playlist:
        """Add a playlist, which is smart if it has a query as its `content`."""
        with self._lock:
            key = self._next_playlist_key
            self._next_playlist_key += 1
            playlist = Playlist(
                rating_key=str(key),
                guid=f"com.plexapp.agents.none://{self._rng.uuid(key, 5)}",
                user_id=user.id,
                title=title,
                playlist_type=playlist_type,
                added_at=self.now(),
                updated_at=self.now(),
                smart=content is not None,
                content=content,
            )
            self._playlists[playlist.rating_key] = playlist
            return self.extend_playlist(playlist.rating_key, item_keys)

    def extend_playlist(self, rating_key: str, item_keys: Sequence[str]) -> Playlist:
        """Append items; unlike a collection, a playlist can hold the same item twice."""
        with self._lock:
            entries = []
            for key in item_keys:
                entries.append(PlaylistEntry(self._next_entry_id, key))
                self._next_entry_id += 1
            before = self._playlists[rating_key].entries
            return self.change_playlist(rating_key, entries=(*before, *entries))

    def change_playlist(self, rating_key: str, **attributes: Any) -> Playlist:
        """Change attributes of a playlist, and set `updated_at` to now."""
        with self._lock:
            playlist = self._playlists[rating_key]
            updated_at = max(self.now(), playlist.updated_at + 1)
            playlist = replace(playlist, updated_at=updated_at, **attributes)
            self._playlists[rating_key] = playlist
            return playlist

    def remove_playlist(self, rating_key: str) -> None:
        with self._lock:
            del self._playlists[rating_key]
