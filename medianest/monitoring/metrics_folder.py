"""The folder in which the workers of a machine count for Prometheus; its listener is one of them.

Each worker has files of its own, under a random name, because workers in several containers may
have the same process id. It holds a lock on a file of that name as long as it lives. What a dead
worker counted is added to the files of the name `DEAD`, so that no counter goes down while the
service runs. The first worker of a service empties the folder.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from prometheus_client.mmap_dict import MmapedDict

DEAD = "dead"
_LOCK, _ALIVE = "lock", ".alive"
_ADDED = ("counter", "histogram")
"""The kinds whose numbers survive their worker. Gauges end with it."""
_RESERVED_BYTES = {"counter": 64 * 1024, "gauge_livesum": 64 * 1024, "histogram": 1024 * 1024}
"""The kinds of files, and what each gets at once: they are mapped into memory, and a write to a
page that a full disk cannot hold would kill the process."""


class MetricsFolder:
    """The folder, which need not exist before the first worker joins."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def join(self) -> str:
        """Let this process have files here until it ends; return their name. Raises OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = token_hex(8)
        with self.locked():
            if not any(map(_is_held, self._members())):
                self._clear()
            # Open, and so locked, until the process ends.
            alive = os.open(self.path / f"{name}{_ALIVE}", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(alive, fcntl.LOCK_EX)
            try:
                for kind in _RESERVED_BYTES:
                    self._reserve(kind, name)
            except OSError:
                self._delete(name)
                os.close(alive)
                raise
        return name

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let no other process change which files there are. Raises OSError."""
        descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def files(self) -> list[str]:
        """Return the files to read, without those of dead workers; the folder must be locked."""
        for member in self._members():
            if not _is_held(member):
                self._bury(member.name.removesuffix(_ALIVE))
        return [str(file) for file in self._files()]

    def _members(self) -> list[Path]:
        return sorted(self.path.glob(f"*{_ALIVE}"))

    def _files(self, name: str = "*") -> list[Path]:
        return [file for kind in _RESERVED_BYTES for file in self.path.glob(f"{kind}_{name}.db")]

    def _clear(self) -> None:
        for file in [*self._files(), *self._members()]:
            file.unlink()

    def _file(self, kind: str, name: str) -> Path:
        return self.path / f"{kind}_{name}.db"

    def _reserve(self, kind: str, name: str) -> None:
        descriptor = os.open(self._file(kind, name), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, _RESERVED_BYTES[kind])
        finally:
            os.close(descriptor)

    def _bury(self, name: str) -> None:
        """Add what a dead worker counted to the sums; if the disk is full, change no number."""
        for kind in _ADDED:
            self._reserve(kind, DEAD)
        for kind in _ADDED:
            file = self._file(kind, name)
            # Without content the worker died before it could count.
            if file.exists() and file.stat().st_size:
                _add(file, self._file(kind, DEAD))
        self._delete(name)

    def _delete(self, name: str) -> None:
        for file in self._files(name):
            file.unlink()
        (self.path / f"{name}{_ALIVE}").unlink()


def _is_held(member: Path) -> bool:
    """Tell whether the worker of this file lives: then it holds the lock."""
    descriptor = os.open(member, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _add(file: Path, total: Path) -> None:
    sums = MmapedDict(str(total))
    try:
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):
            sums.write_value(key, sums.read_value(key)[0] + value, 0.0)
    finally:
        sums.close()
