"""The project's own user model: its tokens can be revoked, and a Plex identity can be added."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac


class User(AbstractUser):
    """Someone who may sign in.

    Every token's stamp depends on `token_generation`: increasing it revokes all tokens of the user
    at once, on every worker.
    """

    token_generation = models.PositiveIntegerField(default=0, editable=False)

    class Meta(AbstractUser.Meta):
        # The admin grants these to users or groups; superusers have every permission.
        permissions = [
            ("manage_collections", "Can make, change and delete collections in Plex"),
            ("manage_playlists", "Can make, change and delete playlists in Plex"),
        ]

    def token_stamp(self) -> str:
        """Return the stamp that a valid token of this user has: 32 hexadecimal digits.

        It changes with the password and with `revoke_tokens`, and reveals neither.
        """
        secret = f"{self.password}:{self.token_generation}"
        return salted_hmac("accounts.token-stamp", secret, algorithm="sha256").hexdigest()[:32]

    def revoke_tokens(self) -> None:
        """Revoke every token that was issued to this user so far."""
        type(self).objects.filter(pk=self.pk).update(
            token_generation=models.F("token_generation") + 1
        )
        self.refresh_from_db(fields=["token_generation"])
