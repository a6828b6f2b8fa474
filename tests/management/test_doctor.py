"""`manage.py doctor` names each fault and what to do, and exits with 1 if something is wrong."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from django.core.management import call_command
from django.db import connection as database
from django.db.migrations.recorder import MigrationRecorder

from medianest.store import Condition, Facts
from plex_integration.admin.service import database as facts
from plex_integration.admin.service import dependencies, machine
from plex_integration.admin.service.database import DatabaseFacts, pending_migrations
from plex_integration.management.doctor import database as database_checks
from plex_integration.management.doctor import examination
from plex_simulator import Simulator
from tests.certificates import TlsServer, certificates
from tests.environment import IS_POSTGRESQL
from tests.pace import Stopwatch
from tests.service import ROOT, House, Valkey

LISTENED = b'{"problem": "", "since": 0, "changed": 0}'
WORKER = json.dumps(
    {"role": "worker", "host": "one", "pid": 1, "started": 0, "version": "1.0.0", "requests": 5}
)


on_sqlite = pytest.mark.skipif(IS_POSTGRESQL, reason="the database of the tests is no file")


@dataclass(frozen=True)
class Report:
    """What the command printed, and its exit code."""

    text: str
    code: int

    def of(self, name: str) -> list[tuple[str, str]]:
        """Return the state and the text of each line of this name."""
        found = re.findall(
            rf"^. (\S+(?: used)?) +{re.escape(name)}: (.+)$", self.text, re.MULTILINE
        )
        return [(state, text) for state, text in found]


@pytest.fixture(autouse=True)
def healthy(plex: Simulator, transactional_db: None, settings: Any, tmp_path: Path) -> None:
    """Let everything be well but Redis, which is not configured."""
    settings.PLEX_TV_URL = plex.url
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def whole(shared: Any, healthy: None) -> None:
    """Redis with a listener and a worker."""
    shared.values.set("listener", LISTENED, 60)
    shared.reports.write("process:worker:one:1", WORKER)


def examined(*options: str) -> Report:
    written, code = StringIO(), 0
    try:
        call_command("doctor", *options, stdout=written)
    except SystemExit as end:
        code = int(str(end.code))
    return Report(written.getvalue(), code)


def test_a_service_that_works_has_only_lines_that_say_so(whole: None) -> None:
    report = examined()
    assert report.code == 0
    assert {line.split()[1] for line in report.text.splitlines()} == {"OK"}, report.text
    names = re.findall(r"^✓ OK +([\w .]+): ", report.text, re.MULTILINE)
    of_database = ["Database", "Clocks"] if IS_POSTGRESQL else ["Database"]
    assert names == [
        "Secrets", "Addresses", "Number of workers", "Static files", "System checks", "Pictures",
        "Migrations", *of_database, "Redis", "Listener", "Workers", "Clocks", "Plex", "plex.tv",
        "Clocks",
    ]  # fmt: skip


def test_machines_get_one_json_object(whole: None, plex: Simulator) -> None:
    assert json.loads(examined("--json").text)["ok"] is True
    plex.fault("refused")
    report = examined("--json")
    assert report.code == 1
    result = json.loads(report.text)
    assert result["ok"] is False
    wrong = next(each for each in result["checks"] if each["check"] == "Plex")
    assert wrong["state"] == "problem"
    assert wrong["text"].startswith("Cannot be reached: the connection was refused")


@pytest.mark.parametrize(
    ("changes", "name", "state", "sentence"),
    [
        ({"DEBUG": True}, "Secrets", "Problem", "DEBUG is on: errors show traces"),
        ({"SECRET_KEY": "a" * 40}, "Secrets", "Problem", "SECRET_KEY has few different"),
        (
            {"SECRET_KEY": "django-insecure-0123456789-abcdefghijkl"},
            "Secrets",
            "Problem",
            "SECRET_KEY is that of an example. Set it to random characters: it signs tokens, "
            "sessions and picture links.",
        ),
        (
            {"ENCRYPTION_KEY": "change-me-0123456789-abcdefghijklmn"},
            "Secrets",
            "Problem",
            "ENCRYPTION_KEY is that of an example.",
        ),
        ({"ALLOWED_HOSTS": ["*"]}, "Addresses", "Attention", "ALLOWED_HOSTS accepts any host"),
        (
            {"PUBLIC_URL": "http://media.example"},
            "Addresses",
            "Attention",
            "PUBLIC_URL names media.example, which ALLOWED_HOSTS does not accept.",
        ),
        (
            {"PUBLIC_URL": "https://localhost"},
            "Addresses",
            "Attention",
            "Browsers come over HTTPS, but SECURE_COOKIES is 0.",
        ),
        (
            {"CSRF_TRUSTED_ORIGINS": ["https://localhost"]},
            "Addresses",
            "Attention",
            "A proxy offers HTTPS, but PROXY_COUNT is 0",
        ),
        (
            {"SESSION_COOKIE_SECURE": True},
            "Addresses",
            "Attention",
            "A proxy offers HTTPS, but PROXY_COUNT is 0",
        ),
        (
            {"SECURE_HSTS_SECONDS": 3600},
            "Addresses",
            "Attention",
            "A proxy offers HTTPS, but PROXY_COUNT is 0",
        ),
        (
            {"PUBLIC_URL": "http://localhost", "SESSION_COOKIE_SECURE": True},
            "Addresses",
            "Attention",
            "nobody can sign in to the admin",
        ),
        (
            {"SECURE_SSL_REDIRECT": True},
            "Addresses",
            "Problem",
            "every request is redirected for ever. Set PROXY_COUNT",
        ),
        (
            {"STATIC_ROOT": "/no/such/folder"},
            "Static files",
            "Attention",
            "Run manage.py collectstatic.",
        ),
    ],
)
def test_a_setting_that_is_wrong_is_named_without_its_value(
    settings: Any, changes: dict[str, Any], name: str, state: str, sentence: str
) -> None:
    for setting, value in changes.items():
        setattr(settings, setting, value)
    report = examined()
    [(found, text)] = report.of(name)
    assert (found, sentence in text) == (state, True), text
    assert report.code == (1 if state == "Problem" else 0)
    for setting in ("SECRET_KEY", "ENCRYPTION_KEY"):
        assert getattr(settings, setting) not in report.text


def test_settings_behind_a_proxy_that_fit_are_no_finding(settings: Any) -> None:
    settings.PUBLIC_URL, settings.CSRF_TRUSTED_ORIGINS = "https://localhost", ["https://localhost"]
    settings.SESSION_COOKIE_SECURE = settings.SECURE_SSL_REDIRECT = True
    settings.PROXY_COUNT = 1
    assert examined().of("Addresses") == [("OK", "Nothing looks wrong.")]


def test_several_workers_without_redis_are_a_problem(settings: Any) -> None:
    settings.WORKERS = 2
    report = examined()
    [(state, text)] = report.of("Number of workers")
    assert (state, report.code) == ("Problem", 1)
    assert "There are 2 workers without Redis" in text


def test_a_file_of_settings_that_everybody_can_read_is_a_problem(
    settings: Any, tmp_path: Path
) -> None:
    settings.BASE_DIR, file = tmp_path, tmp_path / ".env"
    file.write_text("SECRET_KEY=hidden")
    file.chmod(0o640)
    assert examined().of("Secrets")[0][0] == "OK"
    file.chmod(0o644)
    report = examined()
    assert report.of("Secrets") == [
        ("Problem", f"Everybody on this machine can read {file}. Run: chmod o-rwx {file}")
    ]
    assert (report.code, "hidden" in report.text) == (1, False)


def test_a_setting_that_stops_the_start_is_said_in_a_sentence(house: House) -> None:
    environment = house.environment | {"SECRET_KEY": "too-short"}
    argv = [sys.executable, "manage.py", "doctor"]
    for options in ([], ["--json"]):
        done = subprocess.run(
            [*argv, *options],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr.startswith("The settings cannot be used: SECRET_KEY must be set")
        assert "Traceback" not in done.stderr
        assert "too-short" not in done.stdout + done.stderr
    assert json.loads(done.stdout)["checks"][0]["check"] == "Settings"


def test_pending_migrations_are_a_problem() -> None:
    MigrationRecorder(database).record_unapplied("accounts", "0004_plex_links")
    pending_migrations.cache_clear()
    report = examined()
    assert report.of("Migrations") == [
        ("Problem", "Pending: accounts.0004_plex_links. Run manage.py migrate.")
    ]
    assert report.code == 1


@pytest.fixture
def sqlite_file(house: House, tmp_path: Path) -> Path:
    """The file of a database that is up to date."""
    return Path(house.copied().removeprefix("sqlite:///"))


def examined_with(house: House, plex: Simulator, **environment: str) -> Report:
    """Run the command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=ROOT,
        env=house.environment | {"PLEX_TV_URL": plex.url} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return Report(done.stdout, done.returncode)


