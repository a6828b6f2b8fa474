"""`systemctl` in a folder without systemd: start the services of unit files, and stop them.

Of what a unit asks for, it does what matters to whether the service works: its user, environment,
working directory and folders, a file system that is read-only but for these, a /tmp of its own, no
capability and no new privileges. It does not limit memory or system calls.

It runs inside of the folder, with the base Python alone.
"""

import configparser
import os
import pwd
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

UNITS, RUNNING = Path("/etc/systemd/system"), Path("/run/systemctl")
OF_PACKAGES = {"redis-server", "nginx"}
"""Services that packages bring. The tests start what is needed of them."""
FOLDERS = {"StateDirectory": "/var/lib", "CacheDirectory": "/var/cache"}
READ_ONLY = """
set -e
separator=--
while [ "$1" != "$separator" ]; do mount --bind "$1" "$1"; shift; done
shift
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -o remount,bind,ro /
exec "$@"
"""


def main(command: str, *names: str) -> None:
    """Carry out a command for each of these units."""
    names = tuple(each for each in names if each not in {"--now", *OF_PACKAGES})
    if command in ("stop", "restart"):
        for name in names:
            _stop(name)
    if command in ("start", "restart", "enable"):
        for name in names:
            _start(name)


def _start(name: str) -> None:
    service = _service(name)
    assert service["ProtectSystem"] == "strict"
    assert service["PrivateTmp"] == service["NoNewPrivileges"] == "yes"
    assert service["CapabilityBoundingSet"] == ""
    user = service["User"]
    argv = [
        *("unshare", "--mount", "sh", "-c", READ_ONLY, "enter", *_folders(service), "--"),
        *("setpriv", f"--reuid={user}", f"--regid={service['Group']}", "--init-groups"),
        *("--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "env", "-i"),
        *(f"{key}={value}" for key, value in _environment(service).items()),
        *shlex.split(service["ExecStart"]),
    ]
    RUNNING.mkdir(exist_ok=True)
    with (RUNNING / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            argv,
            cwd=service["WorkingDirectory"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    (RUNNING / f"{name}.pid").write_text(str(process.pid))


def _stop(name: str) -> None:
    """Send SIGTERM to the main process, and wait as long as the unit allows."""
    pid = int((RUNNING / f"{name}.pid").read_text())
    until = time.monotonic() + float(_service(name)["TimeoutStopSec"])
    os.kill(pid, signal.SIGTERM)
    while _is_running(pid):
        if time.monotonic() > until:
            sys.exit(f"{name} did not end")
        time.sleep(0.05)


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _service(name: str) -> configparser.SectionProxy:
    unit = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    with (UNITS / f"{name}.service").open() as file:
        unit.read_file(file)
    return unit["Service"]


def _folders(service: configparser.SectionProxy) -> Iterator[str]:
    """Create the folders that belong to a service."""
    owner = pwd.getpwnam(service["User"])
    for key, parent in FOLDERS.items():
        folder = Path(parent, service[key])
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(int(service[f"{key}Mode"], 8))
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        yield str(folder)


def _environment(service: configparser.SectionProxy) -> dict[str, str]:
    lines = Path(service["EnvironmentFile"]).read_text().splitlines()
    given = [line for line in lines if line.strip() and not line.startswith(("#", ";"))]
    pairs = [*shlex.split(service["Environment"]), *(shlex.split(line)[0] for line in given)]
    paths = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"}
    return paths | {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


if __name__ == "__main__":
    main(*sys.argv[1:])
