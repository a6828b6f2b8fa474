"""One write, from its claim to the drop of what it touched.

Writes to the same collection or playlist come one after another, over all workers: who looks what
is in it may trust that until it has written. Whatever a write has touched is dropped from the cache
when it ends, however it ends, and before it is answered.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from uuid import uuid4

from plex_integration.caching import response_cache, tags
from medianest import store
from plex_integration.writing.idempotency import Answered, Once, Unfinished
from plex_integration.writing.operation import Work
from plex_integration.errors import PlexServerUnavailable, WriteInProgress
from medianest.api.exceptions import Problem

log = logging.getLogger(__name__)

WAIT_STEP = 0.03
# How much longer than the time of its write a claim may outlive a worker that died.
OUTLIVED = 5.0


def done(
    act: Callable[[Work], Answered],
    once: Once,
    unfinished: Unfinished | None,
    target: str,
    deadline: float,
) -> tuple[Answered, bool]:
    """Do a write, or return the answer that its key has; tell which of both it is.

    `unfinished` is for creations; `target` names what no two may write to at once; `deadline` is
    of `time.monotonic()`.
    Raises IdempotencyKeyReused, WriteInProgress, and what the write raises.
    """
    with _claimed([once.name, target] if once.name else [target], deadline):
        if answered := once.answered():
            return answered, True
        doing = Work(dry_run=False, begin=once.begin)
        if unfinished:
            doing.unfinished, doing.leave = unfinished.read(), unfinished.leave
        try:
            answer = act(doing)
        finally:
            _drop(doing)
        if unfinished:
            unfinished.leave(None)
        once.end(answer)
        return answer, False


@contextmanager
def _claimed(names: Sequence[str], deadline: float) -> Iterator[None]:
    """Hold claims, waiting for others' to end. Raises WriteInProgress at the deadline."""
    holder = uuid4().hex
    with ExitStack() as held:
        for name in (f"claim:{each}" for each in names):
            left = round((max(0.0, deadline - time.monotonic()) + OUTLIVED) * 1000)
            while not store.current().claim(name, holder, left):
                if time.monotonic() >= deadline:
                    raise WriteInProgress
                time.sleep(WAIT_STEP)
            held.callback(store.current().give_up, name, holder)
        yield


@contextmanager
def asking() -> Iterator[None]:
    """Leave a Plex that fails in peace, as reading does, and count what it does now."""
    current = store.current()
    wait = current.wait_to_ask(response_cache.FAILURES, response_cache.PAUSE)
    if wait > 0:
        raise PlexServerUnavailable(headers={"Retry-After": str(max(1, round(wait + 0.5)))})
    try:
        yield
    except PlexServerUnavailable:
        current.failed(response_cache.FAILURES)
        raise
    except Problem:
        current.answered()
        raise
    current.answered()


def _drop(doing: Work) -> None:
    dropped = frozenset(tag for what in doing.touched for tag in tags.touched(what))
    if dropped and not response_cache.drop(dropped):
        log.warning("Redis is away: it is told what was written when it is back")
