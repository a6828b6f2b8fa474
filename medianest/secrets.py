"""Encrypt secrets for the database, with a key derived from `ENCRYPTION_KEY`."""

from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def encrypted(secret: str) -> str:
    """Return an encrypted secret; "" for an empty one."""
    return _box(settings.ENCRYPTION_KEY).encrypt(secret.encode()).decode() if secret else ""


def decrypted(stored: str) -> str | None:
    """Return a decrypted secret; None if it was encrypted with another key, or not at all."""
    if not stored:
        return ""
    try:
        return _box(settings.ENCRYPTION_KEY).decrypt(stored.encode()).decode()
    except (InvalidToken, UnicodeError):
        return None


@lru_cache(maxsize=2)
def _box(key: str) -> Fernet:
    # https://cryptography.io/en/latest/hazmat/primitives/key-derivation-functions/#hkdf
    derived = HKDF(SHA256(), 32, salt=None, info=b"medianest: secrets at rest")
    return Fernet(urlsafe_b64encode(derived.derive(key.encode())))
