"""One write from its locks to the invalidation of what it wrote.

Writes to the same collection or playlist run one after another, over all workers: no other write
of this service changes what a write has read before it has written. The responses that show what
was written are invalidated before the client gets its response, also when the write failed.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from uuid import uuid4

from medianest.serving import upstream
from plex_integration.caching import failures, tags
from plex_integration.errors import WriteInProgress
from plex_integration.writing import locks
from plex_integration.writing.idempotency import WriteResponse
from plex_integration.writing.operation import Operation

log = logging.getLogger(__name__)

MAX_WAIT = math.inf
"""Seconds to wait for another write, where the deadline is not sooner."""
POLL_SECONDS = 0.03
LOCK_MARGIN = 5.0
"""Seconds beyond the deadline after which a lock expires whose worker died."""


@dataclass(frozen=True)
class Executed:
    """The response of a write, and whether it is repeated from the record of the first."""

    response: WriteResponse
    is_replayed: bool = False


def execute(
    write: Callable[[Operation], WriteResponse], operation: Operation, deadline: float
) -> Executed:
    """Carry out a write, or return the response that is recorded for its Idempotency-Key.

    `deadline` is a moment of `time.monotonic()`. Raises IdempotencyKeyReused, WriteInProgress, what
    the write raises, and UpstreamNeeded where this thread must wait neither for Plex nor for
    another write.
    """
    if recorded := operation.idempotency.response():
        return Executed(recorded, is_replayed=True)
    if not upstream.may_wait():
        raise failures.busy()
    names = [name for name in (operation.idempotency.name, operation.target) if name]
    with _locked(names, deadline):
        if recorded := operation.idempotency.response():
            return Executed(recorded, is_replayed=True)
        return Executed(_carry_out(write, operation))


def _carry_out(write: Callable[[Operation], WriteResponse], operation: Operation) -> WriteResponse:
    try:
        response = write(operation)
    finally:
        _invalidate(operation)
    # In this order: a worker that dies in between must not make a retry create a second list.
    operation.idempotency.end(response)
    operation.unfinished.delete()
    return response


@contextmanager
def _locked(names: Sequence[str], deadline: float) -> Iterator[None]:
    """Hold locks, waiting for other writes to release them. Raises WriteInProgress."""
    holder = uuid4().hex
    with ExitStack() as held:
        for name in names:
            _lock(name, holder, deadline)
            held.callback(locks.unlock, name, holder)
        yield


def _lock(name: str, holder: str, deadline: float) -> None:
    now = time.monotonic()
    wait_until = min(deadline, now + MAX_WAIT)
    seconds = max(0.0, deadline - now) + LOCK_MARGIN
    while not locks.lock(name, holder, seconds):
        if time.monotonic() >= wait_until:
            raise WriteInProgress
        time.sleep(POLL_SECONDS)


def _invalidate(operation: Operation) -> None:
    written = {tag for each in operation.written for tag in each.tags()}
    if written and not tags.invalidate(written):
        log.warning(
            "Redis is unavailable: the affected responses are invalidated "
            "when it is available again"
        )
