"""The audit: who changed what, when, and from which address. No secret is part of it.

An entry survives the user who made the change and the object that was changed.
"""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

from medianest.api.limits import client_address
from medianest.api.middleware import request_id

KEPT_FOR = timedelta(days=365)
"""How long an entry is stored."""


class AuditEntry(models.Model):
    """One change. `user` made it, and is null for one who was deleted; `user_name` stays."""

    class Action(models.TextChoices):
        """What happened to the object."""

        ADDED = "added", "added"
        CHANGED = "changed", "changed"
        DELETED = "deleted", "deleted"

    at = models.DateTimeField("time", default=timezone.now, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    user_name = models.CharField("changed by", max_length=150, db_index=True)
    action = models.CharField(max_length=7, choices=Action.choices)
    kind = models.CharField("kind of object", max_length=100, db_index=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_name = models.CharField("object", max_length=200)
    description = models.TextField(blank=True)
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField("request id", max_length=80, blank=True)

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        verbose_name = "change"
        verbose_name_plural = "changes"
        ordering = ("-at", "-pk")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.kind} “{self.object_name}” {self.action}"


def record(
    user: Any,
    action: AuditEntry.Action,
    changed: models.Model,
    description: str = "",
    request: HttpRequest | None = None,
) -> None:
    """Record that a user changed an object; without a request, it happened in the background."""
    AuditEntry.objects.create(
        user=user,
        user_name=user.get_username(),
        action=action,
        kind=str(changed._meta.verbose_name),
        object_id=str(changed.pk or ""),
        object_name=str(changed)[:200],
        description=description,
        address=client_address(request)[:64] if request else "",
        request_id=request_id(request) if request else "",
    )


def delete_expired() -> None:
    """Delete the entries that are older than a year."""
    AuditEntry.objects.filter(at__lt=timezone.now() - KEPT_FOR).delete()
