"""Every command of the documentation, run as a reader pastes it, with the output that it shows.

A page's blocks run in one shell, from top to bottom, in a fresh copy of the project with the demo
running beside it. In shown output, `…` on its own line stands for any lines, and elsewhere for any
text within the line. A block without shown output must print nothing.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.docs.pages import PAGES, ROOT, Block, Command, blocks, commands
from tests.service import free_port, until
from tests.test_demo import Demo

# Why a block may be marked as not run.
REASONS = {
    "installs packages",
    "is interactive",
    "needs Docker",
    "needs a Plex server",
    "needs root",
    "needs PostgreSQL",
    "needs the database",
    "runs the tests",
    "runs until Ctrl-C",
    "takes a minute",
}
# Where the documentation says that the demo's service and simulated Plex listen.
SERVICE, PLEX = "127.0.0.1:8000", "127.0.0.1:32500"
SEPARATOR = "\x1e"
NOT_COPIED = (
    ".git",
    ".venv",
    ".*_cache",
    "__pycache__",
    "db.sqlite3*",
    "node_modules",
    "staticfiles",
    "var",
)

# One demo serves all of them.
pytestmark = pytest.mark.xdist_group("documentation")

with_commands = pytest.mark.parametrize(
    "page", [page for page in PAGES if any(commands(page))], ids=lambda page: page.name
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, on free ports."""
    running = Demo(tmp_path_factory.mktemp("docs") / "state", "--port", "0", "--plex-port", "0")
    try:
        running.ready()
        listener = running.state / "listener.log"
        until(lambda: "listening to Plex" in listener.read_text(), 20, "it listens")
        time.sleep(1)  # the listener clears the cache once after it has connected
        yield running
    finally:
        running.send(signal.SIGTERM)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The project as a reader has it after the packages were installed."""
    copy = tmp_path / "clone"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    (copy / ".venv").symlink_to(sys.prefix)
    return copy


@with_commands
def test_every_command_prints_what_its_page_shows(page: Path, demo: Demo, clone: Path) -> None:
    wanted = list(commands(page))
    printed = _run(wanted, _addresses(wanted, demo), clone)
    for command, output in zip(wanted, printed, strict=True):
        if not command.is_background:
            assert re.fullmatch(_pattern(command.shown), output), f"{command.text}\n{output}"


def test_the_collection_of_the_api_page_is_written_to_plex_in_five_requests(
    demo: Demo, clone: Path
) -> None:
    wanted = list(commands(ROOT / "docs" / "api.md"))
    addresses = _addresses(wanted, demo)
    received = f"http://{addresses[PLEX]}/simulator/requests"
    requests.delete(received, timeout=10)
    printed = _run(wanted, addresses, clone)
    responses = [
        json.loads(output)
        for command, output in zip(wanted, printed, strict=True)
        if "/collections/$key" in command.text
    ]
    assert all(response["success"] is True for response in responses)
    filled, reordered, removed = responses
    assert set(filled["data"]) == {"dryRun", "collection", "changes", "items"}
    assert filled["data"]["collection"]["title"] == "A Long Sunday"
    assert filled["data"]["collection"]["sortOrder"] == "release"
    assert filled["data"]["collection"]["mode"] == "default"
    assert filled["data"]["items"] == [
        {"ratingKey": "1001", "state": "alreadyThere"},
        {"ratingKey": "1002", "state": "added"},
    ]
    assert reordered["data"]["collection"]["sortOrder"] == "custom"
    assert removed["data"]["deleted"]["title"] == "A Long Sunday"
    sent = requests.get(received, timeout=10).json()["requests"]
    methods = [each["method"] for each in sent if _changes_a_library(each)]
    assert methods == ["POST", "PUT", "PUT", "PUT", "DELETE"]


def _changes_a_library(request: Mapping[str, Any]) -> bool:
    return request["method"] != "GET" and request["path"].startswith("/library/")


def test_every_block_that_is_not_run_has_one_of_the_known_reasons() -> None:
    marks = {block.mark for page in PAGES for block in blocks(page) if block.language == "sh"}
    reasons = {mark.removeprefix("not-run: ") for mark in marks - {"", "background"}}
    assert reasons == REASONS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_block_of_commands_hides_under_another_language(page: Path) -> None:
    # The Python of contributing.md is followed by tests/docs/test_contributing.py, and the
    # TypeScript of api.md is run by tests/clients/test_programs.py. tests/test_compose.py checks
    # the YAML of deployment.md against the schema of Compose files.
    known = {"sh", "json", "text", "python", "ts", "yaml"}
    assert {block.language for block in blocks(page)} <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_block_of_commands_is_indented_where_none_is_run(page: Path) -> None:
    assert not re.search(r"^ +```sh", page.read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("shown", "output", "is_match"),
    [
        ("", "", True),
        ("", "anything\n", False),
        ('{\n    …\n    "b": …\n}\n', '{\n    "a": [\n    ],\n    "b": 1\n}\n', True),
        ('{\n    …\n    "b": …\n}\n', '{\n    "a": 1,\n    "c": 1\n}\n', False),
        ("a … c\n", "a b c\n", True),
        ("a … c\n", "a b\nb c\n", False),
    ],
)  # fmt: skip
def test_shown_output_matches_line_by_line(shown: str, output: str, is_match: bool) -> None:
    assert bool(re.fullmatch(_pattern(shown), output)) == is_match


def test_a_block_knows_its_mark() -> None:
    (block,) = [each for each in blocks(ROOT / "README.md") if "make demo" in each.text]
    assert block == Block("sh", "not-run: runs until Ctrl-C", "make demo\n")


def _addresses(wanted: Sequence[Command], demo: Demo) -> Mapping[str, str]:
    """Return where the documented addresses are here; a page may start a service of its own."""
    (service,) = re.findall(r"^  API +http://([^/]+)/", demo.output, re.MULTILINE)
    (plex,) = re.findall(r"^  Plex +http://(\S+) \(simulated", demo.output, re.MULTILINE)
    if any(command.is_background for command in wanted):
        service = f"127.0.0.1:{free_port()}"
    return {SERVICE: service, PLEX: plex}


def _run(wanted: Sequence[Command], addresses: Mapping[str, str], folder: Path) -> list[str]:
    """Run blocks in one shell that stops at the first failure; return what each printed."""
    script = "".join(f"{_script(command)}\nprintf '{SEPARATOR}'\n" for command in wanted)
    for documented, address in addresses.items():
        script = script.replace(documented, address)
    script = script.replace("--port 8000", f"--port {addresses[SERVICE].rpartition(':')[2]}")
    # Nothing else of this process's environment: the tests have a SECRET_KEY, a reader has none.
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "no_proxy": "127.0.0.1"}
    shell = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    try:
        output, errors = shell.communicate(timeout=100)
    finally:
        with contextlib.suppress(ProcessLookupError):  # nothing runs in the background
            os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, output + errors
    return output.split(SEPARATOR)[:-1]


def _script(command: Command) -> str:
    if not command.is_background:
        return command.text
    # The shell stops at `kill -0` where the command has ended.
    wait = f"until curl -s -o /dev/null http://{SERVICE}/; do kill -0 $!; sleep 0.1; done"
    return f"{{\n{command.text}}} > background.log 2>&1 &\n{wait}"


def _pattern(shown: str) -> str:
    return "".join(
        "(?:.*\n)+?" if line.strip() == "…" else re.escape(line).replace("…", ".*?") + "\n"
        for line in shown.splitlines()
    )
