"""Idempotency-Key: carry out the same request with the same key once, and repeat its response.

Responses are recorded for 24 hours in Redis, beside the limits, for all workers; while Redis is
unavailable in this process alone, so that only the worker that responded knows. Only successful
writes are repeated from here. A client that repeats a write that failed halfway, with its key or
without, finishes it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from medianest import store
from medianest.api.exceptions import Invalid
from plex_integration.errors import IdempotencyKeyReused

HEADER = "Idempotency-Key"
MAX_LENGTH = 255
PATTERN = r"^[ -~]*[!-~][ -~]*$"
"""Printable ASCII, not only blanks."""
RECORD_SECONDS = 24 * 3600
SHAPE = 1
"""The shape of the records: raise it when that changes, and older records are ignored."""


@dataclass(frozen=True)
class WriteResponse:
    """The response of a write as it is recorded: status, `data`, the path of what it created."""

    status: int
    data: Any
    location: str | None = None


class IdempotencyRecord:
    """The record of a user's request with an Idempotency-Key; without a key nothing is recorded.

    `user` also names the server that the user writes to. `name` is None without a key.
    """

    def __init__(self, user: str, key: str | None, fingerprint: str) -> None:
        self.name = None if key is None else f"once:{SHAPE}:{user}:{_hash(key)}"
        self._fingerprint = fingerprint

    def response(self) -> WriteResponse | None:
        """Return the recorded response. Raises IdempotencyKeyReused for another request's key."""
        record = _read(self.name) if self.name else None
        if record is None:
            return None
        if record["fingerprint"] != self._fingerprint:
            raise IdempotencyKeyReused
        return WriteResponse(**record["answer"]) if record["answer"] else None

    def begin(self) -> None:
        """Bind the key to this request, before anything is written."""
        self._record(None)

    def end(self, response: WriteResponse) -> None:
        """Record the response."""
        fields = {
            "status": response.status,
            "data": response.data,
            "location": response.location,
        }
        self._record(fields)

    def _record(self, response: Mapping[str, Any] | None) -> None:
        if self.name:
            _write(self.name, {"fingerprint": self._fingerprint, "answer": response})


class UnfinishedCreation:
    """What a user's creation has done so far: an equal one continues there if this one fails."""

    def __init__(self, user: str, fingerprint: str) -> None:
        self._name = f"unfinished:{SHAPE}:{user}:{fingerprint}"
        self._is_recorded = False

    def read(self) -> Mapping[str, Any] | None:
        """Return the progress of an equal creation that failed."""
        progress = _read(self._name)
        self._is_recorded = progress is not None
        return progress

    def save(self, progress: Mapping[str, Any]) -> None:
        """Record the progress of this creation."""
        _write(self._name, progress)
        self._is_recorded = True

    def delete(self) -> None:
        """Delete the record, if there is one: nothing is left to finish."""
        if self._is_recorded:
            store.current().records.delete(self._name)
            self._is_recorded = False


def validated_key(header: str | None) -> str | None:
    """Return the key in an Idempotency-Key header; None without one. Raises Invalid."""
    if header is None:
        return None
    if not (len(header) <= MAX_LENGTH and re.fullmatch(PATTERN, header)):
        raise Invalid(details={HEADER: [f"Must be 1 to {MAX_LENGTH} printable ASCII characters."]})
    return header.strip()


def fingerprint(method: str, path: str, query: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    """Return a hash that is equal for equal requests, whatever the spelling of their JSON."""
    return _hash(json.dumps([method, path, dict(query), dict(body)], sort_keys=True))


def _read(name: str) -> dict[str, Any] | None:
    written = store.current().records.get(name)
    record: dict[str, Any] | None = None if written is None else json.loads(written)
    return record


def _write(name: str, record: Mapping[str, Any]) -> None:
    store.current().records.set(name, json.dumps(record).encode(), RECORD_SECONDS)


def _hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
