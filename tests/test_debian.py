"""The documented commands for a Debian server: install, start, update, go back.

They run in a folder that systemd has booted, with this machine's Debian, read-only, and the Python
of the tests, as in `tests/image.py`. In place of what cannot be there, `apt-get` does nothing,
because the packages are here, and Valkey runs for Redis. The first release is installed from the
package index; the next one begins with a copy of its packages.
"""

import configparser
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from plex_integration import cache_layout
from plex_integration.management.commands.serve import OPTIONS
from plex_simulator import Simulator
from tests import postgresql
from tests.admin.test_workers import Operator
from tests.docs.pages import ROOT, blocks
from tests.image import PATH, create_base, network
from tests.machine import SYSTEMD, Machine
from tests.service import HOST, OPERATOR, PASSWORD, Valkey, free_port, until
from tests.serving.test_proxies import nginx, running
from tests.serving.test_tls_proxy import HOST as HOST_NAME
from tests.serving.test_tls_proxy import documented as for_proxies

# One server serves all of them. Its packages are downloaded and unpacked.
pytestmark = [pytest.mark.xdist_group("debian"), pytest.mark.timeout(600)]

DEPLOYMENT, MONITORING = ROOT / "docs/deployment.md", ROOT / "docs/monitoring.md"
CLONE = "/root/clone"
RELEASED = ("manage.py", "medianest", "accounts", "plex_integration", "deploy", "requirements.lock")
POLICIES = "/admin/plex_integration/policychange/"
ITEMS = "/api/v1/plex/libraries/1/items?size=2"
UNITS = sorted((ROOT / "deploy").glob("*.service"))
ACCOUNT = 7_000_009
LINK = f"""
from accounts.models import User
from accounts.plex_links import PlexLink
user = User.objects.create_user("viewer", password="{PASSWORD}")
link = PlexLink(user=user, account_id={ACCOUNT}, viewer_id={ACCOUNT}, account_name="Nadia")
link.save()
"""
CREATE_OPERATOR = (
    f"env DJANGO_SUPERUSER_PASSWORD={PASSWORD} python manage.py createsuperuser "
    f"--noinput --username {OPERATOR} --email root@example.org"
)
NEXT_MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "{before}")]
    operations = [
        migrations.AddField("user", "of_next_release", models.CharField(max_length=9, null=True)),
        migrations.CreateModel("NextRelease", [("id", models.AutoField(primary_key=True))]),
    ]
"""
OF_NEXT_RELEASE = """
from django.db import connection
names = connection.introspection.table_names()
with connection.cursor() as cursor:
    columns = connection.introspection.get_table_description(cursor, "accounts_user")
