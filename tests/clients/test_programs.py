"""Programs with clients that are generated from openapi.yaml: compiled strictly, and run.

Each calls every operation of the running demo, checks the values that it gets, and prints each
request.
"""

import functools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import yaml

from tests.clients.conftest import HERE, TOOLS, Run
from tests.docs.pages import ROOT, blocks
from tests.test_demo import Demo

METHODS = {"get", "post", "put", "patch", "delete"}
GENERATE = (
    *("openapi-python-client", "generate", "--fail-on-warning", "--config", "config.yaml"),
    *("--meta", "none", "--output-path", "medianest_client"),
)

# One demo serves all of them.
pytestmark = pytest.mark.xdist_group("clients")


@pytest.fixture(scope="module")
def demo(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, on free ports."""
    running = Demo(tmp_path_factory.mktemp("clients") / "state", "--port", "0", "--plex-port", "0")
    try:
        yield running.ready()
    finally:
        running.process.terminate()
        running.process.wait(30)


@pytest.fixture(autouse=True)
def _full_limits(demo: Demo) -> None:
    """Begin every test with full limits: each program writes about as often as is allowed."""
    (port,) = re.findall(r"^Starting valkey at 127\.0\.0\.1:(\d+)", demo.output, re.MULTILINE)
    with redis.Redis("127.0.0.1", int(port)) as client:
        client.flushall()


@pytest.fixture(scope="module")
def service(demo: Demo) -> str:
    (address,) = re.findall(r"^  Client +(http\S+)/$", demo.output, re.MULTILINE)
    return str(address)


@pytest.fixture(scope="module")
def plex(demo: Demo) -> str:
    """The address of the simulated Plex and plex.tv."""
    (address,) = re.findall(r"^  Plex +(http\S+) ", demo.output, re.MULTILINE)
    return str(address)


@pytest.fixture(scope="module")
def package(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the package of clients/typescript is built, installed and used."""
    folder = tmp_path_factory.mktemp("typescript")
    source = folder / "clients" / "typescript"
    not_copied = shutil.ignore_patterns("node_modules", "types")
    shutil.copytree(ROOT / "clients" / "typescript", source, ignore=not_copied)
    shutil.copy(ROOT / "openapi.yaml", folder)
    (source / "node_modules").symlink_to(TOOLS)
    run("npm", "pack", "--pack-destination", str(folder), folder=source)
    (archive,) = folder.glob("*.tgz")
    shutil.unpack_archive(archive, folder / "unpacked", filter="data")
    (folder / "node_modules" / "@medianest").mkdir(parents=True)
    (folder / "unpacked" / "package").rename(folder / "node_modules" / "@medianest" / "client")
    for tool in TOOLS.iterdir():
        (folder / "node_modules" / tool.name).symlink_to(tool)
    shutil.copytree(HERE / "typescript", folder, dirs_exist_ok=True)
    (folder / "example.ts").write_text(_example(ROOT / "clients" / "typescript" / "README.md"))
    (folder / "package.json").write_text('{"type": "module"}')
    run("tsc", folder=folder)
    return folder


def _example(page: Path) -> str:
    (lines,) = [block.text for block in blocks(page) if block.language == "ts"]
    return lines


def test_the_package_does_what_its_tests_in_typescript_say(package: Path, run: Run) -> None:
    run("node", "--test", "built/client.test.js", folder=package)


def test_a_program_calls_every_operation_with_the_package(
    package: Path, run: Run, service: str, plex: str
) -> None:
    assert _called(run("node", "built/program.js", service, plex, folder=package)) == _documented()


def test_a_program_calls_every_operation_with_the_client_of_hey_api(
    tmp_path: Path, run: Run, service: str, plex: str
) -> None:
    shutil.copytree(HERE / "hey_api", tmp_path, dirs_exist_ok=True)
    shutil.copy(ROOT / "openapi.yaml", tmp_path)
    (tmp_path / "node_modules").symlink_to(TOOLS)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    run("openapi-ts", "--silent", "--no-log-file", folder=tmp_path)
    run("tsc", folder=tmp_path)
    assert _called(run("node", "built/program.js", service, plex, folder=tmp_path)) == _documented()


def test_a_program_calls_every_operation_with_the_client_of_openapi_python_client(
    tmp_path: Path, run: Run, service: str, plex: str
) -> None:
    shutil.copytree(HERE / "python", tmp_path, dirs_exist_ok=True)
    run(*GENERATE, "--path", str(ROOT / "openapi.yaml"), folder=tmp_path)
    run("mypy", "program.py", "medianest_client", folder=tmp_path)
    printed = run("python", "program.py", service, plex, folder=tmp_path)
    assert _called(printed) == _documented()


def test_the_documented_lines_run_with_the_package(package: Path, run: Run, service: str) -> None:
    assert _example(ROOT / "docs" / "api.md") == (package / "example.ts").read_text()
    example = package / "built" / "example.js"
    example.write_text(example.read_text().replace("http://127.0.0.1:8000", service))
    printed = run("node", str(example), folder=package).splitlines()
    assert printed[0] == "Hugo and the Observatory 2026"
    assert len(printed) == 3


@functools.cache
def _documented() -> set[str]:
    """Return the operations of the OpenAPI document, like `GET /api/v1/health`."""
    paths = yaml.safe_load((ROOT / "openapi.yaml").read_text())["paths"]
    return {
        f"{method.upper()} {path}" for path in paths for method in METHODS.intersection(paths[path])
    }


def _called(printed: str) -> set[str]:
    """Return the operations of the requests that succeeded."""
    requests = [line.split(" ", 1) for line in printed.splitlines()]
    return {_operation(request) for status, request in requests if status.startswith("2")}


def _operation(request: str) -> str:
    # A path without parameters, like `/items/lookup`, comes before one with them.
    operations = sorted(_documented(), key=lambda operation: operation.count("{"))
    return next(each for each in operations if re.fullmatch(_pattern(each), request))


def _pattern(operation: str) -> str:
    return re.sub(r"\{\w+\}", "[^/]+", operation)
