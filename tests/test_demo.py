"""`make demo` as a newcomer meets it: real processes, the printed line pasted, nothing left."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command

from plex_integration.management.commands.demo import _free
from plex_simulator import Simulator
from tests.service import Service, until

ROOT = Path(__file__).parent.parent


class Demo:
    """`manage.py demo` on free ports, and what it has printed so far."""

    def __init__(self, state: Path, *options: str, **environment: str) -> None:
        self.state = state
        self._output = state.with_suffix(".output")
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "demo", "--state", state, *options],
                cwd=ROOT,
                env=os.environ | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._seen: set[tuple[int, str]] = set()

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def origin(self) -> str:
        """The origin of the service."""
        (root,) = re.findall(r"^  Admin +(http\S+)/admin/$", self.output, re.MULTILINE)
        return str(root)

    @property
    def curl(self) -> str:
        (line,) = re.findall(r"^curl .*/api/v1/plex/.*$", self.output, re.MULTILINE)
        return line

    def ready(self) -> "Demo":
        """Wait until everything is printed; note every process and port there is then."""
        until(
            lambda: "A new token:" in self.output or self.process.poll() is not None,
            60,
            "the demo runs",
        )
        assert self.process.poll() is None, self.output
        self._seen = _descendants(self.process.pid)
        return self

    def find(self, words: str) -> list[int]:
        return [pid for pid, command in self._seen if words in command]

    def send(self, number: signal.Signals) -> int:
        """Send a signal, wait for the end, return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def assert_nothing_is_left(self) -> None:
        assert self._seen
        until(
            lambda: not [pid for pid, _ in self._seen if _is_alive(pid)], 15, "all processes ended"
        )
        ports = [int(port) for port in re.findall(r"at 127\.0\.0\.1:(\d+)", self.output)]
        assert len(ports) >= 2
        for port in ports:
            assert _is_free(port)


def _processes() -> dict[int, tuple[int, str]]:
    """Return every process that runs, as Linux tells: its parent and its command."""
    found: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            state, parent = (folder / "stat").read_text().rpartition(") ")[2].split()[:2]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if state != "Z":
                found[int(folder.name)] = (int(parent), command)
    return found


def _descendants(ancestor: int) -> set[tuple[int, str]]:
    processes = _processes()
    found: set[tuple[int, str]] = set()
    above = {ancestor}
    while above:
        below = {(pid, args) for pid, (parent, args) in processes.items() if parent in above}
        found |= below
        above = {pid for pid, _ in below}
    return found


