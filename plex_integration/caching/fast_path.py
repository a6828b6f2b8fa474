"""The short way to an answer that is kept: a repeated question is answered before any other room.

Most questions were asked before, by another user or a page ago. The long way (URL, DRF, serializer,
plan) worked out what such a question means; this middleware remembers that under its exact path and
query string, so that a hit costs one look into the store and nothing else. It decides nothing on
its own: whatever is not a plain, fresh hit of a user this process knows goes the long way, which
finds the turn that was taken here.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from django.http import HttpRequest, HttpResponse

from accounts import identity_cache
from medianest.api.middleware import name_request
from plex_integration.caching import response_cache, metrics
from plex_integration.configuration import connection
from medianest import store
from plex_integration.caching.entry import Head
from plex_integration.policies import Policy
from plex_integration.caching.responses import reply
from medianest.api.throttling import Turn

_MOST = 10_000


@dataclass(frozen=True)
class Question:
    """What a path and query string mean: an entry's name, while these lists hold."""

    policy: Policy
    name: str
    route: str
    viewer: str
    lists: Mapping[str, Head]


_lock = Lock()
_questions: "OrderedDict[tuple[str, str], Question]" = OrderedDict()


def remember(request: HttpRequest, question: Question) -> None:
    """Remember what a request's path and query string mean."""
    with _lock:
        _questions[_asked(request)] = question
        while len(_questions) > _MOST:
            _questions.popitem(last=False)


def forget() -> None:
    """Forget every question."""
    with _lock:
        _questions.clear()


def turn_taken(request: HttpRequest) -> Turn | None:
    """Return the turn that was taken on the way to the view, if one was."""
    turn: Turn | None = request.META.get("plex_integration.turn")
    return turn


class HitMiddleware:
    """Answer fresh hits; let everything else pass."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        question = _questions.get(_asked(request))
        if question and _is_plain(request):
            user = _known_user(request)
            if user and (response := self._hit(request, question, user)):
                return response
        return self.get_response(request)

    def _hit(self, request: HttpRequest, question: Question, user: str) -> HttpResponse | None:
        to = connection.current()
        if to is None or to.viewer != question.viewer:
            return None
        request.get_host()  # refuses a foreign host, as the long way does
        turn = Turn(user, question.policy.limit)
        look = store.current().look(turn.pending(), question.name)
        turn.note(look.verdict)
        request.META["plex_integration.turn"] = turn
        if not turn.is_allowed:
            return None
        fetched = response_cache.fresh(question.policy, look, look.values[0])
        if fetched is None or not response_cache.are_current(question.lists.values(), look):
            return None
        name_request(request, question.route)
        response = reply(request, question.policy, fetched)
        turn.mark(response)
        metrics.count(question.policy.name, metrics.HIT)
        return response


def _asked(request: HttpRequest) -> tuple[str, str]:
    return request.path_info, request.META.get("QUERY_STRING", "")


def _is_plain(request: HttpRequest) -> bool:
    """Tell whether JSON is wanted, and a kept answer will do."""
    meta = request.META
    accept = meta.get("HTTP_ACCEPT", "*/*")
    return (
        request.method == "GET"
        and accept in ("*/*", "application/json", "application/json, text/plain, */*")
        and "HTTP_CACHE_CONTROL" not in meta
    )


def _known_user(request: HttpRequest) -> str | None:
    scheme, _, raw = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return identity_cache.known_user(raw) if scheme == "Bearer" else None
