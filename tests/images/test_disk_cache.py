"""The folder of pictures: whole or not at all, up to its size, least recently wanted first."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import file_digest
from pathlib import Path
from typing import Any

import pytest

from plex_integration.images import disk_cache
from plex_integration.images.disk_cache import DiskCache, EncodedImage
from plex_simulator import Simulator
from tests.conftest import Client
from tests.pace import Stopwatch
from tests.service import until

from .conftest import first, open_files, scaled, shown

KIB = 1024
# So many bytes make three blocks with their checksum.
PICTURE = os.urandom(10 * KIB)
BLOCKS = 12 * KIB


def name(number: int) -> str:
    return f"{number:032x}"


def used(path: Path) -> int:
    """Return the bytes that the cached pictures take, in blocks."""
    return sum(-(-file.stat().st_size // 4096) * 4096 for file in path.glob("kept/*/*"))


def keep(cache: DiskCache, number: int, content: bytes = PICTURE) -> bool:
    return cache.write(name(number), EncodedImage.of(content))


def test_what_was_cached_is_read_again_also_by_another_process(tmp_path: Path) -> None:
    assert keep(DiskCache(tmp_path, 1024 * KIB), 1)
    cached = DiskCache(tmp_path, 1024 * KIB).read(name(1))
    assert cached == EncodedImage.of(PICTURE)
    assert DiskCache(tmp_path, 1024 * KIB).read(name(2)) is None


def test_the_folder_never_takes_more_than_its_size(tmp_path: Path) -> None:
    most = 20 * BLOCKS
    cache = DiskCache(tmp_path, most)
    for number in range(100):
        assert keep(cache, number)
        assert used(tmp_path) <= most
        assert int((tmp_path / "total").read_text()) == used(tmp_path)
    assert used(tmp_path) > most // 2
    assert cache.read(name(99))


def test_what_was_not_wanted_for_longest_goes_first(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 10 * BLOCKS)
    for number in range(10):
        keep(cache, number)
        os.utime(tmp_path / "kept/00" / name(number), (number, number))
    assert cache.read(name(0))
    keep(cache, 10)
    assert cache.read(name(0))
    assert cache.read(name(10))
    assert cache.read(name(9))
    assert [number for number in range(10) if cache.read(name(number)) is None] == [1]


def test_a_picture_larger_than_the_folder_is_not_cached(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 2 * BLOCKS)
    assert keep(cache, 1)
    assert not keep(cache, 2, bytes(30 * KIB))
    assert cache.read(name(1))
    assert not keep(DiskCache(tmp_path / "none", 0), 1)


def test_a_smaller_size_holds_from_the_next_picture_on(tmp_path: Path) -> None:
    for number in range(10):
        keep(DiskCache(tmp_path, 100 * BLOCKS), number)
    assert keep(DiskCache(tmp_path, 3 * BLOCKS), 11)
    assert used(tmp_path) <= 3 * BLOCKS


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "zeroes"])
def test_a_damaged_picture_is_not_shown_and_goes(tmp_path: Path, damage: str) -> None:
    cache = DiskCache(tmp_path, 1024 * KIB)
    keep(cache, 1)
    file = tmp_path / "kept/00" / name(1)
    written = file.read_bytes()
    damaged = {
        "cut": written[:-1],
        "changed": written[:-1] + bytes([written[-1] ^ 1]),
        "empty": b"",
        "zeroes": bytes(len(written)),
    }
    file.write_bytes(damaged[damage])
    assert cache.read(name(1)) is None
    assert not file.exists()
    assert keep(cache, 1)
    assert cache.read(name(1))


def test_a_file_is_verified_once_and_again_when_it_was_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[Any] = []

    def count(*arguments: Any) -> Any:
        verified.append(arguments)
        return file_digest(*arguments)

    monkeypatch.setattr(disk_cache, "file_digest", count)
    cache = DiskCache(tmp_path, 1024 * KIB)
    keep(cache, 1)
    for _ in range(3):
        assert cache.read(name(1))
    assert len(verified) == 1
    keep(cache, 1, PICTURE[::-1])
    assert cache.read(name(1)) == EncodedImage.of(PICTURE[::-1])
    assert len(verified) == 2
    file = tmp_path / "kept/00" / name(1)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(file.read_bytes()[:-1] + b"?")
    damaged.replace(file)
    assert cache.read(name(1)) is None
    assert not file.exists()


def test_a_verified_file_that_is_cut_is_not_shown(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 1024 * KIB)
    keep(cache, 1)
    assert cache.read(name(1))
    file = tmp_path / "kept/00" / name(1)
    os.truncate(file, 5000)
    assert cache.read(name(1)) is None
    assert not file.exists()


def test_an_open_picture_is_read_in_pieces_even_after_it_was_evicted(tmp_path: Path) -> None:
    content = os.urandom(200 * KIB)
    cache = DiskCache(tmp_path, 1024 * KIB)
    keep(cache, 1, content)
    cached = cache.open(name(1))
    assert cached
    assert cached.size == len(content)
    (tmp_path / "kept/00" / name(1)).unlink()
    pieces = list(cached)
    cached.close()
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) == disk_cache.PIECE_BYTES


@pytest.mark.parametrize("written", ["", "many", "-5", "99999999999999"])
def test_a_wrong_count_is_put_right(tmp_path: Path, written: str) -> None:
    cache = DiskCache(tmp_path, 5 * BLOCKS)
    for number in range(4):
        keep(cache, number)
    (tmp_path / "total").write_text(written)
    for number in range(4, 30):
        assert keep(cache, number)
    assert used(tmp_path) <= 5 * BLOCKS


def test_only_this_user_may_read_the_folder(tmp_path: Path) -> None:
    keep(DiskCache(tmp_path / "pictures", 1024 * KIB), 1)
    for path in (tmp_path / "pictures", *(tmp_path / "pictures").rglob("*")):
        if path.is_dir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


WRITER = """
import os, sys
from pathlib import Path
from plex_integration.images import disk_cache
from plex_integration.images.disk_cache import DiskCache, EncodedImage
cache = DiskCache(Path(sys.argv[1]), int(sys.argv[2]))
print("ready", flush=True)
for number in range(int(sys.argv[3]), int(sys.argv[4])):
    cache.write(f"{number:032x}", EncodedImage.of(number.to_bytes(4, "big") * 20_000))
