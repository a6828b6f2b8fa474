"""A password hasher as slow as a test wants, without a processor's work."""

import os
import time
from pathlib import Path

from django.contrib.auth.hashers import MD5PasswordHasher


class SlowHasher(MD5PasswordHasher):
    """Waits with each password while the file of the variable PASSWORDS_HELD is there."""

    algorithm = "slow"

    def encode(self, password: str, salt: str) -> str:
        while Path(os.environ["PASSWORDS_HELD"]).exists():
            time.sleep(0.01)
        return super().encode(password, salt)