@on_sqlite
def test_an_sqlite_file_that_cannot_be_written_is_a_problem(
    house: House, plex: Simulator, sqlite_file: Path
) -> None:
    # Root may write every file, but no SQLite writes the file of a later format (byte 18).
    with sqlite_file.open("r+b") as file:
        file.seek(18)
        file.write(b"\x03")
    report = examined_with(house, plex, DATABASE_URL=f"sqlite:///{sqlite_file}")
    (state, text) = report.of("Database")[-1]
    assert (state, report.code) == ("Problem", 1)
    assert text.startswith(f"{sqlite_file} cannot be used (attempt to write a readonly database).")


def test_an_sqlite_file_in_a_folder_that_is_missing_is_a_problem(
    house: House, plex: Simulator, tmp_path: Path
) -> None:
    file = tmp_path / "missing" / "db.sqlite3"
    report = examined_with(house, plex, DATABASE_URL=f"sqlite:///{file}")
    [(state, text)] = report.of("Database")
    assert (state, report.code) == ("Problem", 1)
    assert text.startswith(f"{file} cannot be used (unable to open database file).")
    assert report.of("Plex")[0][0] == "Problem"


@on_sqlite
def test_an_sqlite_file_on_a_network_file_system_deserves_attention(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mounts = tmp_path / "mounts"
    folder = Path(str(database.settings_dict["NAME"])).parent
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nhost:/export {folder} nfs4 rw 0 0\n")
    monkeypatch.setattr(database_checks, "MOUNTS", mounts)
    report = examined()
    assert report.of("Database")[-1] == (
        "Attention",
        "The SQLite file is on a network file system (nfs4), where its locks do not work. "
        "Move it to a local disk, or use PostgreSQL.",
    )
    assert report.code == 0


def test_a_postgresql_that_does_not_run_is_a_problem_without_its_password(
    house: House, plex: Simulator
) -> None:
    address = "postgres://someone:a-password@127.0.0.1:1/medianest"
    watch = Stopwatch()
    report = examined_with(house, plex, DATABASE_URL=address)
    assert watch.keeps(30)
    [(state, text)] = report.of("Database")
    assert (state, report.code) == ("Problem", 1)
    assert text.startswith("PostgreSQL at 127.0.0.1:1 cannot be used (OperationalError).")
    assert "a-password" not in report.text


def test_a_redis_that_is_unavailable_is_a_problem(stores: Any, healthy: None) -> None:
    stores.use("redis://:a-password@127.0.0.1:1/0")
    report = examined()
    [(state, text)] = report.of("Redis")
    assert (state, report.code) == ("Problem", 1)
    assert text == (
        "It is unavailable: responses are not cached. "
        "Start it, and check its address and password in the settings."
    )
    assert "a-password" not in report.text


@pytest.fixture
def configured(valkey: Valkey) -> Iterator[Callable[..., None]]:
    """Return a function that configures Valkey until the end of the test."""

    def configure(**options: str) -> None:
        for name, value in options.items():
            valkey.client.config_set(name.replace("_", "-"), value)

    yield configure
    configure(maxmemory="0", maxmemory_policy="noeviction")


def test_a_redis_that_is_full_is_a_problem(whole: None, configured: Callable[..., None]) -> None:
    configured(maxmemory="1")
    report = examined()
    [(state, text)] = report.of("Redis")
    assert (state, report.code) == ("Problem", 1)
    assert "It is full and refuses writes" in text


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ("allkeys-lru", "Its eviction policy allkeys-lru also evicts the counts of rate limits."),
        ("noeviction", "With its eviction policy noeviction it refuses writes when it is full."),
    ],
)
def test_another_eviction_policy_deserves_attention(
    whole: None, configured: Callable[..., None], policy: str, sentence: str
) -> None:
    configured(maxmemory="100mb", maxmemory_policy=policy)
    report = examined()
    [(state, text)] = report.of("Redis")
    assert (state, report.code) == ("Attention", 0)
    assert text.startswith(sentence)
    configured(maxmemory_policy="volatile-lru")
    assert examined().of("Redis")[0][0] == "OK"