print("accounts_nextrelease" in names, "of_next_release" in [each.name for each in columns])
"""

IS_REQUIRED = os.environ.get("IMAGE_TESTS") == "required"
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and not IS_REQUIRED,
    reason="systemd-analyze is needed to check the units",
)


def documented(word: str, page: Path = DEPLOYMENT) -> str:
    """Return the block of commands for root that contains this word."""
    (text,) = [
        each.text
        for each in blocks(page)
        if each.mark == "not-run: needs root" and word in each.text
    ]
    return text


@dataclass
class Debian:
    """A server in a folder, and the Valkey that it has for Redis."""

    root: Path
    machine: Machine
    valkey: Valkey
    port: int = 0
    postgresql: str = ""
    """Where PostgreSQL is, in place of the socket of a server."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def run(self, script: str) -> str:
        """Run commands as root, in the clone; return what they print."""
        script = script.replace(":6379/", f":{self.valkey.port}/")
        script = script.replace("postgres://%2Fvar%2Frun%2Fpostgresql/", self.postgresql)
        settings = (f"PATH=/stubs:{PATH}", "PIP_NO_COMPILE=1", *network())
        shell = ("env", f"--chdir={CLONE}", "bash", "-euo", "pipefail", "-c")
        done = self.machine.run(*settings, *shell, script)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}{self.logs()}"
        return done.stdout

    def install(self, commands: str) -> str:
        """Run the commands that install a release; return its folder."""
        return self.run(f'{commands}\necho "$release"').splitlines()[-1]

    def change_over(self, release: str, commands: str) -> None:
        """Run the commands that start a release, on the port of this server, until it answers."""
        unit = self.root / release[1:] / "deploy" / "medianest.service"
        assert unit.read_text().count("--port 8000") == 1
        unit.write_text(unit.read_text().replace("--port 8000", f"--port {self.port}"))
        self.run(f"release={release}\n{commands}")
        self.wait()

    @property
    def settings(self) -> Path:
        return self.root / "etc/medianest/medianest.env"

    def add_settings(self, lines: str) -> None:
        """Let the service run with more lines in its file of settings."""
        self.settings.write_bytes(self.settings.read_bytes() + lines.encode())
        self.run("systemctl restart medianest")

    def as_medianest(self, command: str) -> str:
        return self.run(f"/opt/medianest/current/deploy/as-medianest {command}")

    def property(self, unit: str, name: str) -> str:
        """Return what systemd says about a unit."""
        return self.run(f"systemctl show --property={name} --value {unit}").strip()

    def logs(self) -> str:
        return self.machine.run("journalctl", "--no-pager", "--unit=medianest*").stdout

    def wait(self) -> None:
        """Wait until the service answers."""
        until(self.is_live, 60, "the service answers")

    def is_live(self) -> bool:
        try:
            return requests.get(f"{self.url}/api/v1/health/live", timeout=20).status_code == 200
        except requests.ConnectionError:
            assert self.property("medianest", "Result") == "success", self.logs()
            return False

    def sign_in(self, name: str) -> dict[str, str]:
        """Return the header of a user who has signed in."""
        answer = requests.post(
            f"{self.url}/api/v1/auth/token",
            json={"username": name, "password": PASSWORD},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['data']['access']}"}

    def get(self, path: str, headers: dict[str, str]) -> requests.Response:
        answer = requests.get(self.url + path, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer


@pytest.fixture(scope="module")
def debian(
    tmp_path_factory: pytest.TempPathFactory, _valkey: Valkey, _simulator: Simulator
) -> Iterator[Debian]:
    """A server on which the service was installed and started, with an administrator."""
    can_boot = os.geteuid() == 0 and SYSTEMD.exists() and shutil.which("dbus-daemon")
    if not IS_REQUIRED and not can_boot:
        pytest.skip("Only root can boot a server here, and only with systemd and dbus")
    folder = tmp_path_factory.mktemp("debian")
    root = create_base(folder / "root")
    prepare(root)
    machine = Machine(root, folder / "machine.log")
    server = Debian(root, machine, _valkey)
    try:
        server.run(documented("useradd"))
        # Settings of the table, as an operator adds them.
        server.run(
            f"cat >> /etc/medianest/medianest.env <<'END'\nPLEX_URL={_simulator.url}\n"
            f"PLEX_TOKEN='{_simulator.accounts.owner.server_token}'\nWORKERS=1\nEND"
        )
        release = server.install(documented("collectstatic"))
        server.port = free_port()
        server.change_over(release, documented("enable --now medianest medianest-listener"))
        server.as_medianest(CREATE_OPERATOR)
        yield server
    finally:
        machine.close()
        shutil.rmtree(folder)


def prepare(root: Path) -> None:
    """Put the release and the stubs into the folder, and what packages bring."""
    clone = root / CLONE[1:]
    clone.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "staticfiles")
    for name in RELEASED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, clone / name, ignore=ignored)
        else:
            shutil.copy2(ROOT / name, clone / name)
    for name in ("stubs", "etc/redis", "etc/systemd/system"):
        (root / name).mkdir(parents=True)
    stub(root, "apt-get", "exit 0")
    (root / "etc/systemd/system/redis-server.service").write_text(
        "[Service]\nType=oneshot\nExecStart=/bin/true\n"
    )


