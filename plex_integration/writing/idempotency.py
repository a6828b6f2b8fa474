"""Idempotency-Key: the same request under the same key is done once, and answered the same again.

Answers are noted for 24 hours where all workers see them: in Redis, beside the limits; while Redis
is away in this process alone, so that for so long only the worker that answered knows. Only a
write that succeeded is answered from here. One that failed half way is to be asked again, under its
key or without: then it is finished.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from medianest import store
from plex_integration.errors import IdempotencyKeyReused
from medianest.api.exceptions import Invalid

HEADER = "Idempotency-Key"
KEPT = 24 * 3600
LONGEST = 255
# Raise this with any change of what is noted: notes of the old shape are then forgotten.
SHAPE = 1


@dataclass(frozen=True)
class Answered:
    """An answer as it was given: its status, its `data`, where what it created is."""

    status: int
    data: Any
    location: str | None = None


class Once:
    """One user's request under a key of theirs; without a key nothing is remembered."""

    def __init__(self, scope: str, key: str | None, fingerprint: str) -> None:
        self.name = None if key is None else f"once:{SHAPE}:{scope}:{_hash(key)}"
        self._fingerprint = fingerprint

    def answered(self) -> Answered | None:
        """Return the answer that was given. Raises IdempotencyKeyReused."""
        noted = _noted(self.name) if self.name else None
        if noted is None:
            return None
        if noted["fingerprint"] != self._fingerprint:
            raise IdempotencyKeyReused
        return Answered(**noted["answer"]) if noted["answer"] else None

    def begin(self) -> None:
        """Bind the key to this request, before anything is written."""
        self._note(None)

    def end(self, answer: Answered) -> None:
        """Note the answer."""
        self._note({"status": answer.status, "data": answer.data, "location": answer.location})

    def _note(self, answer: Mapping[str, Any] | None) -> None:
        if self.name:
            noted = {"fingerprint": self._fingerprint, "answer": answer}
            store.current().note(self.name, json.dumps(noted).encode(), KEPT)


class Unfinished:
    """What a creation that failed left behind, for an equal one of the same user."""

    def __init__(self, scope: str, fingerprint: str) -> None:
        self._name = f"unfinished:{SHAPE}:{scope}:{fingerprint}"

    def read(self) -> Mapping[str, Any] | None:
        """Return what was left."""
        return _noted(self._name)

    def leave(self, what: Mapping[str, Any] | None) -> None:
        """Leave something, or nothing."""
        if what is None:
            store.current().unnote(self._name)
        else:
            store.current().note(self._name, json.dumps(what).encode(), KEPT)


def key_of(header: str | None) -> str | None:
    """Read the header. Raises Invalid."""
    if header is None:
        return None
    key = header.strip()
    if not (1 <= len(key) <= LONGEST and key.isascii() and key.isprintable()):
        raise Invalid(details={HEADER: [f"Must be 1 to {LONGEST} printable ASCII characters."]})
    return key


def fingerprint(method: str, path: str, query: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    """Return what is equal for equal requests, however their JSON is spelled."""
    return _hash(json.dumps([method, path, dict(query), dict(body)], sort_keys=True))


def _noted(name: str) -> dict[str, Any] | None:
    written = store.current().noted(name)
    noted: dict[str, Any] | None = None if written is None else json.loads(written)
    return noted


def _hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