def test_a_cache_may_evict_any_key_where_the_limits_have_a_redis_of_their_own(
    stores: Any, valkey: Valkey, configured: Callable[..., None]
) -> None:
    stores.use(valkey.url, valkey.url.rpartition("/")[0] + "/1")
    configured(maxmemory="100mb", maxmemory_policy="allkeys-lru")
    report = examined()
    assert report.of("Redis")[0][0] == "OK"
    assert report.of("Redis for limits")[0][0] == "Attention"


def test_an_old_redis_deserves_attention() -> None:
    # None that is so old can be installed here; this is what one says about itself.
    line = dependencies._redis("Redis", Facts(Condition.OK, 0.0, {"redis_version": "5.0.14"}, 0))
    assert line.sentences[0] == "Redis 5.0.14 is too old. Install Redis 6 or newer, or Valkey."


def test_a_redis_without_listener_and_workers_deserves_attention(shared: Any) -> None:
    shared.reports.delete("process:worker:one:1")
    report = examined()
    [(state, text)] = report.of("Listener")
    assert (state, text.endswith("Start manage.py plex_listen.")) == ("Attention", True)
    assert report.of("Workers") == [
        ("Attention", "No worker has reported itself. Start the service.")
    ]
    assert report.code == 0


def test_a_connection_is_missing_until_there_is_one(settings: Any) -> None:
    settings.PLEX_URL = ""
    report = examined()
    assert report.code == 1
    assert report.of("Plex") == [
        ("Problem", "No Plex server is connected, so requests for Plex get 503.")
    ]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("refused", "Cannot be reached: the connection was refused"),
        ("html", "Not a Plex server: something else answers at this address."),
        ("disconnect", "Cannot be reached: the connection was closed without an answer."),
        ("silent", "Cannot be reached: no answer within 1 seconds."),
    ],
)
def test_a_plex_that_does_not_work_is_a_problem_and_says_why(
    plex: Simulator, settings: Any, fault: str, sentence: str
) -> None:
    settings.PLEX_TIMEOUT, settings.PLEX_TV_URL = 1, "http://127.0.0.1:1"
    plex.fault(fault)
    report = examined()
    [(state, text)] = report.of("Plex")
    assert (state, report.code) == ("Problem", 1)
    assert text.startswith(sentence)
    assert f"Address: {plex.url}." in text
    assert text.endswith("Correct it on the page Plex connection of the admin.")


