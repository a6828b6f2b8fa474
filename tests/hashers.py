"""A password hasher as slow as a real one, without a processor's work."""

import time

from django.contrib.auth.hashers import MD5PasswordHasher


class SlowHasher(MD5PasswordHasher):
    """Takes a quarter of a second for each password, as a real hasher does."""

    algorithm = "slow"
    seconds = 0.25

    def encode(self, password: str, salt: str) -> str:
        time.sleep(self.seconds)
        return super().encode(password, salt)
