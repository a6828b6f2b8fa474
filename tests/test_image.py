"""What the Dockerfile's steps make: an image that serves as an unprivileged user."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image import Container, Image
from tests.service import SECRET_KEY, until

GIVEN = {"SECRET_KEY": SECRET_KEY}
LIVE = (
    "from urllib.request import urlopen; "
    "print(urlopen('http://127.0.0.1:8000/api/v1/health/live', timeout=4).read().decode())"
)
CONNECT = "from socket import create_connection; create_connection(('127.0.0.1', 8000), 4)"

COLLECTOR = "http://127.0.0.1:4318"
# A collector of traces, in the container, for the trace of one request.
COLLECT = """
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import urlopen

class Collector(BaseHTTPRequestHandler):
    def do_POST(self):
        spans = self.rfile.read(int(self.headers["Content-Length"]))
        print(self.path, b"GET health-live" in spans)
        self.send_response(200)
        self.end_headers()

with HTTPServer(("127.0.0.1", 4318), Collector) as collector:
    urlopen("http://127.0.0.1:8000/api/v1/health/live", timeout=4).close()
    collector.handle_request()
"""


@pytest.fixture(scope="module")
def volume(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume, which begins as a copy of the image's folder, with the database in it."""
    folder = tmp_path_factory.mktemp("volume")
    built = (image.root / image.volume[1:]).stat()
    shutil.chown(folder, built.st_uid, built.st_gid)
    migrate = ("python", "manage.py", "migrate", "--noinput")
    container = Container(image, folder, folder.with_suffix(".log"), GIVEN, *migrate)
    assert container.process.wait(250) == 0, container.log
    assert "Applying accounts.0001_initial... OK" in container.log, container.log
    return folder


@pytest.fixture
def running(image: Image, volume: Path, tmp_path: Path) -> Iterator[Container]:
    """A container that was started with the image's own command."""
    container = Container(image, volume, tmp_path / "log", GIVEN)
    try:
        until(lambda: listens(container), 60, "it listens")
        yield container
    finally:
        container.process.kill()


def listens(container: Container) -> bool:
    """Tell whether the service listens; a worker that has started may not do so yet."""
    return container.execute("python", "-c", CONNECT).returncode == 0


def test_the_image_serves_as_an_unprivileged_user_and_ends_in_order(
    running: Container, image: Image, volume: Path
) -> None:
    healthy = running.execute(*image.health_check)
    assert healthy.returncode == 0, healthy.stderr
    assert '"status":"alive"' in running.execute("python", "-c", LIVE).stdout
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    assert "Uid:\t10001\t10001\t10001\t10001" in status
    assert "CapEff:\t0000000000000000" in status
    assert {path.name for path in volume.iterdir()} >= {"db.sqlite3"}
    # Without Redis one worker counts all limits.
    assert "worker-2" not in running.log
    running.process.terminate()
    assert running.process.wait(60) == 0
    assert "Shutting down" in running.log


def test_the_process_can_write_to_the_volume_and_to_tmp_alone(running: Container) -> None:
    for path in ("/app/medianest/settings.py", "/app/new", "/opt/venv/new", "/etc/passwd", "/new"):
        assert running.execute("touch", path).returncode == 1
    assert running.execute("touch", "/data/new", "/tmp/new").returncode == 0


def test_without_the_service_the_health_check_fails(image: Image, volume: Path) -> None:
    log = volume.with_name("idle.log")
    idle = Container(image, volume, log, GIVEN, "sleep", "300")
    try:
        until(lambda: idle.execute("true").returncode == 0, 20, "the container runs")
        unhealthy = idle.execute(*image.health_check)
        assert unhealthy.returncode == 1
        assert "Connection refused" in unhealthy.stderr
    finally:
        idle.process.kill()


def test_one_setting_turns_traces_on(image: Image, volume: Path, tmp_path: Path) -> None:
    tracing = {"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    container = Container(image, volume, tmp_path / "log", GIVEN | tracing)
    try:
        until(lambda: listens(container), 60, "it listens")
        collected = container.execute("python", "-c", COLLECT)
        assert collected.stdout == "/v1/traces True\n", collected.stderr + container.log
    finally:
        container.process.kill()