def test_a_certificate_that_is_not_accepted_is_a_problem(settings: Any, tmp_path: Path) -> None:
    _, certificate = certificates(tmp_path, "localhost", 30)
    with TlsServer(certificate) as port:
        settings.PLEX_URL = f"https://localhost:{port}"
        report = examined()
    [(state, text)] = report.of("Plex")
    assert (state, report.code) == ("Problem", 1)
    assert text.startswith(
        "Plex's certificate is not accepted: its certificate authority is not trusted."
    )


def test_a_token_that_plex_refuses_is_a_problem_and_is_not_shown(settings: Any) -> None:
    settings.PLEX_TOKEN = "wrong-token"
    report = examined()
    [(state, text)] = report.of("Plex")
    assert (state, text.startswith("Wrong token: Plex refuses it.")) == ("Problem", True)
    assert (report.code, "wrong-token" in report.text) == (1, False)


def test_a_plex_tv_that_cannot_be_reached_is_a_problem_where_users_sign_in_with_plex(
    settings: Any,
) -> None:
    settings.PLEX_TV_URL = "http://127.0.0.1:1"
    report = examined()
    [(state, text)] = report.of("plex.tv")
    assert (state, report.code) == ("Problem", 1)
    assert text.startswith("It cannot be reached, so nobody can sign in with Plex.")


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (3600, r"plex\.tv: 3(600|5\d\d) s ahead of this machine\."),
        (-3600, r"plex\.tv: 3(600|5\d\d) s behind this machine\."),
        (0, r"plex\.tv: same time as this machine\."),
    ],
)
def test_a_clock_that_differs_from_that_of_plex_tv_deserves_attention(
    monkeypatch: pytest.MonkeyPatch, seconds: int, sentence: str
) -> None:
    monkeypatch.setattr(
        BaseHTTPRequestHandler,
        "date_time_string",
        lambda _: formatdate(time.time() + seconds, usegmt=True),
    )
    [(state, text)] = [line for line in examined().of("Clocks") if "plex.tv" in line[1]]
    assert (state, bool(re.fullmatch(sentence, text))) == ("Attention" if seconds else "OK", True)


