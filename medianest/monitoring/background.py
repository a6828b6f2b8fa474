"""Run tasks again and again in one thread of the process, for what no request should wait for."""

import atexit
import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

SECONDS = 2.0

Task = Callable[[], None]

_lock = threading.Lock()
_tasks: list[Task] = []


def repeat(task: Task) -> None:
    """Run a task every `SECONDS` from now on, and once more when the process ends."""
    with _lock:
        is_first = not _tasks
        if task not in _tasks:
            _tasks.append(task)
    if is_first:
        atexit.register(run_all)
        threading.Thread(target=_run_forever, name="background", daemon=True).start()


def run_all() -> None:
    """Run each task; one that fails is logged and run again the next time."""
    for task in list(_tasks):
        try:
            task()
        except Exception:
            log.exception("a task in the background failed")


def _run_forever() -> None:
    while True:
        time.sleep(SECONDS)
        run_all()
