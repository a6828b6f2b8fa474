"""The service's settings for the processes that tests start, with what a busy machine needs.

The default password hasher is slow on purpose. And the service waits for Redis for a quarter of a
second at most, then every worker goes on by itself: where that is not the matter of a test, a
machine too busy to run Valkey for so long must not fail it.
"""

import os

from medianest import settings
from medianest.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

PATIENT = {"SOCKET_CONNECT_TIMEOUT": 10, "SOCKET_TIMEOUT": 10}
if os.environ.get("IS_PATIENT_WITH_REDIS"):
    settings._REDIS_OPTIONS |= PATIENT
