"""Write the log without anything secret, and without the texts that Plex or a client chose.

The message of an exception may hold a part of a response or of a request. So a trace shows the
places and the classes of the exceptions alone.
"""

import copy
import json
import logging
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

# Three parts in base64url, of which the first is a JSON object; a part may be missing.
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,4}")
# Django logs refused hosts, referrers and other values of the request with these loggers.
_REFUSALS = "django.security."

# `json.dumps` makes an encoder for every call that does not have its default options.
_encode = json.JSONEncoder(ensure_ascii=False).encode

FIELDS = "fields"
"""The attribute of a record that holds more members of its JSON object."""


class SafeFormatter(logging.Formatter):
    """Format a record; replace what looks like a JWT, and leave messages of exceptions out."""

    def format(self, record: logging.LogRecord) -> str:
        return _JWT.sub("[token]", super().format(_without_values(record)))

    def formatException(self, ei: Any) -> str:
        return "".join(_trace(ei[1])).rstrip("\n")


class JsonFormatter(SafeFormatter):
    """Format a record as one JSON object in one line, with the same precautions.

    Only named attributes are written. Libraries for JSON logs write every attribute that a record
    has beyond the usual ones: with Django's lines that is the request, and with it its query.
    """

    def format(self, record: logging.LogRecord) -> str:
        return _JWT.sub("[token]", self._line(_without_values(record)))

    def _line(self, record: logging.LogRecord) -> str:
        identity = getattr(record, "requestId", "-")
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "requestId": None if identity == "-" else identity,
        }
        if record.exc_info and record.exc_info[1]:
            line["exception"] = self.formatException(record.exc_info)
        return _encode(line | getattr(record, FIELDS, {}))


class LoggedOnce(logging.Filter):
    """Leave out Django's line about a response of 500 or more: its exception is logged already."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", 0) < 500 or bool(record.exc_info)


def _without_values(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy without what another formatter wrote, and without values of a request."""
    safe = copy.copy(record)
    safe.exc_text = None
    if safe.name.startswith(_REFUSALS):
        safe.msg, safe.args = "a request is refused: %s", (safe.name.removeprefix(_REFUSALS),)
        safe.exc_info = None
    return safe


def _trace(error: BaseException) -> Iterator[str]:
    """Return the trace of an exception after those of its causes, like Python's own."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _trace(before)
        yield "which led to:\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__module__}.{type(error).__qualname__}\n"
