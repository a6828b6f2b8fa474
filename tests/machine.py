"""A folder that systemd boots, as in a container, but with the network of this machine.

It needs Linux, root, systemd and dbus.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.image import BASE_PYTHON
from tests.service import Process, until

SYSTEMD = Path("/usr/lib/systemd/systemd")
INSIDE = "The folder is the root."

# Joins a new cgroup in each hierarchy, which the machine sees as the root, and boots. The machine
# ends with the tests, should these be killed. The arguments: the folder, the name of the cgroups,
# the script that boots, and the Python of the tests. A new cgroup of cpuset has no processor, and
# systemd needs none.
_START = """
set -e
root=$1 group=$2 boot=$3 python=$4
hierarchies=$(findmnt --raw --noheadings --types cgroup,cgroup2 --output TARGET | grep -v cpuset)
for hierarchy in $hierarchies; do
    mkdir -p "$hierarchy/$group"
    echo $$ > "$hierarchy/$group/cgroup.procs"
done
exec setpriv --pdeathsig KILL \\
    unshare --mount --pid --ipc --uts --cgroup --fork --kill-child \\
    sh -c "$boot" boot "$root" "$group" "$python" $hierarchies
"""
# Mounts what systemd expects of a container, and becomes systemd. It cannot change this machine's
# kernel: /sys and /proc/sys are read-only. Without a machine-id it would enable all units of /usr.
_BOOT = f"""
set -e
umask 022
root=$1 group=$2 python=$3
shift 3
mount --bind "$root" "$root"
mkdir -p "$root{BASE_PYTHON}" "$root/run" "$root/sys"
touch "$root/etc/machine-id"
mount --rbind -o ro /usr "$root/usr"
mount --rbind -o ro "$python" "$root{BASE_PYTHON}"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
for hierarchy in "$@"; do
    mkdir -p "$root$hierarchy"
    mount --bind "$hierarchy/$group" "$root$hierarchy"
done
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
cd "$root"
pivot_root . .
umount --lazy .
printf '%s' '{INSIDE}'
exec env -i PATH=/usr/sbin:/usr/bin container=tests \\
    {SYSTEMD} --show-status=no --log-target=journal --unit=multi-user.target
"""


class Machine:
    """A running systemd, and the commands that root runs beside it."""

    def __init__(self, root: Path, log: Path) -> None:
        self._group = f"medianest-tests-{os.getpid()}"
        self._process = Process(
            ["sh", "-c", _START, "start", str(root), self._group, _BOOT, sys.base_prefix],
            log,
            {"PATH": os.environ["PATH"]},
        )
        try:
            until(self._has_booted, 60, "systemd has booted")
        except BaseException:
            self.close()
            raise

    def _has_booted(self) -> bool:
        assert self._process.is_running(), self._process.log.read_text()
        # Before, a command would run outside of the folder.
        is_inside = self._process.log.read_text() == INSIDE
        return is_inside and self.run("systemctl", "is-active", "multi-user.target").returncode == 0

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the machine, as root and with an empty environment."""
        (systemd,) = self._process.children()
        namespaces = ("--mount", "--pid", "--ipc", "--uts", "--cgroup", "--root")
        return subprocess.run(
            ["nsenter", f"--target={systemd}", *namespaces, "env", "-i", "--chdir=/", *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )

    def close(self) -> None:
        """Kill everything that runs, and remove the cgroups."""
        self._process.kill()
        until(self._has_ended, 60, "all processes of the machine have ended")

    def _has_ended(self) -> bool:
        roots = list(Path("/sys/fs/cgroup").rglob(self._group))
        groups = [group for root in roots for group in [root, *root.rglob("*/")]]
        if any((group / "cgroup.procs").read_text() for group in groups):
            return False
        for group in sorted(groups, reverse=True):
            group.rmdir()
        return True
