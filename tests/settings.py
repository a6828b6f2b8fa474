"""The settings of the services that tests start.

The default password hasher is slow on purpose, so a fast one replaces it. The service waits for
Redis for a quarter of a second at most and then goes on without it. A busy machine may not run
Valkey for so long, so the tests that do not test this wait longer.
"""

import os

from medianest import settings
from medianest.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if hasher := os.environ.get("PASSWORD_HASHER"):
    PASSWORD_HASHERS = [hasher]

PATIENT = {"SOCKET_CONNECT_TIMEOUT": 10, "SOCKET_TIMEOUT": 10}
if os.environ.get("IS_PATIENT_WITH_REDIS"):
    settings._REDIS_OPTIONS |= PATIENT
