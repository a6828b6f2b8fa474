"""The tools that Node.js runs: pinned, from no certain registry, installed by `make test` alone."""

import json
import re
import shutil
import subprocess
from pathlib import Path

from tests.clients.conftest import HERE
from tests.docs.pages import ROOT

PACKAGE = ROOT / "clients" / "typescript" / "package.json"


def _needed(package: Path) -> dict[str, str]:
    read = json.loads(package.read_text())
    return read.get("dependencies", {}) | read["devDependencies"]


def test_every_tool_is_pinned_exactly_and_the_client_is_built_with_the_same() -> None:
    tools = _needed(HERE / "package.json")
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in tools.values())
    assert _needed(PACKAGE).items() <= tools.items()


def test_the_lock_file_names_no_registry_and_every_checksum() -> None:
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    packages.pop("")
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())


def test_make_installs_the_tools_for_all_tests_and_not_for_the_demo(tmp_path: Path) -> None:
    for name in (
        "Makefile",
        "constraints.txt",
        *(each.name for each in ROOT.glob("requirements*")),
    ):
        shutil.copy(ROOT / name, tmp_path)
    folder = tmp_path / "tests" / "clients"
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)

    def plan(target: str) -> str:
        make = ["make", "--dry-run", target]
        return subprocess.run(make, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert "npm ci" in plan("test")
    assert "npm" not in plan("demo") + plan("quick")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "installed").touch()
    assert "npm ci" not in plan("test")
