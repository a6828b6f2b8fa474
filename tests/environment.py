"""The environment that settings read, set before Django loads; pytest loads this first (`-p`).

Whatever the developer's shell holds must not change a test.
"""

import os

for name in ("DATABASE_URL", "REDIS_URL", "PLEX_URL", "PLEX_TOKEN", "ALLOWED_HOSTS", "DEBUG"):
    os.environ.pop(name, None)
os.environ["SECRET_KEY"] = "only-for-tests-only-for-tests-only-for-tests"
os.environ["DATABASE_URL"] = "sqlite://:memory:"