def stub(root: Path, name: str, script: str) -> None:
    file = root / "stubs" / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_the_service_and_the_listener_run_as_their_user_and_write_to_its_folders_alone(
    debian: Debian,
) -> None:
    assert debian.get(ITEMS, debian.sign_in(OPERATOR)).json()["data"]["items"]
    (uid,) = re.findall(r"^medianest:[^:]*:(\d+):", (debian.root / "etc/passwd").read_text(), re.M)
    for unit in ("medianest", "medianest-listener"):
        status = debian.run(f"cat /proc/{debian.property(unit, 'MainPID')}/status")
        assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}" in status
        assert "CapEff:\t0000000000000000" in status
        assert "CapBnd:\t0000000000000000" in status
        assert "NoNewPrivs:\t1" in status
    until(lambda: "listening to Plex" in debian.logs(), 20, "the listener is connected")
    debian.as_medianest("python manage.py listener_health")
    inside = f"nsenter --target={debian.property('medianest', 'MainPID')} --mount"
    writable = ["/var/lib/medianest/new", "/var/cache/medianest/new", "/tmp/new"]
    others = ["/opt/medianest/new", "/etc/medianest/medianest.env", "/var/new", "/root/new"]
    # Root itself cannot write there.
    touch = f'{inside} touch "$path" 2>/dev/null && echo "$path"'
    touched = debian.run(f"for path in {' '.join(writable + others)}; do {touch} || true; done")
    assert touched.splitlines() == writable
    modes = {
        name: (debian.root / name).stat().st_mode & 0o777
        for name in ("etc/medianest/secret_key", "var/lib/medianest", "etc/medianest")
    }
    assert list(modes.values()) == [0o640, 0o700, 0o750]


def test_systemd_limits_the_service(debian: Debian) -> None:
    pid = debian.property("medianest", "MainPID")
    assert "Seccomp:\t2" in debian.run(f"cat /proc/{pid}/status")
    assert re.search(r"Max open files +8192 +8192", debian.run(f"cat /proc/{pid}/limits"))
    group = debian.property("medianest", "ControlGroup")
    # cgroup v1 has a hierarchy for each controller, v2 has one for all.
    limits = "memory.limit_in_bytes memory.max pids.max"
    files = [f"/sys/fs/cgroup{folder}{group}/$limit" for folder in ("", "/memory", "/pids")]
    read = f"cat {' '.join(files)} 2>/dev/null || true"
    assert debian.run(f"for limit in {limits}; do {read}; done").split() == [str(2**30), "512"]