"""


def writer(path: Path, most: int, start: int, end: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(most), str(start), str(end)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "medianest.settings"},
        stdout=subprocess.PIPE,
    )


def test_processes_that_keep_at_once_count_together(tmp_path: Path) -> None:
    most = 3000 * KIB
    writers = [writer(tmp_path, most, start, start + 150) for start in (0, 1000, 2000)]
    for each in writers:
        each.communicate(timeout=60)
        assert each.returncode == 0
    assert used(tmp_path) <= most
    assert int((tmp_path / "total").read_text()) == used(tmp_path)
    assert list(tmp_path.glob("new/*")) == []
    cache = DiskCache(tmp_path, most)
    for file in tmp_path.glob("kept/*/*"):
        cached = cache.read(file.name)
        assert cached
        assert cached.content == int(file.name, 16).to_bytes(4, "big") * 20_000


def test_a_process_killed_while_it_keeps_leaves_nothing_that_is_read(tmp_path: Path) -> None:
    most = 3000 * KIB
    for round in range(5):
        killed = writer(tmp_path, most, round * 1000, round * 1000 + 1000)
        assert killed.stdout
        killed.stdout.readline()
        count = len(list(tmp_path.glob("kept/*/*")))
        until(
            lambda count=count: len(list(tmp_path.glob("kept/*/*"))) > count + 3 or count > 20,
            20,
            "some pictures are cached",
        )
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=20)
    cache = DiskCache(tmp_path, most)
    names = [file.name for file in tmp_path.glob("kept/*/*")]
    assert names
    assert all(cache.read(each) for each in names)
    # Whoever died held no lock any more, and what they counted is put right at the next look.
    (tmp_path / "total").unlink()
    assert keep(cache, 999_999)
    assert used(tmp_path) <= most


def test_what_a_dead_process_was_writing_is_deleted(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 4 * BLOCKS)
    keep(cache, 0)
    old, young = tmp_path / "new/old", tmp_path / "new/young"
    for file in (old, young):
        file.write_bytes(b"part")
    os.utime(old, (time.time() - 7200,) * 2)
    for number in range(1, 10):
        keep(cache, number)
    assert not old.exists()
    assert young.exists()


@pytest.fixture
def held(tmp_path: Path) -> Iterator[DiskCache]:
    """A folder in which somebody else is fetching every picture."""
    cache, over, begun = DiskCache(tmp_path, 1024 * KIB), threading.Event(), threading.Event()

    def hold() -> None:
        with cache.lock(name(1), time.monotonic() + 5):
            begun.set()
            over.wait(20)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold)
        assert begun.wait(5)
        yield cache
        over.set()


def test_who_waits_for_another_process_waits_no_longer_than_the_deadline(held: DiskCache) -> None:
    watch = Stopwatch()
    with pytest.raises(TimeoutError), held.lock(name(1), time.monotonic() + 0.2):
        pass
    assert watch.seconds >= 0.2
    assert watch.keeps(1), watch


# --- through the endpoint -------------------------------------------------------------------------


def test_a_cached_picture_costs_plex_nothing(signed_in: Client, small: Simulator) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    one = signed_in.get(path)
    assert small.count() == 2  # which picture it is, and the picture
    two = signed_in.get(path)
    assert small.count() == 2
    assert one.content == two.content


def test_sizes_and_formats_are_cached_apart_and_equal_boxes_together(
    signed_in: Client, small: Simulator
) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    for query in ("", "?width=480", "?width=480&height=1920", "?width=480&other=1"):
        shown(signed_in.get(path + query))
    assert len(scaled(small)) == 1
    for query in ("?width=160", "?height=160", "?width=160&height=160"):
        shown(signed_in.get(path + query))
    assert len(scaled(small)) == 4
    shown(signed_in.get(path, headers={"Accept": "image/webp"}))
    assert len(scaled(small)) == 5


def test_a_damaged_picture_is_fetched_again(
    signed_in: Client, small: Simulator, folder: Path
) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    good = signed_in.get(path)
    (file,) = folder.glob("kept/*/*")
    file.write_bytes(file.read_bytes()[:-100])
    again = signed_in.get(path)
    assert again.headers["X-Plex-Cache-Status"] == "MISS"
    assert again.headers["Cache-Status"] == "MediaNest; fwd=miss; stored"
    assert again.content == good.content
    assert signed_in.get(path).headers["X-Plex-Cache-Status"] == "HIT"


def test_a_picture_in_hand_is_not_read(signed_in: Client, small: Simulator, folder: Path) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    etag = signed_in.get(path).headers["ETag"]
    (file,) = folder.glob("kept/*/*")
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    os.utime(file, (1, 1))
    again = signed_in.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.headers["X-Plex-Cache-Status"]) == (304, "HIT")
    assert again.headers["Cache-Status"] == "MediaNest; hit"
    assert file.stat().st_mtime > 1
    assert signed_in.get(path).headers["X-Plex-Cache-Status"] == "MISS"


@pytest.mark.parametrize("kind", ["thumb?width=160", "art?width=1920"])
def test_no_file_stays_open(signed_in: Client, small: Simulator, folder: Path, kind: str) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/{kind}"
    headers = {"Accept": "image/png"}
    miss, hit = (signed_in.get(path, headers=headers) for _ in range(2))
    known = signed_in.get(path, headers={**headers, "If-None-Match": hit.headers["ETag"]})
    any_known = signed_in.get(path, headers={**headers, "If-None-Match": "*"})
    head = signed_in.head(path, headers=headers)
    assert miss.content == hit.content
    assert head.headers["Content-Length"] == hit.headers["Content-Length"]
    assert (known.status_code, any_known.status_code, head.content) == (304, 304, b"")
    paths = {str(file) for file in folder.glob("kept/*/*")}
    until(lambda: not paths & open_files(os.getpid()), 5, "all files are closed")


@pytest.mark.parametrize("mebibytes", [0, 1])
def test_pictures_are_shown_where_none_can_be_cached(
    signed_in: Client, small: Simulator, settings: Any, tmp_path: Path, mebibytes: int
) -> None:
    (tmp_path / "a file").write_text("")
    settings.PICTURES_MIB = mebibytes
    if mebibytes:
        settings.PICTURES_FOLDER = tmp_path / "a file" / "pictures"
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    for _ in range(2):
        answer = signed_in.get(path)
        shown(answer)
        assert answer.headers["X-Plex-Cache-Status"] == "BYPASS"
        assert answer.headers["Cache-Status"] == "MediaNest; fwd=bypass"
    assert len(scaled(small)) == 2


def test_another_servers_pictures_are_not_shown_for_equal_ids(
    signed_in: Client, small: Simulator, settings: Any
) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    shown(signed_in.get(path))
    with Simulator(seed=24, movies=60, shows=0, artists=0, photo_albums=0, videos=0) as other:
        settings.PLEX_URL = other.url
        signed_in.get(path)
        assert other.count("/library/metadata/") == 1


def test_many_who_want_a_picture_at_once_ask_plex_once(signed_in: Client, small: Simulator) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    shown(signed_in.get(f"{path}?width=160"))
    small.reset_requests()
    small.fault("slow", path="/photo/", delay=0.4)
    headers = dict(signed_in.headers)

    def get(_: int) -> bytes:
        with Client(signed_in.root) as client:
            return bytes(client.get(path, headers=headers).content)

    with ThreadPoolExecutor(16) as pool:
        bodies = set(pool.map(get, range(16)))
    assert len(bodies) == 1
    assert len(scaled(small)) == 1


def test_many_who_want_a_picture_that_fails_all_get_the_error(
    signed_in: Client, small: Simulator
) -> None:
    path = f"/plex/items/{first(small).rating_key}/images/thumb"
    shown(signed_in.get(f"{path}?width=160"))
    small.fault("slow", path="/photo/", delay=0.4)
    small.fault("picture_html")
    headers = dict(signed_in.headers)

    def get(_: int) -> int:
        with Client(signed_in.root) as client:
            return client.get(path, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(get, range(8))) == {502}


def test_all_images_are_cleared_while_one_is_read(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 1024 * 1024)
    for name in ("aa01", "ab02"):
        assert cache.write(name, EncodedImage.of(name.encode() * 100))
    assert (cache.count(), cache.used()) == (2, 8192)
    read = cache.open("aa01")
    assert read is not None
    assert cache.clear() == 2
    assert (cache.count(), cache.used()) == (0, 0)
    assert b"".join(read) == b"aa01" * 100
    read.close()
    assert cache.open("ab02") is None
    assert cache.write("ab02", EncodedImage.of(b"new"))
    assert (cache.count(), cache.used()) == (1, 4096)


def test_a_folder_that_does_not_exist_yet_has_the_space_of_its_disk(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "not" / "yet", 1024)
    space = cache.space()
    assert space.is_writable
    assert space.free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.2)
    assert (cache.count(), cache.used()) == (0, 0)


def test_a_file_in_place_of_the_folder_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = DiskCache(tmp_path / "file" / "pictures", 1024)
    assert not cache.space().is_writable
    assert (cache.count(), cache.used()) == (0, 0)
    with pytest.raises(OSError, match="Not a directory"):
        cache.clear()