def _is_alive(pid: int) -> bool:
    return pid in _processes()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Start demos on free ports; end whatever a failed test leaves."""
    started: list[Demo] = []

    def start(*options: str, **environment: str) -> Demo:
        ports = ("--port", "0", "--plex-port", "0")
        started.append(Demo(tmp_path / "state of the demo", *ports, *options, **environment))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.send(signal.SIGTERM)


def _paste(line: str) -> dict[str, object]:
    """Run a line as a person would paste it, and return the JSON it shows."""
    ran = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, timeout=30, check=True
    )
    answer: dict[str, object] = json.loads(ran.stdout)
    return answer


@pytest.mark.parametrize("option", ["--port", "--plex-port"])
def test_a_port_that_cannot_be_used_stops_the_start(option: str) -> None:
    with pytest.raises(CommandError, match=f"{option}: '65536' is not a port from 0 to 65535"):
        call_command("demo", option, "65536")


def test_no_free_port_is_chosen_twice() -> None:
    with contextlib.ExitStack() as chosen:
        ports = [_free(chosen, 0, "a server", "", "") for _ in range(500)]
    assert len(set(ports)) == 500


def test_the_printed_lines_work_and_ctrl_c_leaves_nothing(demo: Callable[..., Demo]) -> None:
    first = demo().ready()
    answer = _paste(first.curl)
    assert answer["success"] is True
    assert len(answer["data"]["items"]) == 2  # type: ignore[index]
    (sign_in,) = re.findall(r"^curl .*/api/v1/auth/token$", first.output, re.MULTILINE)
    assert _paste(sign_in)["success"] is True
    block = first.output.partition("as the administrator:\n")[2].strip()
    ran = subprocess.run(
        ["bash", "-c", block], capture_output=True, text=True, timeout=60, check=True
    )
    filled, reordered, removed = map(json.loads, ran.stdout.splitlines())
    assert filled["data"]["items"][1] == {"ratingKey": "1002", "state": "added"}
    assert reordered["data"]["items"] == [{"ratingKey": "1002", "state": "moved"}]
    assert removed["data"]["deleted"]["title"] == "A Sunday"
    for name in ("Docs", "Admin"):
        (address,) = re.findall(rf"^  {name} +(http\S+)$", first.output, re.MULTILINE)
        assert requests.get(address, timeout=30).status_code == 200
    assert len(first.find("granian")) == 3, "a master and two workers"
    assert len(first.find("valkey-server")) == len(first.find("plex_simulator")) == 1
    assert len(first.find("plex_listen")) == 1
    listener = first.state / "listener.log"
    until(lambda: listener.read_text().endswith(" listening to Plex\n"), 20, "it listens")
    assert first.send(signal.SIGINT) == 0
    assert first.output.endswith("Stopping…\nStopped.\n")
    first.assert_nothing_is_left()

    second = demo().ready()
    assert "No migrations to apply" in (second.state / "migrate.log").read_text()
    assert _paste(second.curl)["success"] is True
    assert second.send(signal.SIGTERM) == 0
    second.assert_nothing_is_left()


def test_the_sample_client_knows_no_user_where_a_setting_alone_serves_it(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/db.sqlite3"
    service = Service(
        tmp_path, dict(os.environ) | {"SAMPLE_CLIENT": "1", "DATABASE_URL": database}, workers=1
    )
    try:
        service.wait()
        page = requests.get(f"{service.url}/", timeout=30)
        assert '<form id="sign-in"' in page.text
        session = requests.get(f"{service.url}/medianest/session.js", timeout=30)
        assert session.headers["Content-Type"].startswith("text/javascript")
        demo = requests.get(f"{service.url}/demo.js", timeout=30).text
        assert demo.endswith("export const users = [];\n")
    finally:
        service.close()


def test_a_demo_without_a_connection_says_where_to_make_it(demo: Callable[..., Demo]) -> None:
    running = demo("--unconnected").ready()
    assert "No Plex server is configured." in running.output
    assert f"Connect it in the admin: {running.origin}/admin/" in running.output
    answer = _paste(running.curl)
    assert answer["error"]["code"] == "PLEX_SERVER_UNAVAILABLE"  # type: ignore[index]


def test_a_killed_demo_leaves_nothing(demo: Callable[..., Demo]) -> None:
    running = demo().ready()
    assert running.send(signal.SIGKILL) == -signal.SIGKILL
    running.assert_nothing_is_left()


def test_the_end_of_one_process_ends_the_demo_and_is_reported(demo: Callable[..., Demo]) -> None:
    running = demo().ready()
    (valkey,) = running.find("valkey-server")
    os.kill(valkey, signal.SIGKILL)
    assert running.process.wait(30) == 1
    assert "valkey ended with -9" in running.output
    running.assert_nothing_is_left()


def test_the_demo_runs_on_a_real_server_where_one_is_named(
    demo: Callable[..., Demo], plex: Simulator
) -> None:
    running = demo(PLEX_URL=plex.url, PLEX_TOKEN=plex.owner_token).ready()
    assert running.find("plex_simulator") == []
    plex.reset_requests()
    assert _paste(running.curl)["success"] is True
    assert plex.count("/library/sections/1") > 0
    assert plex.owner_token not in running.output
    assert running.send(signal.SIGHUP) == 0
    running.assert_nothing_is_left()


@pytest.mark.parametrize(("option", "variable"), [("--port", "PORT"), ("--plex-port", "PLEX_PORT")])
def test_a_taken_port_is_reported_with_another_one_to_choose(
    demo: Callable[..., Demo], option: str, variable: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = demo(option, str(port))
        assert refused.process.wait(30) == 1
    assert f"Port {port} of 127.0.0.1" in refused.output
    assert "Address already in use" in refused.output
    assert f"make demo {variable}=" in refused.output
    assert "Starting" not in refused.output


def test_a_second_demo_in_the_same_folder_is_refused(demo: Callable[..., Demo]) -> None:
    first = demo().ready()
    second = subprocess.run(
        [sys.executable, "manage.py", "demo", "--state", first.state, "--port", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert f"Another demo uses the folder {first.state}. Stop it" in second.stderr
    assert _paste(first.curl)["success"] is True


def test_half_a_real_server_is_refused(demo: Callable[..., Demo]) -> None:
    refused = demo(PLEX_URL="http://127.0.0.1:32400")
    assert refused.process.wait(30) == 1
    assert "Set both PLEX_URL and PLEX_TOKEN" in refused.output


@pytest.mark.django_db
def test_known_passwords_are_never_in_any_other_database() -> None:
    with pytest.raises(CommandError, match="not the demo's database"):
        call_command("demo_users")


def test_make_installs_again_only_when_the_requirements_changed(tmp_path: Path) -> None:
    for name in (
        "Makefile",
        "constraints.txt",
        *(each.name for each in ROOT.glob("requirements*")),
    ):
        shutil.copy(ROOT / name, tmp_path)
    stamp = tmp_path / ".venv" / "installed"
    stamp.parent.mkdir()

    def plan() -> str:
        make = ["make", "--dry-run", "demo"]
        return subprocess.run(make, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert "pip install" in plan()
    assert "npm" not in plan()
    stamp.touch()
    assert "pip install" not in plan()
    later = time.time() + 10
    os.utime(tmp_path / "requirements-dev.txt", (later, later))
    assert "pip install" in plan()
