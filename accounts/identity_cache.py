"""What this process remembers of tokens and users, so that a request need not ask again.

A verified token stays verified until it ends: its signature cannot change. A user is remembered
for `USER_SECONDS`: that is how long a deactivated user or a changed password may still be let in
by a process that has just seen them, on every worker.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from accounts import tokens
from accounts.models import User

USER_SECONDS = 20.0
_TOKENS = 20_000
_USERS = 20_000


@dataclass(frozen=True)
class _Seen:
    user: User
    stamp: str
    until: float


_lock = threading.Lock()
_tokens: "OrderedDict[str, Any]" = OrderedDict()
_users: "OrderedDict[str, _Seen]" = OrderedDict()


def signed_in(raw: str) -> tuple[User, Any]:
    """Return the user of an access token, and the token. Raises TokenRefused.

    The user is shared between requests: read it, never change it.
    """
    token = _token(raw)
    user_id = token["user_id"]
    seen = _users.get(user_id)
    if seen is None or seen.until < time.monotonic() or seen.stamp != token["stamp"]:
        seen = _seen(token)
        with _lock:
            _users[user_id] = seen
            _users.move_to_end(user_id)
            while len(_users) > _USERS:
                _users.popitem(last=False)
    return seen.user, token


def known_user(raw: str) -> str | None:
    """Return the id of an access token's user if both are remembered, else None."""
    token = _tokens.get(raw)
    if token is None or token["exp"] <= time.time():
        return None
    user_id: str = token["user_id"]
    seen = _users.get(user_id)
    if seen is None or seen.until < time.monotonic() or seen.stamp != token["stamp"]:
        return None
    return user_id


def forget() -> None:
    """Forget everything: the next request asks the database."""
    with _lock:
        _tokens.clear()
        _users.clear()


def _token(raw: str) -> Any:
    token = _tokens.get(raw)
    if token is not None:
        if token["exp"] > time.time():
            return token
        raise tokens.TokenRefused
    token = tokens.read(raw, tokens.AccessToken)
    with _lock:
        _tokens[raw] = token
        while len(_tokens) > _TOKENS:
            _tokens.popitem(last=False)
    return token


def _seen(token: Any) -> _Seen:
    user = tokens.bearer(token)
    return _Seen(user, token["stamp"], time.monotonic() + USER_SECONDS)
