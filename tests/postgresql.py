"""A real PostgreSQL server for the tests, on a port that it keeps over restarts.

PostgreSQL refuses to run as root, so tests that run as root run it as another user. Where it is not
installed its tests are skipped, or fail where POSTGRES_TESTS=required.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.service import HOST, Process, free_port, until

DATABASE = "medianest"
OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_buffers": "16MB",
    "max_connections": "500",  # several services, each with the threads of two workers
    "fsync": "off",
    "log_connections": "on",
    "log_disconnections": "on",
}
_ENDED = re.compile(rf"session time: (\d+):(\d+):([\d.]+) user=\S+ database={DATABASE} ")


@dataclass(frozen=True)
class _Programs:
    folder: Path
    user: str | None

    def run(self, name: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs until it ends."""
        argv = [str(self.folder / name), *arguments]
        subprocess.run(argv, user=self.user, cwd="/", check=True, capture_output=True)


class PostgreSQL:
    """A server with an empty database."""

    def __init__(self, programs: _Programs, folder: Path, **options: str) -> None:
        self.port = free_port()
        self._options = OPTIONS | options
        self.url = self.address(DATABASE)
        self._programs, self._data = programs, folder / "data"
        self._log = folder / "log"
        self._process: Process | None = None
        setup = ("--auth", "trust", "--username", "postgres", "--encoding", "UTF8")
        programs.run("initdb", *setup, "--locale", "C", "--no-sync", "--pgdata", str(self._data))
        self.start()
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")

    def start(self) -> None:
        options = [f"--{name}={value}" for name, value in self._options.items()]
        argv = [str(self._programs.folder / "postgres"), "-D", str(self._data)]
        self._process = Process(
            [*argv, "-p", str(self.port), *options],
            self._log,
            dict(os.environ),
            user=self._programs.user,
        )
        until(self.answers, 30, "PostgreSQL answers")

    def stop(self) -> None:
        """End all sessions and the server."""
        assert self._process
        self._process.send(signal.SIGINT)
        until(lambda: not self._is_running(), 30, "PostgreSQL has ended")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop all of its processes where they are: connections stay open, nothing is answered."""
        pids = self._freeze()
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def connect(self, name: str = "postgres") -> "psycopg.Connection[tuple[Any, ...]]":
        """Connect to a database, by default another than that of the service."""
        return psycopg.connect(
            f"host={HOST} port={self.port} user=postgres dbname={name}", autocommit=True
        )

    def address(self, name: str) -> str:
        """Return what DATABASE_URL is for one of its databases."""
        return f"postgres://postgres@{HOST}:{self.port}/{name}"

    def dump(self, name: str, copy: str) -> None:
        """Copy a database that is in use into an empty one."""
        with tempfile.TemporaryDirectory() as folder:
            if self._programs.user:
                shutil.chown(folder, self._programs.user)
            file = f"--file={folder}/dump"
            self._programs.run("pg_dump", "--format=custom", file, self.address(name))
            self._programs.run("pg_restore", f"--dbname={self.address(copy)}", f"{folder}/dump")

    def answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def ended_sessions(self) -> list[float]:
        """Return how long each session with the database lasted, in seconds."""
        found = _ENDED.findall(self._log.read_text(errors="replace"))
        return [
            int(hours) * 3600 + int(minutes) * 60 + float(seconds)
            for hours, minutes, seconds in found
        ]

    def close(self) -> None:
        if self._is_running():
            # Its processes have sessions of their own: first it may start no more of them.
            for pid in self._freeze():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        assert self._process
        self._process.kill()

    def _is_running(self) -> bool:
        return self._process is not None and self._process.is_running()

    def _freeze(self) -> list[int]:
        """Stop the server and then its children; return their process ids."""
        assert self._process
        server = self._process.pid
        os.kill(server, signal.SIGSTOP)
        children = self._process.children()
        for child in children:
            os.kill(child, signal.SIGSTOP)
        return [server, *children]


@pytest.fixture(scope="session")
def _postgresql() -> Iterator[PostgreSQL]:
    """A server that tests stop and freeze."""
    with started() as server:
        yield server


@contextmanager
def started(**options: str) -> Iterator[PostgreSQL]:
    """Start a server with options in a folder of its own, and end it."""
    programs = _programs()
    # Not in pytest's folder, which only this user may enter.
    with tempfile.TemporaryDirectory() as name:
        if programs.user:
            shutil.chown(name, programs.user)
        server = PostgreSQL(programs, Path(name), **options)
        try:
            yield server
        finally:
            server.close()


def _programs() -> _Programs:
    """Find the programs, and a user who may run them."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    folder = next((each for each in folders if (each / "postgres").exists()), None)
    if folder is None:
        say = pytest.fail if os.environ.get("POSTGRES_TESTS") == "required" else pytest.skip
        say("No PostgreSQL here. Install it for these tests: apt-get install postgresql")
    return _Programs(folder, _other_user() if os.geteuid() == 0 else None)


def _other_user() -> str:
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
