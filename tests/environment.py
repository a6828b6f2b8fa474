"""The environment that settings read, set before Django loads; pytest loads this first (`-p`).

Whatever the developer's shell holds must not change a test.
"""

import os

for name in (
    "SECRET_KEY_FILE",
    "ENCRYPTION_KEY_FILE",
    "DATABASE_URL",
    "DATABASE_URL_FILE",
    "REDIS_URL",
    "REDIS_URL_FILE",
    "REDIS_LIMITS_URL_FILE",
    "PLEX_TOKEN_FILE",
    "METRICS_TOKEN",
    "METRICS_TOKEN_FILE",
    "PLEX_URL",
    "PLEX_TOKEN",
    "ALLOWED_HOSTS",
    "DEBUG",
    "PUBLIC_URL",
):
    os.environ.pop(name, None)
os.environ["SECRET_KEY"] = "only-for-tests-only-for-tests-only-for-tests"
# The port of the PostgreSQL is known when it is started.
IS_POSTGRESQL = os.environ.get("TEST_DATABASE") == "postgresql"
os.environ["DATABASE_URL"] = (
    "postgres://postgres@127.0.0.1:1/medianest" if IS_POSTGRESQL else "sqlite://:memory:"
)
