"""Remember verified tokens: a token that was verified stays so until it expires.

Whether its user may still use it is not remembered here: see `stamps`.
"""

import threading
import time
from typing import Any

from cachetools import LRUCache

from accounts import tokens

MAX_TOKENS = 20_000

_lock = threading.Lock()
_tokens: LRUCache[str, Any] = LRUCache(MAX_TOKENS)


def verified(raw: str) -> Any:
    """Return an access token whose signature and claims are valid. Raises TokenRefused."""
    try:
        with _lock:
            token = _tokens[raw]
    except KeyError:
        token = None
    if token is None or token.payload["exp"] <= time.time():
        token = tokens.read(raw, tokens.AccessToken)
        with _lock:
            _tokens[raw] = token
    return token


def forget() -> None:
    """Forget all tokens."""
    with _lock:
        _tokens.clear()
