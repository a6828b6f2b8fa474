"""Pictures kept in a folder that all workers of a machine share, up to a size.

    kept/ab/abcdef…   a checksum and a picture; its time of change is when it was last wanted
    new/…             being written: renamed when whole, so that nobody ever reads a part
    total, lock       the bytes in kept/, and whose turn it is to change them
    locks/abc         who is fetching one of the pictures whose name begins so

Least recently used goes first. It is written here, in files, since no library does it well enough:
diskcache has had no release since 2023 and reads what it finds by pickle (CVE-2025-69872, no fix),
and its forks are young. Nothing here is ever executed or unpickled, and a reader takes no lock.

Files are not synced one by one: what a power cut leaves of one fails its checksum and is dropped.
A folder that cannot be written is told in the log, and pictures then are fetched each time.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

from django.conf import settings

log = logging.getLogger(__name__)

_DIGEST = 16
# Files take whole blocks of this size.
_BLOCK = 4096
# What is left when the folder was full: so many pictures fit before the next look at all of it.
_LEFT = 0.9
# Who died while writing left a file in new/; nobody writes as long as this.
_FORGOTTEN = 3600.0
_WAIT_STEP = 0.01
# How long a picture may wait for its turn to be kept; after that it is not kept.
_TURN = 1.0


@dataclass(frozen=True)
class Kept:
    """A picture, and the hash of it."""

    content: bytes
    digest: str

    @classmethod
    def of(cls, content: bytes) -> "Kept":
        """Hash a picture."""
        return cls(content, blake2b(content, digest_size=_DIGEST).hexdigest())


def current() -> "Folder":
    """Return the folder that the settings name."""
    return _folder(str(settings.PICTURES_FOLDER), settings.PICTURES_MIB)


@cache
def _folder(path: str, mebibytes: int) -> "Folder":
    return Folder(Path(path), mebibytes * 1024 * 1024)


class Folder:
    """A folder of at most `most` bytes of pictures; their names are hexadecimal."""

    def __init__(self, path: Path, most: int) -> None:
        self._path, self._most = path, most

    def read(self, name: str) -> Kept | None:
        """Return a picture if it is kept, and note that it was wanted."""
        file = self._file(name)
        try:
            written = file.read_bytes()
        except OSError:
            return None
        kept = Kept.of(written[_DIGEST:])
        if written[:_DIGEST].hex() != kept.digest:
            log.warning("a kept picture is broken: it is fetched again")
            with suppress(OSError):
                file.unlink()
            return None
        with suppress(OSError):
            os.utime(file)
        return kept

    def keep(self, name: str, kept: Kept) -> bool:
        """Keep a picture, and let go of others where there is no room; tell whether it is kept."""
        size = _blocks(_DIGEST + len(kept.content))
        if size > self._most:
            return False
        new, file = self._path / "new" / uuid4().hex, self._file(name)
        try:
            self._make(new.parent, file.parent)
            new.write_bytes(bytes.fromhex(kept.digest) + kept.content)
            with _locked(self._path / "lock", time.monotonic() + _TURN) as is_mine:
                if not is_mine:
                    raise TimeoutError("its turn did not come")
                total = self._total()
                if total + size > self._most:
                    total = self._swept(min(int(self._most * _LEFT), self._most - size))
                replaced = _size(file)
                new.replace(file)
                (self._path / "total").write_text(str(total + size - replaced))
        except OSError as error:
            log.warning("a picture cannot be kept: %s", error.strerror or error)
            with suppress(OSError):
                new.unlink(missing_ok=True)
            return False
        return True

    @contextmanager
    def alone(self, name: str, deadline: float) -> Iterator[None]:
        """Let one process at a time fetch a picture; `deadline` is of `time.monotonic()`.

        Raises TimeoutError. Where the folder cannot be written everybody may.
        """
        lock = self._path / "locks" / name[:3]
        try:
            self._make(lock.parent)
            lock.touch(mode=0o600)
        except OSError:
            yield
            return
        with _locked(lock, deadline) as is_mine:
            if not is_mine:
                raise TimeoutError("another process is fetching this picture")
            yield

    def _make(self, *folders: Path) -> None:
        """Make folders that nobody else may look into; what they are in, too."""
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in folders:
            for each in (folder.parent, folder):
                each.mkdir(mode=0o700, exist_ok=True)

    def _file(self, name: str) -> Path:
        return self._path / "kept" / name[:2] / name

    def _total(self) -> int:
        try:
            return int((self._path / "total").read_text())
        except (OSError, ValueError):
            return sum(size for _, size, _ in self._all())

    def _swept(self, most: int) -> int:
        """Let go of what was not wanted for longest; return the bytes that are left."""
        for left in (self._path / "new").iterdir():
            with suppress(OSError):
                if left.stat().st_mtime < time.time() - _FORGOTTEN:
                    left.unlink()
        files = sorted(self._all())
        total = sum(size for _, size, _ in files)
        for _, size, file in files:
            if total <= most:
                break
            Path(file).unlink(missing_ok=True)
            total -= size
        return total

    def _all(self) -> Iterator[tuple[int, int, str]]:
        """Give the time it was last wanted, the bytes and the path of each picture."""
        with suppress(FileNotFoundError), os.scandir(self._path / "kept") as folders:
            for folder in folders:
                with os.scandir(folder) as files:
                    for file in files:
                        with suppress(FileNotFoundError):
                            about = file.stat()
                            yield about.st_mtime_ns, _blocks(about.st_size), file.path


@contextmanager
def _locked(path: Path, deadline: float) -> Iterator[bool]:
    """Hold a file's lock, which ends with the process; tell whether it was got in time."""
    with path.open("ab") as file:
        is_mine = False
        while not is_mine:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_mine = True
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    break
                time.sleep(_WAIT_STEP)
        yield is_mine


def _blocks(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _size(file: Path) -> int:
    try:
        return _blocks(file.stat().st_size)
    except OSError:
        return 0
