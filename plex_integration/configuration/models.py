"""What the operator can change: the connection to Plex, cache times and rate limits.

`changes` announces every saved or deleted row to all processes.
"""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from plex_integration.configuration import secrets
from plex_integration.configuration.connection import Connection, authority_file


class PlexConnection(models.Model):
    """The only row: created from the environment at the first start, then edited in the admin."""

    class Tls(models.TextChoices):
        """How the certificate of Plex is verified."""

        VERIFY = "verify", "Verify with public CAs"
        OWN_CA = "own-ca", "Verify with the custom CA certificate below"
        ACCEPT = "accept", "Accept any certificate (unsafe)"

    url = models.CharField("address", max_length=300)
    encrypted_token = models.TextField("token", blank=True, editable=False)
    tls = models.CharField("TLS", max_length=8, choices=Tls.choices, default=Tls.VERIFY)
    authority = models.TextField("custom CA certificate", blank=True)
    seconds = models.FloatField(
        "timeout (seconds)",
        default=10,
        validators=[MinValueValidator(0.1), MaxValueValidator(120)],
    )
    show_file_paths = models.BooleanField("show file paths", default=True)

    class Meta:
        verbose_name = verbose_name_plural = "Plex connection"

    def __str__(self) -> str:
        return self.url

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)

    @property
    def token(self) -> str | None:
        """The token: "" if there is none, None if it cannot be decrypted."""
        return secrets.decrypted(self.encrypted_token)

    @token.setter
    def token(self, token: str) -> None:
        self.encrypted_token = secrets.encrypted(token)

    def connection(self) -> Connection | None:
        """Return the connection; None if the token is missing or cannot be decrypted."""
        token = self.token
        if not token:
            return None
        verify: bool | str = self.tls != self.Tls.ACCEPT
        if self.tls == self.Tls.OWN_CA:
            verify = authority_file(self.authority)
        return Connection(self.url, token, verify, self.seconds, self.show_file_paths)

    @property
    def token_ending(self) -> str:
        """The last 4 characters of the token; "" if it is shorter than 12."""
        token = self.token or ""
        return token[-4:] if len(token) >= 12 else ""


class PolicyChange(models.Model):
    """A cache time or rate limit that differs from the documented one."""

    class Kind(models.TextChoices):
        """Whose value it is: a policy's or a limit's."""

        TTL = "ttl", "cache time"
        RATE = "rate", "rate limit"

    kind = models.CharField(max_length=4, choices=Kind.choices)
    name = models.CharField(max_length=32)
    value = models.PositiveIntegerField()

    class Meta:
        verbose_name = "cache time or rate limit"
        verbose_name_plural = "cache times and rate limits"
        constraints = [
            models.UniqueConstraint(fields=["kind", "name"], name="one_change_per_policy")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.name}"


class CacheStatus(models.Model):
    """The cache's page in the admin and its permissions. It has no table."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions = [("clear_cache", "Can clear the cache")]
        verbose_name = verbose_name_plural = "cache status"

    def __str__(self) -> str:
        return "Cache"
