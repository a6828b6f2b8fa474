"""What the response cache must know of errors: when to serve stale, and how workers share them."""

import json
from typing import Any

from medianest.api.exceptions import Problem
from plex_integration.errors import TABLE, PlexApiError, PlexServerUnavailable, PlexUnauthorized


def should_serve_stale(error: Exception) -> bool:
    """Tell whether an expired response is better than this error."""
    return isinstance(error, PlexServerUnavailable | PlexApiError)


def should_delete(error: Exception) -> bool:
    """Tell whether the cached response must never be served again: after a 401, 403 or 404."""
    return isinstance(error, PlexUnauthorized) or (
        isinstance(error, Problem) and error.status_code == 404
    )


def code(error: Exception) -> str:
    """Return the error's code."""
    return error.code if isinstance(error, Problem) else Problem.code


def of_code(code: str | None) -> Exception:
    """Return the error with a code; an unknown one becomes PlexServerUnavailable."""
    return TABLE.get(code or "", PlexServerUnavailable)()


def timed_out() -> Exception:
    """Return the error of a request whose time is over before another one has loaded."""
    return PlexServerUnavailable()


def busy() -> Exception:
    """Return the error of a request that must not wait for Plex: too many others do."""
    return PlexServerUnavailable(
        "Too many requests are waiting for Plex. Try again.", headers={"Retry-After": "1"}
    )


def dump(error: Exception) -> bytes:
    """Write an error for the workers that wait for this one's load."""
    if not isinstance(error, Problem):
        error = Problem()
    about = {
        "code": error.code,
        "message": str(error.detail),
        "details": error.details,
        "headers": error.headers,
    }
    return json.dumps(about, default=str).encode()


def load(written: bytes) -> Exception:
    """Read an error that another worker wrote; an unknown one becomes PlexServerUnavailable."""
    try:
        about: dict[str, Any] = json.loads(written)
        return TABLE[about["code"]](about["message"], about["details"], about["headers"])
    except (ValueError, KeyError, TypeError):
        return PlexServerUnavailable()