def test_a_redis_that_answers_late_has_the_same_time(whole: None, shared: Any) -> None:
    server = shared._cache
    execute = server.execute

    def execute_slowly(*commands: Any) -> Any:
        replies = execute(*commands)
        time.sleep(2.5 if ("TIME",) in commands else 0)
        return replies

    server.execute = execute_slowly
    lines = examined().of("Clocks")
    assert ("OK", "Redis: same time as this machine.") in lines, lines


def test_a_postgresql_that_answers_late_has_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = MagicMock()
    cursor = connection.cursor.return_value.__enter__.return_value
    cursor.fetchone.return_value = (1, 100.0)
    monkeypatch.setattr(facts, "connection", connection)
    monkeypatch.setattr(facts, "time", MagicMock(time=MagicMock(side_effect=[100.0, 105.0])))
    assert facts._postgresql(5.0).clock == 0.0


@pytest.mark.parametrize("date", ["", "yesterday", "Tue, 99 Foo 2026 25:00:00 GMT"])
def test_a_date_that_cannot_be_read_is_no_finding(
    monkeypatch: pytest.MonkeyPatch, date: str
) -> None:
    monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda _: date)
    report = examined()
    assert report.of("plex.tv") == [("OK", "It responds.")]
    assert not [text for _, text in report.of("Clocks") if "plex.tv" in text]


def test_a_clock_that_differs_from_that_of_the_database_deserves_attention(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        database_checks, "facts", lambda: DatabaseFacts("PostgreSQL 16.1", 1, 0.001, -90.0)
    )
    lines = examined().of("Clocks")
    assert lines[0] == ("Attention", "The database: 90 s behind this machine.")


def test_a_folder_of_pictures_that_cannot_be_written_is_a_problem(
    settings: Any, tmp_path: Path
) -> None:
    settings.PICTURES_FOLDER = tmp_path / "file" / "pictures"
    (tmp_path / "file").write_text("not a folder")
    report = examined()
    [(state, text)] = report.of("Pictures")
    assert (state, report.code) == ("Problem", 1)
    assert text.startswith("The folder of pictures cannot be written")


def test_a_disk_with_little_space_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "MIN_FREE_BYTES", 2**60)
    report = examined()
    [(state, text)] = report.of("Pictures")
    assert (state, report.code) == ("Problem", 1)
    assert text.startswith("The disk of the pictures is almost full")


def test_a_check_that_gets_no_result_ends_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_over = threading.Event()
    monkeypatch.setattr(examination, "MAX_SECONDS", 0.1)
    monkeypatch.setattr(examination, "CHECKS", {"First": lambda: [is_over.wait(60)]})
    report = examined()
    is_over.set()
    assert report == Report(
        "✕ Problem   First: The check got no result within 0.1 seconds. Check that it responds.\n",
        1,
    )


def test_a_redis_that_hangs_is_a_problem_and_delays_the_command_for_a_moment(
    stores: Any, valkey: Valkey, healthy: None
) -> None:
    stores.use(valkey.url, is_patient=False)
    valkey.send(signal.SIGSTOP)
    try:
        watch = Stopwatch()
        report = examined()
        assert watch.keeps(10)
    finally:
        valkey.send(signal.SIGCONT)
    assert (report.of("Redis")[0][0], report.code) == ("Problem", 1)
