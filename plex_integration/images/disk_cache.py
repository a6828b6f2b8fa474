"""The disk cache: a folder of images that all workers of a machine share, up to a maximum size.

    kept/ab/abcdef…   a checksum and an image; the time of its last change is that of its last use
    new/…             a file that is being written: renamed when complete, so nobody reads a part
    total, lock       the bytes in kept/, and the lock to change them
    locks/abc         held by the process that fetches an image whose name starts with abc

The least recently used images are evicted first. This is plain files because no library does it
well enough: diskcache has had no release since 2023 and reads what it finds with pickle
(CVE-2025-69872, no fix), and its forks are young. Nothing here is executed or unpickled, and
readers take no lock.

The locks are file locks and not locks in Redis, because each machine has a folder of its own: an
image that another machine has fetched is not in this one's. A file lock also ends with its process.

Files are not synced one by one: if a power cut damages one, its checksum does not match and it is
deleted. A process compares a file's checksum the first time that it serves it, and not again: no
file is changed after it was renamed. A folder that cannot be written is reported in the log, and
every image is then fetched each time.
"""

import fcntl
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache, partial
from hashlib import blake2b, file_digest
from io import FileIO
from pathlib import Path
from threading import Lock
from uuid import uuid4

from cachetools import LRUCache
from django.conf import settings

log = logging.getLogger(__name__)

PIECE_BYTES = 64 * 1024
"""How much of a file is read at once."""
MAX_VERIFIED = 8192
"""How many files a process remembers as verified: about 2 MB."""

_DIGEST_SIZE = 16
_blake2b = partial(blake2b, digest_size=_DIGEST_SIZE)
# Files occupy whole blocks of this size.
_BLOCK = 4096
# How full the folder is after an eviction. The rest is room for images until the next one, which
# has to look at every file.
_FILL_AFTER_EVICTION = 0.9
# A process that died while writing left a file in new/. No write takes this many seconds.
_ABANDONED_AFTER = 3600.0
_POLL_SECONDS = 0.01
# How long a write may wait for the lock. After that the image is not cached.
_WRITE_LOCK_SECONDS = 1.0


@dataclass(frozen=True)
class EncodedImage:
    """An encoded image in memory, and its hash."""

    content: bytes
    digest: str

    @classmethod
    def of(cls, content: bytes) -> "EncodedImage":
        """Hash an image."""
        return cls(content, _blake2b(content).hexdigest())

    @property
    def size(self) -> int:
        return len(self.content)

    def __iter__(self) -> Iterator[bytes]:
        yield self.content

    def close(self) -> None:
        """Do nothing, as the counterpart of `CachedFile.close`."""


@dataclass(frozen=True)
class CachedFile:
    """An image's open file, which stays readable when the image is evicted, and its stored hash.

    Iterating reads the image in pieces.
    """

    file: FileIO
    digest: str
    size: int

    @classmethod
    def open(cls, path: Path) -> "CachedFile":
        """Open a file and read its beginning. Raises OSError."""
        # Without a buffer: pieces are large, and most files are one piece.
        file = path.open("rb", buffering=0)
        digest = file.read(_DIGEST_SIZE).hex()
        return cls(file, digest, os.fstat(file.fileno()).st_size - _DIGEST_SIZE)

    @property
    def inode(self) -> int:
        return os.fstat(self.file.fileno()).st_ino

    def matches_digest(self) -> bool:
        """Read the file and compare its checksum. Raises OSError."""
        actual = file_digest(self.file, _blake2b).hexdigest()
        self.file.seek(_DIGEST_SIZE)
        return actual == self.digest

    def record_use(self) -> None:
        with suppress(OSError):
            os.utime(self.file.fileno())

    def __iter__(self) -> Iterator[bytes]:
        return iter(partial(self.file.read, PIECE_BYTES), b"")

    def close(self) -> None:
        self.file.close()


@dataclass(frozen=True)
class DiskSpace:
    """How many bytes the disk has left, None if it does not say, and whether images are cached."""

    free: int | None
    is_writable: bool


def current() -> "DiskCache":
    """Return the disk cache that the settings describe."""
    return _disk_cache(str(settings.PICTURES_FOLDER), settings.PICTURES_MIB)


@cache
def _disk_cache(path: str, mebibytes: int) -> "DiskCache":
    return DiskCache(Path(path), mebibytes * 1024 * 1024)


