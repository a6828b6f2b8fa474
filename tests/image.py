"""The image of the Dockerfile without a container engine.

`build` runs the Dockerfile's own steps, each in a folder that is the root of the file system. In
place of the base image it has this machine's Debian, read-only, and the Python of the tests.
`Container` starts what comes out as an engine would: as the image's user, without capabilities and
new privileges, with a network of its own and a file system that is read-only but for /tmp and the
volume. It needs Linux and root.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pip
import pytest
from dockerfile_parse import DockerfileParser

from tests.service import ROOT, Process

PYTHON, BASE_PYTHON = "/python", "/base-python"
"""An environment, and the Python of the tests. Home folders are hidden from the service."""
PATH = f"{PYTHON}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
OF_DEBIAN = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
OF_ETC = ("login.defs", "nsswitch.conf", "hosts", "resolv.conf", "pip.conf")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# How this machine reaches the package index.
NETWORK = re.compile(r"PIP_(CERT|INDEX_URL)|(https?|no)_proxy", re.IGNORECASE)

# Mounts what a step sees, and then becomes the step. The arguments: the folder, the Python of the
# tests, the volume and the mode of the file system, then the command.
_ENTER = f"""
set -e
umask 022
root=$1 python=$2 volume=$3 mode=$4
shift 4
mount --bind "$root" "$root"
mount --rbind -o ro /usr "$root/usr"
mkdir -p "$root{BASE_PYTHON}"
mount --rbind -o ro "$python" "$root{BASE_PYTHON}"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
if [ -n "$volume" ]; then mount --bind "$volume" "$root/data"; fi
mount -o "remount,bind,$mode" "$root"
exec chroot "$root" "$@"
"""
# A new network has a loopback device that is down.
_LOOPBACK_UP = (
    "import fcntl, os, socket, struct, sys\n"
    "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sH14x', b'lo', 1))\n"
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


@dataclass
class Image:
    """A folder with the file system of the image, and what its Dockerfile says about a start."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    command: list[str] = field(default_factory=list)
    health_check: list[str] = field(default_factory=list)
    volume: str = ""


def build(folder: Path) -> Image:
    """Run the steps of the Dockerfile; return the image of its last stage."""
    parser = DockerfileParser(
        fileobj=io.BytesIO((ROOT / "Dockerfile").read_bytes()), parent_env={"PATH": PATH}
    )
    stages: dict[str, Image] = {}
    image = Image(folder)
    for step in parser.structure:
        name, value = step["instruction"], step["value"]
        if name == "FROM":
            base, _, stage = value.partition(" AS ")
            assert base == "${PYTHON_IMAGE}", base
            image = stages[stage] = Image(create_base(folder / (stage or "image")), {"PATH": PATH})
        elif name == "ENV":
            image.environment = dict(parser.envs)  # those of the last stage, the only one with any
        elif name not in ("ARG", "COMMENT", "EXPOSE"):
            _STEPS[name](image, value, stages)
    return image


def create_base(root: Path) -> Path:
    """Create the file system of the base image: Debian's folders, and `python` and `pip`."""
    for name in ("etc/ssl/certs", "usr", "dev", "proc", "tmp", "var", "root"):
        (root / name).mkdir(parents=True)
    for name in OF_DEBIAN:
        if Path("/", name).is_symlink():
            (root / name).symlink_to(os.readlink(f"/{name}"))
    for path in (Path("/etc", name) for name in OF_ETC):
        if path.exists():
            shutil.copy(path, root / "etc" / path.name)
    shutil.copy(CERTIFICATES, root / "etc/ssl/certs")
    for name, line in {"passwd": "root:x:0:0::/root:/bin/sh", "group": "root:x:0:"}.items():
        (root / "etc" / name).write_text(f"{line}\n")
    python = f"{BASE_PYTHON}/bin/python3.{sys.version_info.minor}"
    image = Image(root, {"PATH": PATH})
    _run_step(image, f"ldconfig {BASE_PYTHON}/lib && {python} -m venv --without-pip {PYTHON}", {})
    _install_pip(root)
    return root


def _install_pip(root: Path) -> None:
    """Copy pip from the tests' own packages: a new installation takes seconds."""
    version = f"python3.{sys.version_info.minor}"
    target = root / PYTHON[1:] / "lib" / version / "site-packages" / "pip"
    shutil.copytree(Path(pip.__file__).parent, target)
    script = root / PYTHON[1:] / "bin" / "pip"
    script.write_text(f'#!/bin/sh\nexec {PYTHON}/bin/python -m pip "$@"\n')
    script.chmod(0o755)


