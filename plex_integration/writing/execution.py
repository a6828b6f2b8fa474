"""One write from its locks to the invalidation of what it wrote.

Writes to the same collection or playlist run one after another, over all workers: no other write
of this service changes what a write has read before it has written. The responses that show what
was written are invalidated before the client gets its response, also when the write failed.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from medianest.serving import upstream
from plex_integration.caching import failures
from plex_integration.writing.idempotency import WriteResponse
from plex_integration.writing.operation import Operation

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Executed:
    """The response of a write, and whether it is repeated from the record of the first."""

    response: WriteResponse
    is_replayed: bool = False


def execute(write: Callable[[Operation], WriteResponse], operation: Operation) -> Executed:
    """Carry out a write, or return the response that is recorded for its Idempotency-Key.

    Raises IdempotencyKeyReused, WriteInProgress, what the write raises, and UpstreamNeeded where
    this thread must wait neither for Plex nor for another write.
    """
    if recorded := operation.idempotency.response():
        return Executed(recorded, is_replayed=True)
    if not upstream.may_wait():
        raise failures.busy()
    with operation.locks as held:
        for name in filter(None, (operation.idempotency.name, operation.target)):
            held.lock(name)
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


def _invalidate(operation: Operation) -> None:
    written = {tag for each in operation.written for tag in each.tags()}
    if written and not operation.invalidate(written):
        log.warning(
            "Redis is unavailable: the affected responses are invalidated "
            "when it is available again"
        )
