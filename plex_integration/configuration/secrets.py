"""Secrets at rest: encrypted with a key that is derived from a setting and stands in no table."""

from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def encrypted(secret: str) -> str:
    """Return a secret so that it can be stored; nothing for nothing."""
    return _box(settings.ENCRYPTION_KEY).encrypt(secret.encode()).decode() if secret else ""


def decrypted(stored: str) -> str | None:
    """Return a stored secret; None where the key has changed, or it is none of ours."""
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
