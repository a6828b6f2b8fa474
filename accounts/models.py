"""The project's own user, so that tokens can be revoked and a Plex identity added later."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac


class User(AbstractUser):
    """Someone who may sign in.

    `token_generation` is one number that stands in every token's stamp: raising it revokes all of
    the user's tokens at once, on every worker.
    """

    token_generation = models.PositiveIntegerField(default=0, editable=False)

    class Meta(AbstractUser.Meta):
        # Given to users or groups in the admin; superusers have every permission.
        permissions = [
            ("manage_collections", "Can make, change and delete collections in Plex"),
            ("manage_playlists", "Can make, change and delete playlists in Plex"),
        ]

    def token_stamp(self) -> str:
        """Return what a token of this user must carry to be good: 32 hexadecimal digits.

        It changes with the password and with `revoke_tokens`, and tells nothing about either.
        """
        secret = f"{self.password}:{self.token_generation}"
        return salted_hmac("accounts.token-stamp", secret, algorithm="sha256").hexdigest()[:32]

    def revoke_tokens(self) -> None:
        """Refuse every token issued to this user so far."""
        type(self).objects.filter(pk=self.pk).update(
            token_generation=models.F("token_generation") + 1
        )
        self.refresh_from_db(fields=["token_generation"])
