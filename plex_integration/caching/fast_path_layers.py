"""The fast path under ASGI and under WSGI: how each reads what `fast_path.respond` asks for."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import DatabaseError

from accounts import stamps
from medianest import store
from medianest.api.limits import READING
from medianest.api.middleware import STARTED
from medianest.api.request_facts import FACTS
from medianest.serving import upstream
from medianest.serving.handler import CARRIED
from medianest.serving.request_head import RequestHead
from medianest.serving.responses import (
    Application,
    PlainResponse,
    Receive,
    Scope,
    Send,
    add_facts,
)
from medianest.serving.threads import Busy, Threads
from medianest.store import Stamp
from plex_integration.caching import projection
from plex_integration.caching.fast_path import (
    PREFIX,
    CheckAccessLater,
    CheckUserLater,
    LoadUser,
    Passed,
    Project,
    ReadFast,
    ReadSettings,
    ReadSettingsLater,
    ReadValue,
    Step,
    respond,
)
from plex_integration.configuration import runtime
from plex_integration.configuration.runtime import Snapshot

BATCH_SECONDS = 1.0
"""For how long the background collects the users whose stamps it compares with the database."""

Result = PlainResponse | Passed | None


CheckAccess = Callable[[str], None]
"""Checks whether a user's Plex account still has access; it waits for Plex, and never raises."""


class AsgiFastPath:
    """Answer hits in the event loop; what needs the database is read in the general threads.

    `check_access` runs in the waiting threads.
    """

    def __init__(
        self, app: Application, general: Threads, waiting: Threads, check_access: CheckAccess
    ) -> None:
        self._app, self._general, self._waiting = app, general, waiting
        self._check_access = check_access
        self._checked_users: dict[str, asyncio.Task[None]] = {}
        self._due_users: dict[str, Stamp | None] = {}
        self._are_settings_due = False
        self._background: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "GET" and PREFIX in scope["path"]:
            head = RequestHead.of_scope(scope)
            if head is not None:
                result = await self._result(head)
                if isinstance(result, PlainResponse):
                    if FACTS in scope:
                        add_facts(scope, result)
                    await result.send(send)
                    return
                scope[CARRIED] = _carried(head, result)
        await self._app(scope, receive, send)

    async def _result(self, head: RequestHead) -> Result:
        steps, found = respond(head), None
        try:
            while True:
                found = await self._perform(steps.send(found))
        except StopIteration as end:
            result: Result = end.value
            return result

    async def _perform(self, step: Step) -> Any:
        shared = store.current()
        match step:
            case ReadFast(key, stamped, size, read_scope):
                return await shared.read_fast_in_loop(key, stamped, size, read_scope)
            case ReadValue(key):
                return await shared.read_value_in_loop(key)
            case CheckUserLater(user_id, seen):
                self._due_users[user_id] = seen
                self._start_background()
            case CheckAccessLater(user_id):
                self._start_access_check(user_id)
            case ReadSettingsLater():
                self._are_settings_due = True
                self._start_background()
            case LoadUser() | Project() | ReadSettings():
                return await self._run(_perform, step)
        return None

    async def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return await self._general.run(function, *arguments)
        except Busy:
            return None

    def _start_background(self) -> None:
        if self._background is None or self._background.done():
            self._background = asyncio.ensure_future(self._check_in_background())

    def _start_access_check(self, user_id: str) -> None:
        """Check a user's access, unless this process is doing that already."""
        if user_id not in self._checked_users:
            check = asyncio.ensure_future(self._run_access_check(user_id))
            self._checked_users[user_id] = check

    async def _run_access_check(self, user_id: str) -> None:
        try:
            await self._waiting.run(self._check_access, user_id)
        except Busy:
            return  # a later request starts another check
        finally:
            del self._checked_users[user_id]

    async def _check_in_background(self) -> None:
        """Check all users together who are due within a moment, and the settings."""
        await asyncio.sleep(BATCH_SECONDS)
        due, self._due_users = self._due_users, {}
        if due:
            await self._run(_check_users, due)
        if self._are_settings_due:
            self._are_settings_due = False
            await self._run(_settings)


class WsgiFastPath:
    """Answer hits before Django's WSGI application; everything is read in the request's thread.

    `requests` is how many came, approximately: threads count without a lock.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], check_access: CheckAccess) -> None:
        self._app, self._check_access = app, check_access
        self.requests = 0

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        self.requests += 1
        head = RequestHead.of_environ(environ) if _is_read(environ) else None
        if head is not None:
            result = self._result(head)
            if isinstance(result, PlainResponse):
                add_facts(environ, result)
                return result.start(start_response)
            environ.update(_carried(head, result))
        return self._app(environ, start_response)

    def _result(self, head: RequestHead) -> Result:
        steps, found = respond(head), None
        try:
            while True:
                found = self._perform(steps.send(found))
        except StopIteration as end:
            result: Result = end.value
            return result

    def _perform(self, step: Step) -> Any:
        # A thread is all there is: what ASGI does in the background is done at once.
        if isinstance(step, CheckAccessLater):
            return self._check_access(step.user_id)
        return _perform(step)


def _is_read(environ: dict[str, Any]) -> bool:
    path: str = environ.get("PATH_INFO", "")
    return environ["REQUEST_METHOD"] == "GET" and path.startswith(PREFIX)


def _perform(step: Step) -> Any:
    """Read what a step says, in this thread."""
    shared = store.current()
    match step:
        case ReadFast(key, stamped, size, scope):
            return shared.read_fast(key, stamped, size, scope)
        case ReadValue(key):
            return shared.read_value(key)
        case Project(key, whole, wanted):
            return projection.project(key, whole, wanted)
        case LoadUser(user_id):
            return _check_users({user_id: None})
        case CheckUserLater(user_id, seen):
            return _check_users({user_id: seen})
        case ReadSettings() | ReadSettingsLater():
            return _settings()


def _check_users(seen: Mapping[str, Stamp | None]) -> bool:
    try:
        stamps.check(seen)
    except DatabaseError:
        return False  # the full path answers 503
    return True


def _settings() -> Snapshot | None:
    try:
        return runtime.current()
    except DatabaseError:
        return None  # the full path answers 503


def _carried(head: RequestHead, passed: Passed | None) -> dict[str, Any]:
    """Return what Django needs to know of a request.

    That is when it came in, and whether it was counted already and needs Plex.
    """
    carried: dict[str, Any] = {STARTED: head.started}
    if passed is not None:
        carried[READING] = passed.reading
        if passed.is_miss:
            carried[upstream.NEEDED] = True
    return carried
