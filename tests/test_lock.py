"""`requirements.lock` pins what the image installs: the service's packages, and nothing else."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.docs.pages import ROOT

LOCK = (ROOT / "requirements.lock").read_text()


def pinned(*names: str) -> dict[str, Requirement]:
    """Return the requirements in these files by their names; comments are left out."""
    lines = [
        line.partition(" #")[0]
        for name in names
        for line in (ROOT / name).read_text().splitlines()
        if re.match(r"\w", line)
    ]
    found = [Requirement(line.rstrip(" \\")) for line in lines]
    return {canonicalize_name(each.name): each for each in found}


def needed(requirement: Requirement, seen: set[str]) -> Iterator[str]:
    """Yield what a requirement brings along here, by what the installed packages say."""
    name = canonicalize_name(requirement.name)
    for extra in ("", *requirement.extras):
        for line in requires(name) or []:
            other = Requirement(line)
            if other.marker and not other.marker.evaluate({"extra": extra}):
                continue
            key = canonicalize_name(other.name)
            if key not in seen:
                seen.add(key)
                yield key
                yield from needed(other, seen)


def test_the_lock_has_the_versions_of_the_requirements_and_the_constraints() -> None:
    locked, given = pinned("requirements.lock"), pinned("requirements.txt", "constraints.txt")
    assert {name: str(each.specifier) for name, each in locked.items()} == {
        name: str(given[name].specifier) for name in locked
    }


def test_the_lock_holds_what_the_service_needs_and_nothing_else() -> None:
    wanted = pinned("requirements.txt")
    found = set(wanted)
    for requirement in wanted.values():
        found |= set(needed(requirement, found.copy()))
    locked = {
        name
        for name, each in pinned("requirements.lock").items()
        if each.marker is None or each.marker.evaluate()
    }
    assert locked == found


def test_every_package_of_the_lock_has_hashes_and_no_index_is_named() -> None:
    packages = re.split(r"\n(?=\w)", LOCK.strip())
    assert len(packages) > 30
    assert [each for each in packages if not re.search(r"--hash=sha256:[0-9a-f]{64}", each)] == []
    assert "://" not in LOCK
    assert "--index" not in LOCK


def test_the_image_installs_the_lock_and_checks_its_hashes() -> None:
    dockerfile = Path(ROOT / "Dockerfile").read_text()
    assert "--require-hashes" in dockerfile
    assert "-r requirements.lock" in dockerfile


def checked(lock: Path) -> subprocess.CompletedProcess[str]:
    """Run the script that asks the package index for the wheels of a lock file."""
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        [ROOT / "scripts" / "check_wheels", lock],
        env=os.environ | {"PATH": programs},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


def test_every_package_of_the_lock_has_a_wheel_for_x86_64_and_arm64() -> None:
    done = checked(ROOT / "requirements.lock")
    assert done.returncode == 0, done.stderr
    assert re.findall(r"has a wheel for (\w+)", done.stdout) == ["x86_64", "aarch64"]


def test_a_package_without_a_wheel_for_arm64_is_noticed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("mkl==2025.3.0\n")
    done = checked(lock)
    assert (done.returncode, done.stdout.count("has a wheel for x86_64")) == (1, 1)
    assert "mkl==2025.3.0 has no wheels with a matching platform tag" in done.stderr
