"""Publish which tokens of a user are valid, and whose view of Plex the user has.

So no repeated request asks the database.

Every change of a user through Django invalidates the stored stamp when it is committed, and all
workers refuse the old tokens at once. A change that was made with SQL is found when the stamp is
compared with the database again: with the first request that comes `CHECK_SECONDS` or more after
the last comparison.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.crypto import salted_hmac

from medianest import store
from medianest.store import Stamp, stamps

CHECK_SECONDS = 20

_LOADED = (
    "password",
    "token_generation",
    "needs_own_view",
    "plex_link__state",
    "plex_link__viewer_id",
    "plex_link__generation",
)


def is_due(stamp: Stamp) -> bool:
    """Tell whether a stamp must be compared with the database again."""
    return stamps.now() - stamp.checked_at >= CHECK_SECONDS


def check(seen: Mapping[str, Stamp | None]) -> None:
    """Load the stamps of users into the store, where they are as `seen` now.

    Raises DatabaseError.
    """
    loaded = _load([int(user_id) for user_id in seen])
    changes = [(user_id, loaded[int(user_id)], stamp) for user_id, stamp in seen.items()]
    store.current().stamps.renew(changes)


def publish_new(user: Any) -> None:
    """Store the stamp of a user who gets a token, unless it is stored already."""
    stamp = Stamp(user.token_stamp(), stamps.now(), user.plex_view)
    store.current().stamps.renew([(str(user.pk), stamp, None)])


def publish_on_commit(ids: Sequence[int]) -> None:
    """Publish the stamps of changed or deleted users when the change is committed."""
    if not ids:
        return
    transaction.on_commit(partial(_publish, ids))


def text_of(password: str, generation: int) -> str:
    """Return the text of a stamp: 32 hexadecimal digits.

    It changes with the password, as it is stored, and with the generation, and reveals neither.
    """
    secret = f"{password}:{generation}"
    return salted_hmac("accounts.token-stamp", secret, algorithm="sha256").hexdigest()[:32]


def _publish(ids: Sequence[int]) -> None:
    """Invalidate the stored stamps, then load them: what was loaded before is not stored later."""
    user_ids = [str(user_id) for user_id in ids]
    check(dict.fromkeys(user_ids, store.current().stamps.invalidate(user_ids)))


def _load(ids: Sequence[int]) -> dict[int, Stamp]:
    """Return the stamps of users as the database has them now; of deleted ones, too."""
    now = stamps.now()
    active = get_user_model().objects.filter(pk__in=ids, is_active=True)
    found = dict.fromkeys(ids, Stamp(stamps.REFUSED, now))
    for user in active.select_related("plex_link").only(*_LOADED):
        found[user.pk] = Stamp(user.token_stamp(), now, user.plex_view)
    return found
