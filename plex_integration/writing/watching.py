"""Write what a viewer has watched: one service per endpoint.

Plex counts each mark as one more view. So a state is read, written only if something is left to do,
and read back, while no other write of this service changes the same viewer's item.
"""

from medianest.api.exceptions import Problem
from plex_integration.configuration import runtime
from plex_integration.plex.watching import WatchClient, WatchState
from plex_integration.writing.operation import Operation, Outcome, WriteRequest
from plex_integration.writing.played_threshold import played_percent
from plex_integration.writing.states import item_details, state_after
from plex_integration.writing.watch_changes import Change, NotWatched, Progress, Watched


def mark_watched(operation: Operation, client: WatchClient, request: WriteRequest) -> Outcome:
    """Mark an item as watched, or the unwatched episodes of a show or season."""
    return _carry_out(operation, client, request, Watched())


def mark_unwatched(operation: Operation, client: WatchClient, request: WriteRequest) -> Outcome:
    """Remove the marks and resume points of an item and its episodes."""
    return _carry_out(operation, client, request, NotWatched())


def set_progress(operation: Operation, client: WatchClient, request: WriteRequest) -> Outcome:
    """Set where to resume an item."""
    percent = played_percent(runtime.required_connection())
    change = Progress(request.body["viewOffset"], percent)
    return _carry_out(operation, client, request, change)


def _carry_out(
    operation: Operation, client: WatchClient, request: WriteRequest, change: Change
) -> Outcome:
    key = request.ids["ratingKey"]
    before = _checked(client, key, change)
    if operation.dry_run:
        return _outcome(operation, before, before, changed=bool(change.left(before)))
    if change.left(before) and change.reads_marks and before.show:
        # The show may be marked at the same moment, and with it what belongs to it.
        operation.lock_also(before.show)
        before = _checked(client, key, change)
    if not change.left(before):
        return _outcome(operation, before, before, changed=False)
    operation.will_write(change.written(before))
    _send(client, key, change, before)
    after = client.start(client.state, key).result_or_none()
    return _outcome(operation, before, after, changed=after != before)


def _checked(client: WatchClient, key: str, change: Change) -> WatchState:
    state = client.state(key)
    change.check(state)
    return state


def _send(client: WatchClient, key: str, change: Change, before: WatchState) -> None:
    """Send a change; where Plex fails, raise that only if something is left to do."""
    left = change.left(before)
    try:
        client.write_each(change.send(client), left)
    except Problem as problem:
        state = client.start(client.state, key).result_or_none()
        left = left if state is None else change.left(state)
        if left:
            otherwise = state_after(problem, is_readable=state is not None)
            problem.details = {"items": item_details(dict.fromkeys(left, otherwise))}
            raise


def _outcome(
    operation: Operation, before: WatchState, after: WatchState | None, *, changed: bool
) -> Outcome:
    data = {
        "dryRun": operation.dry_run,
        "changed": changed,
        "item": after and after.item,
        "before": before.item,
    }
    return Outcome(data)
