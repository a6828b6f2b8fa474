"""What the operator can change: the connection to Plex, cache times and rate limits.

`changes` announces every saved or deleted row to all processes.
"""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from medianest import secrets
from plex_integration.configuration.connection import Connection, authority_file
from plex_integration.configuration.viewer_rules import ViewerRules


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
    machine_identifier = models.CharField(max_length=64, blank=True, editable=False)
    """Which server this is, as Plex says; blank until it is known."""
    tested_at = models.DateTimeField(null=True, editable=False)
    """When the saved connection was tested last; null since it was changed."""
    test_passed = models.BooleanField(default=False, editable=False)
    test_message = models.TextField(blank=True, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "Plex connection"

    def __str__(self) -> str:
        return self.url

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        self.tested_at = None
        if PlexConnection.objects.exclude(url=self.url).exists():
            self.machine_identifier = ""  # another address may be another server
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
        return Connection(
            self.url,
            token,
            self.verify,
            self.seconds,
            self.show_file_paths,
            self.machine_identifier,
        )

    @property
    def verify(self) -> bool | str:
        """How the certificate is verified: True, False or the path of a CA file."""
        if self.tls == self.Tls.OWN_CA:
            return authority_file(self.authority)
        return self.tls != self.Tls.ACCEPT

    @property
    def token_ending(self) -> str:
        """The last 4 characters of the token; "" if it is shorter than 12."""
        token = self.token or ""
        return token[-4:] if len(token) >= 12 else ""


class ViewerSettings(models.Model):
    """The only row: how users get their own view of Plex. Without it the defaults hold."""

    class Unlinked(models.TextChoices):
        """What a user without a link to a Plex account gets."""

        SERVICE = "service", "See what this service's own account sees"
        REFUSE = "refuse", "Get PLEX_LINK_REQUIRED"

    plex_sign_in = models.BooleanField("Sign in with Plex", default=True)
    create_users = models.BooleanField("Create users on Plex sign-in", default=False)
    unlinked = models.CharField(
        "Users without a Plex account",
        max_length=7,
        choices=Unlinked.choices,
        default=Unlinked.SERVICE,
    )

    class Meta:
        verbose_name = verbose_name_plural = "Plex viewers"

    def __str__(self) -> str:
        return "Plex viewers"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)

    def rules(self) -> ViewerRules:
        """Return the rules that this row describes."""
        refuses = self.unlinked == self.Unlinked.REFUSE
        return ViewerRules(self.plex_sign_in, self.create_users, refuses)


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


class VisibilityCheck(models.Model):
    """The page in the admin that says why a user does not see something. It has no table."""

    class Meta:
        managed = False
        default_permissions = ()
        verbose_name = verbose_name_plural = "why can this user not see this?"

    def __str__(self) -> str:
        return "Visibility"
