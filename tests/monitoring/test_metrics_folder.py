"""The files in which workers count for Prometheus, over the death of workers and of the service."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from prometheus_client.multiprocess import MultiProcessCollector

from medianest.monitoring.metrics_folder import MetricsFolder
from tests.service import ROOT

COUNT = """
import sys
from pathlib import Path
from medianest.monitoring import series
series.start(Path(sys.argv[1]))
series.REFUSALS.labels("plex-search", "search").inc(float(sys.argv[2]))
series.REQUESTS.labels("plex-search", "GET", "200", "HIT").observe(float(sys.argv[2]))
series.THREADS.labels("general").set(8)
print("counted", flush=True)
sys.stdin.read()
"""
REFUSALS = "medianest_rate_limit_refusals_total"
REQUESTS = "medianest_http_request_duration_seconds"
THREADS = "medianest_worker_threads"


@contextmanager
def worker(folder: Path, number: int) -> Iterator["subprocess.Popen[str]"]:
    """Run a process that counts a number, and lives until it is killed."""
    argv = [sys.executable, "-c", COUNT, str(folder), str(number)]
    with subprocess.Popen(
        argv, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "counted\n"
        try:
            yield process
        finally:
            process.kill()


def counted(folder: Path) -> dict[str, float]:
    """Return what all workers counted, by the name of the sample; of buckets the last."""
    shared = MetricsFolder(folder)
    with shared.locked():
        found = MultiProcessCollector.merge(shared.files())
    return {sample.name: sample.value for metric in found for sample in metric.samples}


def test_what_dead_workers_counted_stays_and_their_gauges_end(tmp_path: Path) -> None:
    with worker(tmp_path, 1), worker(tmp_path, 10) as second:
        both = counted(tmp_path)
        assert (both[REFUSALS], both[THREADS]) == (11, 16)
        second.kill()
        second.wait()
        with worker(tmp_path, 100) as third:
            third.kill()
            third.wait()
        one = counted(tmp_path)
        assert (one[REFUSALS], one[THREADS]) == (111, 8)
        assert one[f"{REQUESTS}_count"] == one[f"{REQUESTS}_bucket"] == 3
        assert one[f"{REQUESTS}_sum"] == 111
        # Those of the living worker, and the sums of the dead ones.
        assert len(list(tmp_path.glob("*.db"))) == 3 + 2
        assert counted(tmp_path) == one


def test_the_first_worker_of_a_service_starts_from_zero(tmp_path: Path) -> None:
    strange = tmp_path / "strange.db"
    strange.write_text("of somebody else")
    with worker(tmp_path, 1):
        pass
    with worker(tmp_path, 10):
        assert counted(tmp_path)[REFUSALS] == 10
    assert strange.read_text() == "of somebody else"


def test_a_worker_goes_on_where_the_folder_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with worker(tmp_path / "file", 1):
        pass


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk have room for one more file that somebody reserves."""
    reserve, files = os.posix_fallocate, count()

    def reserve_first(descriptor: int, offset: int, size: int) -> None:
        if next(files):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        reserve(descriptor, offset, size)

    monkeypatch.setattr(os, "posix_fallocate", reserve_first)


def test_numbers_of_dead_workers_stay_until_the_disk_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with worker(tmp_path, 1), worker(tmp_path, 10) as second:
        second.kill()
        second.wait()
        fill_disk(monkeypatch)
        # Not with a signal: a page that the disk cannot hold would kill this process.
        with pytest.raises(OSError, match="No space left"):
            counted(tmp_path)
        monkeypatch.undo()
        assert counted(tmp_path)[REFUSALS] == 11


def test_a_worker_for_which_the_disk_has_no_room_leaves_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk(monkeypatch)
    with worker(tmp_path, 1):
        before = sorted(tmp_path.iterdir())
        with pytest.raises(OSError, match="No space left"):
            MetricsFolder(tmp_path).join()
        assert sorted(tmp_path.iterdir()) == before
        assert counted(tmp_path)[REFUSALS] == 1


def test_a_worker_that_died_while_it_made_its_files_counted_nothing(tmp_path: Path) -> None:
    with worker(tmp_path, 1):
        for name in ("dying.alive", "counter_dying.db"):
            (tmp_path / name).touch()
        assert counted(tmp_path)[REFUSALS] == 1
