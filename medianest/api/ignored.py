"""`metadata.ignored`: the names of query parameters that had no effect on a response.

Must not import `rest_framework.views`: DRF loads this module while it loads that one.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from rest_framework.request import Request

MAX_NAMES, MAX_LENGTH = 20, 64
"""How many names are listed, and how many characters of each."""


def ignored_parameters(view: Any, request: Request) -> tuple[str, ...]:
    """Return the names of a request's query parameters that its endpoint does not know.

    They are in the request's order. A view that does not describe its endpoint lists none, nor does
    a method that the path does not accept.
    """
    if getattr(view, "action", None) in (None, "metadata"):
        return ()
    known: frozenset[str] = view.endpoint().query_names
    unknown = (name for name in request.query_params if name not in known)
    return tuple(name[:MAX_LENGTH] for name in islice(unknown, MAX_NAMES))


def ignored_metadata(ignored: Sequence[str]) -> dict[str, Any]:
    """Return what the envelope's `metadata` says about these parameters; nothing without any."""
    return {"ignored": ignored} if ignored else {}