def test_a_request_in_flight_is_answered_while_systemd_stops_the_service(
    debian: Debian, plex: Simulator
) -> None:
    signed_in = debian.sign_in(OPERATOR)
    plex.fault("slow", path=r"^/library/sections/1/all", times=1, delay=3.0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(debian.get, f"{ITEMS}&sort=year", signed_in)
        until(lambda: plex.faults[0]["left"] == 0, 10, "the request waits for Plex")
        debian.run("systemctl stop medianest")
        assert waiting.result(60).json()["data"]["items"]
    assert debian.property("medianest", "Result") == "success"
    debian.run("systemctl start medianest")
    debian.wait()


def test_systemd_starts_a_killed_service_again_without_its_old_workers(debian: Debian) -> None:
    pid = debian.property("medianest", "MainPID")
    (worker,) = debian.run(f"cat /proc/{pid}/task/{pid}/children").split()
    debian.run("systemctl kill --kill-whom=main --signal=KILL medianest")
    until(
        lambda: debian.property("medianest", "MainPID") not in ("0", pid),
        20,
        "systemd starts it again",
    )
    assert debian.property("medianest", "NRestarts") == "1"
    debian.wait()
    assert debian.run(f"[ ! -e /proc/{worker} ] && echo gone") == "gone\n"


def test_the_service_listens_where_the_documented_change_of_its_unit_says(debian: Debian) -> None:
    (change,) = [each.text for each in blocks(DEPLOYMENT) if each.text.startswith("[Service]\n")]
    place, port = "--host 192.0.2.11 --port 8000", free_port()
    assert change.count(place) == 1
    changed = change.replace(place, f"--host 127.0.0.2 --port {port}")
    (debian.root / "root/change").write_text(changed)
    # The editor of an administrator. systemctl starts it in a terminal alone.
    edit = "EDITOR='cp /root/change' systemctl edit medianest"
    debian.run(f'script --quiet --return --command "{edit}" /dev/null')
    debian.run("systemctl restart medianest")
    try:
        assert debian.property("medianest", "NeedDaemonReload") == "no"
        until(lambda: listens("127.0.0.2", port), 60, "the service listens at the other address")
        assert not listens(HOST, debian.port)
    finally:
        debian.run("systemctl revert medianest && systemctl restart medianest")
        debian.wait()


def listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def test_metrics_can_be_read_after_the_documented_commands(debian: Debian) -> None:
    assert requests.get(f"{debian.url}/metrics", timeout=60).status_code == 404
    with restored_settings(debian):
        debian.run(documented("metrics_token", MONITORING))
        debian.wait()
        assert requests.get(f"{debian.url}/metrics", timeout=60).status_code == 401
        token = (debian.root / "etc/medianest/metrics_token").read_text().strip()
        signed_in = {"Authorization": f"Bearer {token}"}
        assert "\nmedianest_metrics_folder_up 1.0\n" in debian.get("/metrics", signed_in).text
        stream = 'endpoint="/:/eventsource/notifications"'
        until(
            lambda: stream in debian.get("/metrics", signed_in).text,
            20,
            "a request of the listener is counted",
        )


def test_the_timer_takes_the_place_of_the_listener(debian: Debian) -> None:
    debian.run(documented("enable --now medianest-delete-expired.timer"))
    assert debian.property("medianest-listener", "ActiveState") == "inactive"
    assert "medianest-delete-expired.service" in debian.run("systemctl list-timers --no-legend")
    # What the timer starts. It fails unless the command succeeds.
    debian.run("systemctl start medianest-delete-expired")
    debian.run("systemctl disable --now medianest-delete-expired.timer")
    debian.run("systemctl enable --now medianest-listener")


def test_a_command_has_the_settings_of_the_service(debian: Debian) -> None:
    written = (
        "BLANKS=one  two \r\n; a comment\r\nSINGLE='$HOME \"x\"'\r\n"
        'DOUBLE="$HOME \\"x\\""\r\nESCAPED=a\\ b\r\nSIGNS=a&b;c\r\n'
    )
    wanted = {
        "BLANKS": "one  two",
        "SINGLE": '$HOME "x"',
        "DOUBLE": '$HOME "x"',
        "ESCAPED": "a b",
        "SIGNS": "a&b;c",
    }
    with restored_settings(debian):
        debian.add_settings(written)
        of_service = debian.run(f"cat /proc/{debian.property('medianest', 'MainPID')}/environ")
        of_command = debian.as_medianest("env --null")
    for environment in (of_service, of_command):
        given = dict(each.split("=", 1) for each in environment.split("\0") if each)
        assert {name: given.get(name) for name in wanted} == wanted


def test_a_command_has_its_arguments_its_input_and_its_exit_code(debian: Debian) -> None:
    arguments = "'$HOME' '${HOME}' '$$' '%n' '' 'a  b'"
    assert debian.as_medianest(f"printf '<%s>' {arguments}") == "<$HOME><${HOME}><$$><%n><><a  b>"
    assert debian.as_medianest("cat <<< typed") == "typed\n"
    assert debian.as_medianest("sh -c 'exit 7' || echo $?") == "7\n"
    release = debian.run("readlink /opt/medianest/current")
    assert debian.as_medianest("sh -c 'id -un; pwd'") == f"medianest\n{release}"


def test_the_journal_does_not_have_the_arguments_of_a_command(debian: Debian) -> None:
    assert debian.as_medianest("printf an-argument-that-is-secret") == "an-argument-that-is-secret"
    journal = debian.run("journalctl --sync && journalctl --no-pager")
    assert "as-medianest" in journal
    assert "an-argument-that-is-secret" not in journal


def test_a_command_runs_as_the_service_where_systemd_does_not_run(debian: Debian) -> None:
    hidden = "unshare --mount sh -c 'mount -t tmpfs tmpfs /run/systemd; exec \"$@\"' sh"
    command = "/opt/medianest/current/deploy/as-medianest sh -c 'id -un; pwd; echo $WORKERS'"
    release = debian.run("readlink -f /opt/medianest/current")
    assert debian.run(f"{hidden} {command}") == f"medianest\n{release}1\n"


def test_a_command_has_the_terminal_of_an_administrator(debian: Debian) -> None:
    # The input stays open as a terminal's does: at its end `script` may stop before the output.
    script = "script --quiet --return --command 'deploy/as-medianest tty' /dev/null"
    debian.run("mkfifo /run/input")
    assert "/dev/pts/" in debian.run(f"cd /opt/medianest/current && {script} <> /run/input")


def test_the_service_answers_behind_nginx_with_the_documented_settings(
    debian: Debian, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    written = "".join(f"{key}={text}\n" for key, text in for_proxies().items())
    with restored_settings(debian), running(nginx, tmp_path, debian.port) as proxy:
        debian.add_settings(written)
        live = "/api/v1/health/live"
        until(lambda: proxy.send(live).status == 200, 60, "the service answers")
        assert proxy.send(ITEMS, is_secure=False).status == 308
        signed_in = proxy.send(
            "/api/v1/auth/token",
            {"Content-Type": "application/json"},
            method="POST",
            body=json.dumps({"username": OPERATOR, "password": PASSWORD}).encode(),
        ).json()["data"]
        page = proxy.send(ITEMS, {"Authorization": f"Bearer {signed_in['access']}"})
        assert page.status == 200
        assert page.json()["data"]["items"][0]["thumbUrl"].startswith(f"https://{HOST_NAME}/")


@contextmanager
def restored_settings(debian: Debian) -> Iterator[None]:
    """Restore the file of settings in the end."""
    before = debian.settings.read_bytes()
    try:
        yield
    finally:
        debian.settings.write_bytes(before)
        debian.run("systemctl restart medianest medianest-listener")
        debian.wait()


BACKUPS = {
    "SQLite": ("VACUUM INTO", "db.sqlite3-wal"),
    "PostgreSQL": ("pg_dump", "pg_restore"),
}
"""Words of the commands that back up and restore each database."""


@pytest.fixture(params=BACKUPS)
def database(request: pytest.FixtureRequest, debian: Debian) -> Iterator[str]:
    """A database of the server, which has the connection to Plex and the operator in it."""
    if request.param == "SQLite":
        yield request.param
        return
    with postgresql.started() as server, restored_settings(debian):
        with server.connect() as connection:
            connection.execute(f"DROP DATABASE {postgresql.DATABASE}")
        debian.postgresql = f"postgres://medianest@{HOST}:{server.port}/"
        connected = f"env PGHOST={HOST} PGPORT={server.port} PGUSER=postgres"
        stub(debian.root, "runuser", f'shift 3\nexec {connected} "$@"')
        debian.run(documented("createuser medianest"))
        debian.as_medianest("python manage.py migrate --noinput")
        debian.run("systemctl restart medianest medianest-listener")
        debian.wait()
        debian.as_medianest(CREATE_OPERATOR)
        yield request.param


def test_an_update_has_all_that_was_there_and_can_be_undone(
    debian: Debian, valkey: Valkey, database: str
) -> None:
    back_up, restore = map(documented, BACKUPS[database])
    debian.as_medianest(f"python manage.py shell -c '{LINK}'")
    change(debian, "77")
    token = debian.sign_in(OPERATOR)
    assert_as_before(debian, token)
    assert of_next_release(debian) == "False False\n"

    copied = 'cp -al "$(readlink /opt/medianest/current)/.venv" "$release/.venv"'
    install = documented("collectstatic").replace('python3 -m venv "$release/.venv"', copied)
    assert copied in install
    with next_release(debian):
        assert not is_cached(debian, cache_layout.VERSION + 1)
        release = debian.install(install)
    debian.change_over(release, back_up + "\n" + documented('" /opt/medianest/previous'))
    assert_as_before(debian, token)
    assert of_next_release(debian) == "True True\n"
    assert is_cached(debian, cache_layout.VERSION + 1)
    change(debian, "99")

    debian.run(restore + "\n" + documented("readlink /opt/medianest/previous"))
    debian.wait()
    assert_as_before(debian, token)
    assert of_next_release(debian) == "False False\n"


def of_next_release(debian: Debian) -> str:
    """Tell whether the database has the table and the column of the next release."""
    return debian.as_medianest(f"python manage.py shell -v 0 -c '{OF_NEXT_RELEASE}'")


def change(debian: Debian, seconds: str) -> None:
    """Change a setting in the admin: how long pages of items are cached."""
    with Operator(debian.url) as operator:
        operator.submit(POLICIES, {"ttl-library-items": seconds})


@contextmanager
def next_release(debian: Debian) -> Iterator[None]:
    """Let the clone have a migration more, and another layout of what is cached."""
    clone = debian.root / CLONE[1:]
    migrations = clone / "accounts" / "migrations"
    before = max(each.stem for each in migrations.glob("0*.py"))
    migration = migrations / "9999_next.py"
    layout = clone / "plex_integration" / "cache_layout.py"
    ours, of_layout = f"VERSION = {cache_layout.VERSION}\n", layout.read_text()
    assert of_layout.count(ours) == 1
    migration.write_text(NEXT_MIGRATION.format(before=before))
    layout.write_text(of_layout.replace(ours, f"VERSION = {cache_layout.VERSION + 1}\n"))
    try:
        yield
    finally:
        migration.unlink()
        layout.write_text(of_layout)


def assert_as_before(debian: Debian, operator: dict[str, str]) -> None:
    """Assert that users, tokens, settings, the connection and a link are there."""
    answer = debian.get(ITEMS, operator)
    assert answer.headers["Cache-Control"].startswith("max-age=77, private")
    link = debian.get("/api/v1/auth/plex", debian.sign_in("viewer")).json()["data"]
    assert (link["linked"], link["account"]["name"]) == (True, "Nadia")


def is_cached(debian: Debian, layout: int) -> bool:
    return bool(debian.valkey.client.keys(f"medianest:cache:responses-{layout}:*"))


@needs_systemd
def test_systemd_accepts_the_units_where_they_are_installed(debian: Debian) -> None:
    installed = "/etc/systemd/system/medianest*.service /etc/systemd/system/medianest*.timer"
    assert debian.run(f"systemd-analyze verify --man=no {installed} 2>&1") == ""
    wrong = "sed s/ProtectHome/ProtectHouse/ /etc/systemd/system/medianest.service > /tmp/m.service"
    said = debian.run(f"{wrong}\nsystemd-analyze verify --man=no /tmp/m.service 2>&1 || true")
    assert "Unknown key" in said


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_exposes_little(unit: Path) -> None:
    check = "systemd-analyze security --offline=true --no-pager --threshold=20"
    done = subprocess.run(
        [*check.split(), unit], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def section(unit: Path) -> configparser.SectionProxy:
    parsed = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parsed.optionxform = str  # type: ignore[assignment, method-assign]
    parsed.read(unit)
    return parsed["Service"]


def test_the_units_differ_only_in_what_they_run_and_in_their_limits() -> None:
    own = {
        *("Type", "ExecStart", "Restart", "RestartSec", "KillMode", "TimeoutStopSec"),
        *("TimeoutStartSec", "LimitNOFILE", "MemoryMax", "TasksMax"),
    }
    common = [
        {key: text for key, text in section(each).items() if key not in own} for each in UNITS
    ]
    assert len(common) == 3
    assert common[0] == common[1] == common[2]
    assert all(section(each)["MemoryMax"] and section(each)["TasksMax"] for each in UNITS)


def test_systemd_waits_longer_than_the_service_needs_to_end() -> None:
    (longest,) = re.findall(r"--workers-kill-timeout (\d+)", OPTIONS)
    service = section(ROOT / "deploy" / "medianest.service")
    assert int(service["TimeoutStopSec"]) > int(longest)
    assert service["KillMode"] == "mixed"
