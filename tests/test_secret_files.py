"""A secret may come from a file instead of a variable, as container engines and systemd give it."""

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from medianest.settings import env_secret
from tests.docs.pages import ROOT

SECRETS = {
    "SECRET_KEY": "signs-signs-signs-signs-signs-signs-signs",
    "ENCRYPTION_KEY": "hides-hides-hides-hides-hides-hides-hides",
    "DATABASE_URL": "postgres://medianest:pass-of-database@database.example/medianest",
    "REDIS_URL": "redis://:pass-of-redis@redis.example:6379/0",
    "REDIS_LIMITS_URL": "redis://:pass-of-limits@limits.example:6379/0",
    "PLEX_TOKEN": "token-of-plex",
    "METRICS_TOKEN": "token-of-the-metrics",
}
SHOW = """
import json
from medianest import settings
database = settings.DATABASES["default"]
names = ("SECRET_KEY", "ENCRYPTION_KEY", "REDIS_URL", "REDIS_LIMITS_URL", "PLEX_TOKEN")
names += ("METRICS_TOKEN",)
print(json.dumps({name: getattr(settings, name) for name in names} | {
    "DATABASE_URL": f"postgres://{database['USER']}:{database['PASSWORD']}"
                    f"@{database['HOST']}/{database['NAME']}",
}))
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the file that the setting names; a test writes it."""
    monkeypatch.delenv("PLEX_TOKEN", raising=False)
    monkeypatch.setenv("PLEX_TOKEN_FILE", str(tmp_path / "plex_token"))
    return tmp_path / "plex_token"


def refused() -> str:
    """Return what the start says about the token."""
    with pytest.raises(ImproperlyConfigured) as raised:
        env_secret("PLEX_TOKEN")
    assert "hidden" not in "".join(traceback.format_exception(raised.value))
    return str(raised.value)


def started(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process that has this environment, and print them."""
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_secret_may_come_from_a_file(tmp_path: Path) -> None:
    for name, secret in SECRETS.items():
        (tmp_path / name).write_text(secret + "\n")
    done = started({f"{name}_FILE": str(tmp_path / name) for name in SECRETS})
    assert json.loads(done.stdout) == SECRETS, done.stderr


def test_the_documentation_lists_the_secrets_that_may_come_from_files() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    section = page.partition("### Secrets in files")[2].partition("\n## ")[0]
    assert all(f"`{name}_FILE`" in section for name in SECRETS)


@pytest.mark.parametrize("written", ["secret", "secret\n", "secret\r\n", "\ufeff secret \n\n"])
def test_what_editors_add_around_a_secret_does_not_belong_to_it(file: Path, written: str) -> None:
    file.write_text(written)
    assert env_secret("PLEX_TOKEN") == "secret"


def test_an_empty_variable_is_one_that_is_not_set(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("of the file")
    monkeypatch.setenv("PLEX_TOKEN", "")
    assert env_secret("PLEX_TOKEN") == "of the file"
    monkeypatch.setenv("PLEX_TOKEN", "of the variable")
    monkeypatch.setenv("PLEX_TOKEN_FILE", "")
    assert env_secret("PLEX_TOKEN") == "of the variable"


def test_a_secret_that_is_given_twice_stops_the_start(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("hidden")
    monkeypatch.setenv("PLEX_TOKEN", "hidden")
    assert refused() == "Set PLEX_TOKEN or PLEX_TOKEN_FILE, not both"


def test_a_file_that_cannot_be_read_stops_the_start(file: Path) -> None:
    assert refused() == f"PLEX_TOKEN_FILE: {file} cannot be read: No such file or directory"
    file.mkdir()
    assert refused() == f"PLEX_TOKEN_FILE: {file} cannot be read: Is a directory"


@pytest.mark.parametrize("written", [b"", b" \n", b"hidden\nhidden", b"hidden\xff", b"hidden\0"])
def test_a_file_without_one_line_of_text_stops_the_start(file: Path, written: bytes) -> None:
    file.write_bytes(written)
    assert refused() == f"PLEX_TOKEN_FILE: {file} must hold one line of text, the secret"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgres://medianest:hidden/hidden@database.example/medianest"),
        ("DATABASE_URL", "hidden"),
        ("DATABASE_URL", "hidden://medianest:hidden@database.example/medianest"),
        # Known to the parser, but not to the service.
        ("DATABASE_URL", "mysql://medianest:hidden@database.example/medianest"),
        ("REDIS_URL", "redis://:hidden/hidden@redis.example/0"),
        ("REDIS_URL", "hidden"),
        ("REDIS_URL", "redis+sentinel://:hidden@one,two"),
        ("REDIS_LIMITS_URL", "redis://:hidden@[redis.example/0"),
    ],
)
def test_a_url_that_cannot_be_used_stops_the_start_without_showing_its_password(
    name: str, url: str
) -> None:
    given = {"SECRET_KEY": "x" * 40, "REDIS_URL": "redis://redis.example/0"} | {name: url}
    done = started(given)
    assert done.returncode == 1
    assert f"ImproperlyConfigured: {name} must look like " in done.stderr
    assert "hidden" not in done.stderr
