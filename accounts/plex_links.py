"""A user's link to a Plex account: whose view of Plex the user has, and with which tokens.

Nothing here talks to Plex. The tokens are encrypted in the database, and no text of this model
contains one.
"""

import time
from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.signals import post_delete
from django.dispatch import receiver

from accounts import stamps
from medianest import secrets

NO_VIEW = ""
"""The view of a user who has no link: the service's own."""
UNUSABLE_VIEW = "-"
"""The view of a user whose link cannot be used: nothing."""

_VIEW_FIELDS = frozenset({"state", "viewer_id", "generation"})
"""What decides whose view a user has."""


class PlexLinkQuerySet(models.QuerySet["PlexLink"]):
    """Links, whose updates also change whose view a user has."""

    def update(self, **values: Any) -> int:
        """Update the links, as Django does, and publish their users' stamps."""
        if not _VIEW_FIELDS & values.keys():
            return super().update(**values)
        users = list(self.values_list("user_id", flat=True))
        updated = super().update(**values)
        stamps.publish_on_commit(users)
        return updated

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable["PlexLink"], *args: Any, **kwargs: Any) -> Any:
        """Create the links, as Django does, and publish their users' stamps."""
        created = super().bulk_create(objs, *args, **kwargs)
        stamps.publish_on_commit([link.user_id for link in created])
        return created


class PlexLinks(models.Manager["PlexLink"].from_queryset(PlexLinkQuerySet)):  # type: ignore[misc]
    """The manager of links."""


class PlexLink(models.Model):
    """The Plex account of a user, and the account whose view the user has.

    `viewer_id` differs from `account_id` where the user picked another profile of the Plex Home.
    An account's or profile's own token is for plex.tv; `server_token` is for the Plex Media Server
    with `machine_identifier`, and belongs to the viewer. `libraries` are the ids of those that the
    viewer could see when that was last checked. `refused_token` is a digest of the server's token
    that the server refused last. Everything that is cached for a viewer belongs to a
    `generation`: the next one begins when the viewer may see less than before.
    """

    class State(models.TextChoices):
        """Whether the link can be used, and if not, why."""

        ACTIVE = "active", "active"
        PENDING = "pending", "imported; has not signed in yet"
        REVOKED = "revoked", "plex.tv refused the account's token"
        NO_ACCESS = "no_access", "the account has no access to this server"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="plex_link"
    )
    account_id = models.BigIntegerField("Plex account", unique=True)
    account_name = models.CharField("account name", max_length=150, blank=True)
    encrypted_account_token = models.TextField(blank=True, editable=False)
    viewer_id = models.BigIntegerField("viewer", db_index=True)
    generation = models.PositiveBigIntegerField(default=0, editable=False)
    libraries = models.JSONField(null=True, editable=False)
    profile_uuid = models.CharField("profile", max_length=64, blank=True)
    profile_name = models.CharField("profile name", max_length=150, blank=True)
    encrypted_profile_token = models.TextField(blank=True, editable=False)
    machine_identifier = models.CharField("server", max_length=64, blank=True)
    encrypted_server_token = models.TextField(blank=True, editable=False)
    refused_token = models.CharField(max_length=32, blank=True, editable=False)
    state = models.CharField(max_length=9, choices=State.choices, default=State.ACTIVE)
    linked_at = models.DateTimeField("linked", auto_now_add=True)
    checked_at = models.DateTimeField("checked", null=True, blank=True)

    objects: ClassVar[PlexLinks] = PlexLinks()

    class Meta:
        verbose_name = "Plex link"

    def __str__(self) -> str:
        return f"Plex account {self.account_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the link, as Django does, and publish the user's stamp."""
        super().save(*args, **kwargs)
        stamps.publish_on_commit([self.user_id])

    @property
    def view(self) -> str:
        """Whose view the user has, and its generation; or that the link cannot be used."""
        if self.state != self.State.ACTIVE:
            return UNUSABLE_VIEW
        return f"{self.viewer_id}.{self.generation}"

    @property
    def description(self) -> str:
        """The account, the profile and the state, as an operator reads them."""
        account = self.account_name or f"account {self.account_id}"
        profile = f", as {self.profile_name or self.profile_uuid}" if self.profile_uuid else ""
        checked = f", checked {self.checked_at:%Y-%m-%d %H:%M} UTC" if self.checked_at else ""
        return f"{account}{profile}: {self.get_state_display()}{checked}"

    def view_as(self, viewer_id: int) -> None:
        """Take the view of a Plex account, or take it again; the link must be saved.

        Users with the same viewer share a view. A new view has a generation that was never used.
        """
        active = type(self).objects.filter(viewer_id=viewer_id, state=self.State.ACTIVE)
        others = active.exclude(pk=self.pk)
        shared = others.values_list("generation", flat=True).first()
        self.viewer_id = viewer_id
        self.generation = time.time_ns() // 1_000_000 if shared is None else shared
        self.libraries = None

    def end_view(self) -> None:
        """Begin a new generation: nothing that is cached for the viewer is served again.

        A view that another request has ended meanwhile is not ended again. Raises DoesNotExist if
        the link has been deleted.
        """
        same = type(self).objects.filter(viewer_id=self.viewer_id, generation=self.generation)
        same.update(generation=models.F("generation") + 1)
        self.refresh_from_db(fields=["generation"])

    @property
    def account_token(self) -> str | None:
        """The account's token for plex.tv: "" if there is none, None if it cannot be decrypted."""
        return secrets.decrypted(self.encrypted_account_token)

    @account_token.setter
    def account_token(self, token: str) -> None:
        self.encrypted_account_token = secrets.encrypted(token)

    @property
    def profile_token(self) -> str | None:
        """The picked profile's token for plex.tv; "" and None as for the account's."""
        return secrets.decrypted(self.encrypted_profile_token)

    @profile_token.setter
    def profile_token(self, token: str) -> None:
        self.encrypted_profile_token = secrets.encrypted(token)

    @property
    def server_token(self) -> str | None:
        """The viewer's token for the Plex Media Server; "" and None as for the account's."""
        return secrets.decrypted(self.encrypted_server_token)

    @server_token.setter
    def server_token(self, token: str) -> None:
        self.encrypted_server_token = secrets.encrypted(token)


@receiver(post_delete, sender=PlexLink)
def _publish_deleted(instance: PlexLink, **_: Any) -> None:
    """Publish that a user has no link any more."""
    stamps.publish_on_commit([instance.user_id])
