"""`manage.py listener_health`, the health check of the listener's container."""

import json
import socket
import subprocess
import sys
from dataclasses import asdict, replace
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from medianest.monitoring import processes
from medianest.monitoring.processes import LISTENER, MAX_AGE, WORKER
from medianest.store.reports import KEY
from tests import counting
from tests.docs.pages import ROOT
from tests.service import House, Valkey, free_port

HERE, ELSEWHERE = "health-check-of-this-test", "another-machine"
NONE = f"No listener on {HERE} has reported itself in the last 15 seconds."


@pytest.fixture(autouse=True)
def _own_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine have a name of its own: listeners of other tests use the same Redis."""
    monkeypatch.setattr(socket, "gethostname", lambda: HERE)


def report(valkey: Valkey, *, role: str = LISTENER, host: str = HERE, age: float = 0) -> None:
    """Write what a process reported so many seconds ago."""
    process = replace(processes.this(), role=role, host=host)
    seconds, _ = valkey.client.time()
    valkey.client.hset(KEY, process.name, f"{seconds - int(age)} {json.dumps(asdict(process))}")


def check() -> str:
    """Return what the command prints or why it fails."""
    output = StringIO()
    try:
        call_command("listener_health", stdout=output)
    except CommandError as error:
        return str(error)
    return output.getvalue().strip()


def test_a_listener_that_has_just_reported_itself_is_healthy(
    shared: Any, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(valkey)
    trips = counting.round_trips(monkeypatch)
    assert check().startswith("The listener runs; it reported itself ")
    assert len(trips) == 1


@pytest.mark.parametrize(
    "other",
    [{"role": WORKER}, {"host": ELSEWHERE}, {"age": MAX_AGE + 60}],
    ids=["a worker", "on another machine", "long ago"],
)
def test_what_is_no_running_listener_of_this_machine_does_not_count(
    shared: Any, valkey: Valkey, other: dict[str, Any]
) -> None:
    report(valkey, **other)
    assert check() == NONE


def test_without_redis_the_reason_is_said(settings: Any) -> None:
    settings.REDIS_URL = ""
    assert check() == "REDIS_URL is not set: the listener needs it."


def test_the_process_ends_with_1_and_one_line_while_redis_is_unavailable(house: House) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "listener_health"],
        cwd=ROOT,
        env=house.environment | {"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    reason = "CommandError: Redis is unavailable, so it is not known whether a listener runs."
    assert done.stderr.strip().rpartition("\n")[2] == reason
    assert "Traceback" not in done.stderr