class DiskCache:
    """A folder of images with hexadecimal names that occupy at most `max_bytes`."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path, self._max_bytes = path, max_bytes
        self._lock = Lock()
        # The inode and the size under which a file was verified.
        self._verified: LRUCache[str, tuple[int, int]] = LRUCache(MAX_VERIFIED)

    def open(self, name: str) -> CachedFile | None:
        """Open an image and record its use; None if it is not cached, or damaged."""
        try:
            cached = CachedFile.open(self._file(name))
        except OSError:
            return None
        if self._is_verified(name, cached):
            cached.record_use()
            return cached
        cached.close()
        log.warning("a cached image is damaged: it will be fetched again")
        with suppress(OSError):
            self._file(name).unlink()
        return None

    def digest(self, name: str) -> str | None:
        """Return an image's stored hash and record its use, without reading the image."""
        try:
            cached = CachedFile.open(self._file(name))
        except OSError:
            return None
        cached.record_use()
        cached.close()
        return cached.digest

    def read(self, name: str) -> EncodedImage | None:
        """Return an image as `open` does, read whole."""
        cached = self.open(name)
        if cached is None:
            return None
        with cached.file:
            return EncodedImage(cached.file.read(), cached.digest)

    def write(self, name: str, image: EncodedImage) -> bool:
        """Cache an image, and evict others if there is no room. Return whether it is cached."""
        if _size_on_disk(_DIGEST_SIZE + image.size) > self._max_bytes:
            return False
        new, file = self._path / "new" / uuid4().hex, self._file(name)
        try:
            self._create_folders(new.parent, file.parent)
            new.write_bytes(bytes.fromhex(image.digest) + image.content)
            with self._locked_folder():
                self._publish(new, file)
        except OSError as error:
            log.warning("an image cannot be cached: %s", error.strerror or error)
            with suppress(OSError):
                new.unlink(missing_ok=True)
            return False
        return True

    @property
    def max_bytes(self) -> int:
        """The bytes that all images may occupy."""
        return self._max_bytes

    def used(self) -> int:
        """Return the bytes that all images occupy; 0 if they cannot be read."""
        try:
            return self._total()
        except OSError:
            return 0

    def space(self) -> DiskSpace:
        """Return how full the disk is. The folder need not exist yet."""
        folder = next(each for each in (self._path, *self._path.parents) if each.exists())
        try:
            free = shutil.disk_usage(folder).free
        except OSError:
            free = None
        is_writable = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
        return DiskSpace(free, is_writable)

    def count(self) -> int:
        """Return the number of images, 0 if they cannot be read. For the operator's page only."""
        with suppress(OSError), os.scandir(self._path / "kept") as folders:
            return sum(len(os.listdir(folder)) for folder in folders)
        return 0

    def clear(self) -> int:
        """Delete all images; return how many. Raises OSError where the folder cannot be written."""
        with self._locked_folder():
            images = list(self._images())
            for _, _, path in images:
                Path(path).unlink(missing_ok=True)
            (self._path / "total").write_text("0")
        return len(images)

    def lock(self, name: str, deadline: float) -> AbstractContextManager[None]:
        """Lock an image for the process that fetches it; `deadline` is of `time.monotonic()`.

        Entering it raises TimeoutError at the deadline. If the folder cannot be written it locks
        nothing: no process could share what it fetches.
        """
        lock = self._path / "locks" / name[:3]
        try:
            self._create_folders(lock.parent)
            lock.touch(mode=0o600)
        except OSError:
            return nullcontext()
        return _locked(lock, deadline)

    def _locked_folder(self) -> AbstractContextManager[None]:
        """Lock the folder for a change. Entering it raises TimeoutError after a while."""
        self._create_folders()
        return _locked(self._path / "lock", time.monotonic() + _WRITE_LOCK_SECONDS)

    def _is_verified(self, name: str, cached: CachedFile) -> bool:
        """Tell whether a file is whole: compare its checksum, unless this process has done so."""
        mark = cached.inode, cached.size
        with self._lock:
            if self._verified.get(name) == mark:
                return True
        try:
            is_whole = cached.matches_digest()
        except OSError:
            return False
        if is_whole:
            with self._lock:
                self._verified[name] = mark
        return is_whole

    def _publish(self, new: Path, file: Path) -> None:
        """Move a complete file to its place and count its bytes."""
        size, total = _size(new), self._total()
        if total + size > self._max_bytes:
            fill = int(self._max_bytes * _FILL_AFTER_EVICTION)
            total = self._evict(min(fill, self._max_bytes - size))
        replaced = _size(file)
        new.replace(file)
        (self._path / "total").write_text(str(total + size - replaced))

    def _create_folders(self, *folders: Path) -> None:
        """Create folders and their parents, readable by this user alone."""
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in folders:
            for each in (folder.parent, folder):
                each.mkdir(mode=0o700, exist_ok=True)

    def _file(self, name: str) -> Path:
        return self._path / "kept" / name[:2] / name

    def _total(self) -> int:
        """Return the bytes that all images occupy: as counted, or else added up."""
        try:
            return int((self._path / "total").read_text())
        except (OSError, ValueError):
            return sum(size for _, size, _ in self._images())

    def _evict(self, max_bytes: int) -> int:
        """Delete the least recently used images; return the bytes that the others occupy."""
        self._delete_abandoned()
        images = sorted(self._images())
        total = sum(size for _, size, _ in images)
        for _, size, path in images:
            if total <= max_bytes:
                break
            Path(path).unlink(missing_ok=True)
            total -= size
        return total

    def _delete_abandoned(self) -> None:
        """Delete the unfinished files of processes that died."""
        for file in (self._path / "new").iterdir():
            with suppress(OSError):
                if file.stat().st_mtime < time.time() - _ABANDONED_AFTER:
                    file.unlink()

    def _images(self) -> Iterator[tuple[int, int, str]]:
        """Yield the time of the last use, the bytes and the path of each image."""
        with suppress(FileNotFoundError), os.scandir(self._path / "kept") as folders:
            for folder in folders:
                with os.scandir(folder) as files:
                    for file in files:
                        with suppress(FileNotFoundError):
                            about = file.stat()
                            yield about.st_mtime_ns, _size_on_disk(about.st_size), file.path


@contextmanager
def _locked(path: Path, deadline: float) -> Iterator[None]:
    """Hold a file's lock, which ends with the process. Raises TimeoutError at the deadline."""
    with path.open("ab") as file:
        while not _acquire(file.fileno()):
            if time.monotonic() >= deadline:
                raise TimeoutError("another process holds the lock")
            time.sleep(_POLL_SECONDS)
        yield


def _acquire(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _size_on_disk(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _size(file: Path) -> int:
    """Return the bytes that a file occupies; 0 if there is none."""
    try:
        return _size_on_disk(file.stat().st_size)
    except OSError:
        return 0