def entered(root: Path, volume: Path | None, mode: str) -> list[str]:
    """Return the command that enters a file system which `create_base` has begun."""
    return ["sh", "-c", _ENTER, "enter", str(root), sys.base_prefix, str(volume or ""), mode]


def network() -> list[str]:
    """Return the settings that lead to the package index, as `env` takes them."""
    return [f"{name}={text}" for name, text in os.environ.items() if NETWORK.fullmatch(name)]


def _run_step(image: Image, value: str, _: dict[str, Image]) -> None:
    environment = [f"{name}={text}" for name, text in image.environment.items()]
    step = ["env", "-i", f"--chdir={image.folder}", *network(), *environment, "sh", "-c", value]
    argv = ["unshare", "--mount", *entered(image.root, None, "rw"), *step]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, f"{value}\n{done.stdout}{done.stderr}"


def _copy_step(image: Image, value: str, stages: dict[str, Image]) -> None:
    *sources, target = value.split()
    place = Path(image.folder, target)
    if sources[0].startswith("--from="):
        stage = stages[sources.pop(0).removeprefix("--from=")]
        _copy(stage.root / sources[0][1:], image.root / str(place)[1:])
        return
    for source in sources:
        assert f"!{source}" in (ROOT / ".dockerignore").read_text().splitlines(), source
        inside = place / source if target == "./" else place
        _copy(ROOT / source, image.root / str(inside)[1:])
        # As in a checkout that nobody else may read.
        subprocess.run(["chmod", "-R", "go=", image.root / str(inside)[1:]], check=True)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__") if source.is_relative_to(ROOT) else None
        shutil.copytree(source, target, symlinks=True, ignore=ignored, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def _folder_step(image: Image, value: str, _: dict[str, Image]) -> None:
    image.folder = value
    (image.root / value[1:]).mkdir(parents=True, exist_ok=True)


def _user_step(image: Image, value: str, _: dict[str, Image]) -> None:
    image.user = value


def _volume_step(image: Image, value: str, _: dict[str, Image]) -> None:
    image.volume = value


def _health_check_step(image: Image, value: str, _: dict[str, Image]) -> None:
    image.health_check = json.loads(value.partition(" CMD ")[2])


def _command_step(image: Image, value: str, _: dict[str, Image]) -> None:
    image.command = json.loads(value)


_STEPS = {
    "RUN": _run_step,
    "COPY": _copy_step,
    "WORKDIR": _folder_step,
    "USER": _user_step,
    "VOLUME": _volume_step,
    "HEALTHCHECK": _health_check_step,
    "CMD": _command_step,
}


class Container:
    """A process of the image with a network of its own."""

    def __init__(
        self, image: Image, volume: Path, log: Path, environment: dict[str, str], *argv: str
    ) -> None:
        self._image, self._environment = image, image.environment | environment
        self.process = Process(
            [
                *("unshare", "--mount", "--net"),
                *(sys.executable, "-c", _LOOPBACK_UP),
                *entered(image.root, volume, "ro"),
                *self._as_user(argv or image.command),
            ],
            log,
            {"PATH": os.environ["PATH"]},
        )

    @property
    def log(self) -> str:
        return self.process.log.read_text(errors="replace")

    def execute(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the container, as `docker exec` does."""
        inside = ["nsenter", f"--target={self.process.pid}", "--mount", "--net", "--root"]
        return subprocess.run(
            [*inside, *self._as_user(argv)], capture_output=True, text=True, timeout=60, check=False
        )

    def _as_user(self, argv: Sequence[str]) -> list[str]:
        user, _, group = self._image.user.partition(":")
        rights = ["--no-new-privs", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
        environment = [f"{name}={text}" for name, text in self._environment.items()]
        return [
            *("/usr/bin/setpriv", f"--reuid={user}", f"--regid={group}", *rights),
            *("/usr/bin/env", "-i", f"--chdir={self._image.folder}", *environment, *argv),
        ]


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image, built once."""
    is_required = os.environ.get("IMAGE_TESTS") == "required"
    if os.geteuid() != 0 and not is_required:
        pytest.skip("Only root can run the steps of the Dockerfile here")
    folder = tmp_path_factory.mktemp("image")
    yield build(folder)
    shutil.rmtree(folder)
