"""What the operator can change: the connection to Plex, and values that differ from the policies.

`changes` announces every saved or deleted row to all processes.
"""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from plex_integration.configuration import secrets
from plex_integration.configuration.connection import Connection, authority_file


class PlexConnection(models.Model):
    """The Plex server, the only row: first from the environment, afterwards from the admin."""

    class Tls(models.TextChoices):
        """How Plex's certificate is verified."""

        VERIFY = "verify", "Verify against the public authorities"
        OWN_CA = "own-ca", "Verify against the authority below"
        ACCEPT = "accept", "Accept any certificate (not safe)"

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
        """The token; "" where there is none, None where it cannot be read any more."""
        return secrets.decrypted(self.encrypted_token)

    @token.setter
    def token(self, token: str) -> None:
        self.encrypted_token = secrets.encrypted(token)

    def connection(self) -> Connection | None:
        """Return the server as it is asked; None where its token is missing or unreadable."""
        token = self.token
        if not token:
            return None
        verify: bool | str = self.tls != self.Tls.ACCEPT
        if self.tls == self.Tls.OWN_CA:
            verify = authority_file(self.authority)
        return Connection(self.url, token, verify, self.seconds, self.show_file_paths)

    @property
    def token_ending(self) -> str:
        """The last 4 characters of a token that is long enough to show them."""
        token = self.token or ""
        return token[-4:] if len(token) >= 12 else ""


class PolicyChange(models.Model):
    """A value that differs from the documented one, of a policy or of a limit."""

    class Kind(models.TextChoices):
        """What it is a value of."""

        TTL = "ttl", "time to live"
        RATE = "rate", "rate"

    kind = models.CharField(max_length=4, choices=Kind.choices)
    name = models.CharField(max_length=32)
    value = models.PositiveIntegerField()

    class Meta:
        verbose_name = "policy"
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(fields=["kind", "name"], name="one_change_per_policy")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.name}"


class CacheStatus(models.Model):
    """No table: the cache's own page in the admin, and the rights to see and to clear it."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions = [("clear_cache", "Can clear the cache")]
        verbose_name = verbose_name_plural = "cache status"

    def __str__(self) -> str:
        return "Cache"
