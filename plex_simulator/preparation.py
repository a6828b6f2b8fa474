"""Prepare large libraries in the background, so that the first request does not wait for it.

The columns, sort orders and tag indexes of 250,000 movies take some seconds to compute. Small
libraries compute them when they are first used.
"""

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from plex_simulator import filter_options
from plex_simulator.catalogue import Catalogue
from plex_simulator.fields import FIELDS, TYPE_FIELDS
from plex_simulator.models import Account
from plex_simulator.queries import default_sort, read_sort
from plex_simulator.tables.item_table import ItemTable

LARGE = 5_000

Step = Callable[[], object]


class Preparation:
    """The background threads that prepare a catalogue, one for each group of accounts.

    Each step holds the lock of one library for a second at most.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self.prepare(list(catalogue.users))

    def prepare(self, users: Sequence[Account]) -> None:
        """Start to prepare large libraries for some accounts."""
        thread = threading.Thread(
            target=self._run, args=(users,), name="plex-preparation", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    @property
    def is_done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def wait(self) -> None:
        """Wait until everything is prepared."""
        for thread in self._threads:
            thread.join()

    def stop(self) -> None:
        """Stop after the step that is running now."""
        self._stopped.set()

    def _run(self, users: Sequence[Account]) -> None:
        steps = list(list_steps(self._catalogue, users))
        for step in steps:
            if self._stopped.is_set():
                return
            step()
        if steps:
            # The garbage collector would visit millions of values, during a request.
            gc.freeze()


def list_steps(catalogue: Catalogue, users: Sequence[Account]) -> Iterator[Step]:
    """Yield what there is to compute for some accounts in libraries that have a large table."""
    for library in catalogue.libraries:
        tables = [catalogue.table(library.key, item_type) for item_type in library.item_types]
        if any(len(table) >= LARGE for table in tables):
            members = [user for user in users if user.may_see(library.key)]
            for table in tables:
                yield from _table_steps(table, members)
            yield tables[-1].total_storage


def _table_steps(table: ItemTable, users: Sequence[Account]) -> Iterator[Step]:
    offered = filter_options.SORTS[table.type] + filter_options.ADVANCED_SORTS.get(table.type, [])
    for sort in [default_sort(table.type), *(sort for sort, _, _ in offered)]:
        yield from _sort_steps(table, users, sort)
    for field in sorted(TYPE_FIELDS[table.type]):
        if FIELDS[field].type == "tag":
            yield partial(table.tag_names, field)
        else:
            yield from _sort_steps(table, users, field)
    for ancestor in table.ancestor_tables():
        yield partial(table.ancestor_column, ancestor)
    yield table.external_ids


def _sort_steps(table: ItemTable, users: Sequence[Account], sort: str) -> Iterator[Step]:
    """Yield a sort in both directions of its first field; fields alike for all users only once."""
    first, *others = sort.split(",")
    if "random" in sort:
        return
    for direction in ("asc", "desc"):
        fields = read_sort(table, ",".join([f"{first.partition(':')[0]}:{direction}", *others]))
        for user in users:
            yield partial(table.order, user, fields)
