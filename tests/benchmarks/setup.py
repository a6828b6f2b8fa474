"""What all contestants share: a folder, a database with users, Valkey and the simulated Plex."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from plex_simulator import Simulator
from tests.benchmarks.calls import ROOT
from tests.service import HOST, Valkey

USERS_SCRIPT = """
from uuid import uuid4
from django.db import transaction
from accounts import tokens
from accounts.models import User
with transaction.atomic():
    users = User.objects.bulk_create([User(username=uuid4().hex) for _ in range({count})])
    print("\\n".join(tokens.issue(user).access for user in users))
"""


@dataclass(frozen=True)
class Setup:
    """The folder also holds what the service answered, `items` and `items.gz`, for the others."""

    folder: Path
    environment: Mapping[str, str]
    valkey: Valkey
    plex: Simulator

    def issue_tokens(self, count: int, databases: Sequence[int] = ()) -> list[str]:
        """Create users; return an access token of each. It is valid for 15 minutes.

        `databases` are those of the services in Valkey, which know the users as if they had signed
        in there.
        """
        script = USERS_SCRIPT.format(count=count)
        issued = self.manage("shell", "--no-imports", "-c", script).split()
        pipeline = self.valkey.client.pipeline(transaction=False)
        for key in self.valkey.client.scan_iter("medianest:user:*", count=1000):
            for database in databases:
                pipeline.copy(key, key, destination_db=database)
        pipeline.execute()
        return issued

    def with_plex(self, number: int, url: str) -> "Setup":
        """Return the same with another Plex, another database, and another one in Valkey.

        The service keeps in its database which Plex it is connected to.
        """
        other = {
            "PLEX_URL": url,
            "DATABASE_URL": f"sqlite:///{self.folder}/db-{number}.sqlite3",
            "REDIS_URL": f"redis://{HOST}:{self.valkey.port}/{number}",
        }
        setup = replace(self, environment={**self.environment, **other})
        setup.manage("migrate", "--verbosity", "0")
        return setup

    def manage(self, *arguments: str) -> str:
        """Run a management command; return its output."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=dict(self.environment),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout


@contextmanager
def set_up() -> Iterator[Setup]:
    """Start Valkey and the simulated Plex, and create the database."""
    with tempfile.TemporaryDirectory() as name, Simulator(seed=7) as plex:
        folder = Path(name)
        valkey = Valkey(folder)
        try:
            setup = Setup(folder, _environment(folder, valkey, plex), valkey, plex)
            setup.manage("migrate", "--verbosity", "0")
            yield setup
        finally:
            valkey.close()


def _environment(folder: Path, valkey: Valkey, plex: Simulator) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "medianest.settings",
        "SECRET_KEY": "a-secret-for-the-benchmark-a-secret-for-the-benchmark",
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "REDIS_URL": valkey.url,
        "PICTURES_FOLDER": f"{folder}/pictures",
        "PLEX_URL": plex.url,
        "PLEX_TOKEN": plex.owner_token,
        "ANSWERS": str(folder),
    }
