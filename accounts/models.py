"""The project's own user model: its tokens can be revoked, and it may have a link to Plex."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from accounts import stamps
from accounts.audit import AuditEntry as AuditEntry
from accounts.plex_links import NO_VIEW, UNUSABLE_VIEW, PlexLink

_STAMP_FIELDS = frozenset({"is_active", "password", "token_generation", "needs_own_view"})
"""What decides which tokens of a user are valid, and whose view of Plex the user has."""


class UserQuerySet(models.QuerySet["User"]):
    """Users, whose updates also change which tokens are valid."""

    def update(self, **values: Any) -> int:
        """Update the users, as Django does, and publish their stamps."""
        if not _STAMP_FIELDS & values.keys():
            return super().update(**values)
        ids = list(self.values_list("pk", flat=True))
        updated = super().update(**values)
        stamps.publish_on_commit(ids)
        return updated

    update.alters_data = True  # type: ignore[attr-defined]


class Users(UserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    """The manager of users."""

    use_in_migrations = False


class User(AbstractUser):
    """Someone who may sign in.

    Every token's stamp depends on `token_generation`: increasing it revokes all tokens of the user
    at once, on every worker.
    """

    token_generation = models.PositiveIntegerField(default=0, editable=False)
    tokens_revoked_at = models.DateTimeField("tokens revoked", null=True, editable=False)
    needs_own_view = models.BooleanField(
        "needs a Plex account",
        default=False,
        help_text="Without a link to Plex this user sees nothing, whatever other users without a "
        "link see. So it is for users who were created for their Plex account.",
    )

    objects: ClassVar[Users] = Users()

    class Meta(AbstractUser.Meta):
        # The admin grants these to users or groups; superusers have every permission.
        permissions = [
            ("manage_collections", "Can make, change and delete collections in Plex"),
            ("manage_playlists", "Can make, change and delete playlists in Plex"),
        ]

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the user, as Django does, and publish the stamp."""
        super().save(*args, update_fields=update_fields, **kwargs)
        if update_fields is None or _STAMP_FIELDS & set(update_fields):
            stamps.publish_on_commit([self.pk])

    @property
    def plex_view(self) -> str:
        """Whose view of Plex the user has: as the link says, or the service's own without one."""
        link: PlexLink | None = getattr(self, "plex_link", None)
        if link is None:
            return UNUSABLE_VIEW if self.needs_own_view else NO_VIEW
        return link.view

    def token_stamp(self) -> str:
        """Return the stamp that a valid token of this user has."""
        return stamps.text_of(self.password, self.token_generation)

    def revoke_tokens(self) -> None:
        """Revoke every token that was issued to this user so far."""
        type(self).objects.filter(pk=self.pk).update(
            token_generation=models.F("token_generation") + 1, tokens_revoked_at=timezone.now()
        )
        self.refresh_from_db(fields=["token_generation", "tokens_revoked_at"])


@receiver(post_delete, sender=User)
def _publish_deleted(instance: User, **_: Any) -> None:
    """Refuse the tokens of a deleted user, also of each one of a deleted query set."""
    stamps.publish_on_commit([instance.pk])
