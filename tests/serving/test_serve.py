"""`manage.py serve` starts Granian as the documentation says."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from plex_integration.management.commands import serve
from tests.docs.pages import ROOT
from tests.service import HOST, SECRET_KEY, House, Process, Service, ask, free_port, is_live, until


def workers(**environment: str) -> str:
    """Return how many workers a start with this environment has, or its error."""
    done = subprocess.run(
        [sys.executable, "-c", "from medianest import settings; print(settings.WORKERS)"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "SECRET_KEY": SECRET_KEY} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return (done.stdout + done.stderr).strip().rpartition("\n")[2]


@pytest.mark.parametrize(
    ("environment", "number"),
    [
        ({}, "1"),
        ({"REDIS_URL": "redis://redis.example/0"}, "2"),
        ({"WORKERS": "3"}, "3"),
        ({"WORKERS": "1", "REDIS_URL": "redis://redis.example/0"}, "1"),
        ({"WORKERS": ""}, "1"),
    ],
)
def test_without_redis_one_worker_counts_all_limits(
    environment: dict[str, str], number: str
) -> None:
    assert workers(**environment) == number


@pytest.mark.parametrize("number", ["0", "1.5", "many"])
def test_a_number_of_workers_that_cannot_be_stops_the_start(number: str) -> None:
    assert workers(WORKERS=number).endswith("WORKERS must be a whole number from 1 to 64")


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--host", "localhost", "'localhost' is not an IP address such as 127.0.0.1"),
        ("--port", "0", "'0' is not a port from 1 to 65535"),
        ("--port", "70000", "'70000' is not a port from 1 to 65535"),
        ("--port", "http", "'http' is not a port from 1 to 65535"),
    ],
)
def test_an_argument_that_cannot_be_used_stops_the_start(option: str, text: str, said: str) -> None:
    with pytest.raises(CommandError, match=f"argument {option}: {re.escape(said)}"):
        call_command("serve", option, text)


def test_the_documentation_explains_every_option() -> None:
    page = (ROOT / "docs" / "deployment.md").read_text()
    section = page.partition("## The server")[2].partition("\n## ")[0]
    options = re.findall(r"--[a-z-]+(?: [a-z0-9]+)?", serve.OPTIONS)
    assert len(options) == 6
    assert [option for option in options if option not in section] == []


def test_granian_takes_the_place_of_the_command_and_ends_in_order(
    house: House, tmp_path: Path
) -> None:
    port = free_port()
    log = tmp_path / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(port)],
            # From another folder: a service manager may start it anywhere.
            cwd=tmp_path,
            env=house.environment,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            until(lambda: is_live(f"http://{HOST}:{port}"), 60, "it answers")
            assert "-m\0granian" in Path(f"/proc/{process.pid}/cmdline").read_text()
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert "Shutting down" in log.read_text()
    assert "worker-2" not in log.read_text()


def test_a_second_service_does_not_start_on_a_port_of_another(
    service: Service, house: House, tmp_path: Path
) -> None:
    argv = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(service.port)]
    second = Process(argv, tmp_path / "log", house.environment)
    try:
        until(lambda: not second.is_running(), 20, "the second service has ended")
    finally:
        second.kill()
    said = f"Cannot listen on {HOST}, port {service.port}: Address already in use\n"
    assert second.log.read_text() == f"CommandError: {said}"
    assert second.wait(0) == 1
    assert ask(service.url, "/api/v1/health/live").status == 200


def test_connections_of_a_service_that_has_stopped_listening_do_not_stop_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starts: list[str] = []
    monkeypatch.setattr(os, "execve", lambda program, *_: starts.append(program))
    port = free_port()
    with socket.create_server((HOST, port)) as listener:
        client = socket.create_connection((HOST, port))
        accepted, _ = listener.accept()
    with client:
        with accepted:  # a request in flight
            call_command("serve", port=port)
        client.recv(1)
    # The end that has closed it first is in TIME_WAIT.
    call_command("serve", port=port)
    assert starts == [sys.executable] * 2


def test_with_json_the_lines_of_granian_are_objects_as_well(house: House, tmp_path: Path) -> None:
    argv = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(free_port())]
    log = tmp_path / "log"
    process = Process(argv, log, house.environment | {"LOG_FORMAT": "json"})
    try:
        until(lambda: "Started worker-1" in log.read_text(), 60, "the worker has started")
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    said = [line["message"] for line in lines if line["logger"] == "_granian"]
    assert said[0].startswith("Starting granian")
    assert said[-1].startswith("Granian shutdown completed")
