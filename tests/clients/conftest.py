"""What the tests of the clients need of Node.js.

`make test` installs the tools of package.json. Where they are not installed these tests are
skipped, or fail where CLIENT_TESTS=required.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

HERE = Path(__file__).parent
TOOLS = HERE / "node_modules"
# The folder of the Python programs of this environment.
PYTHON = Path(sys.executable).parent


class Run(Protocol):
    """Runs a command in a folder, and returns what it printed."""

    def __call__(self, *argv: str, folder: Path) -> str: ...


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a command, `node` or a tool of package.json, that must succeed."""
    if shutil.which("node") is None or not TOOLS.exists():
        say = pytest.fail if os.environ.get("CLIENT_TESTS") == "required" else pytest.skip
        say("Node.js or its tools are missing: run npm ci --ignore-scripts in tests/clients")
    return _run


def _run(*argv: str, folder: Path) -> str:
    done = subprocess.run(
        argv,
        cwd=folder,
        env=os.environ | {"PATH": f"{TOOLS / '.bin'}:{PYTHON}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
