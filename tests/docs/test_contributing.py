"""The steps of docs/contributing.md, followed in a copy of the project."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from plex_simulator import Simulator
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "contributing.md"
STEP = re.compile(
    r"^ *```python (\S+\.py)(?: \(([^)]*)\))?\n(.*?)^ *```$", re.DOTALL | re.MULTILINE
)
NOT_COPIED = (
    ".git",
    ".venv",
    ".*_cache",
    "__pycache__",
    "db.sqlite3*",
    "node_modules",
    "staticfiles",
    "var",
)

# What a client sees of the endpoint that the steps add.
ASK = """
import json
from django.core.management import call_command
from django.test import Client
from accounts import tokens
from accounts.models import User

call_command("migrate", verbosity=0)
user = User.objects.create(username="ada", password="!")
headers = {"Authorization": f"Bearer {tokens.issue(user).access}"}
client = Client()

def ask(path):
    response = client.get(f"/api/v1/plex/{path}", headers=headers)
    return [response.status_code, dict(response.headers), json.loads(response.content)]

paths = ["libraries/1/newest?limit=3"] * 2
paths += ["libraries/1/newest?limit=21", "libraries/x/newest", "libraries/77/newest", ""]
print("ANSWERS", json.dumps([ask(path) for path in paths]))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project in which the steps were followed."""
    copy = tmp_path / "project"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    for name, where, indented in STEP.findall(PAGE.read_text()):
        _follow(copy / name, where, textwrap.dedent(indented))
    return copy


def _follow(file: Path, where: str, lines: str) -> None:
    """Add lines to a file at the place that the step names; at its end without one."""
    written = file.read_text() if file.exists() else ""
    if where == "imports":
        written = re.sub(r"^from", f"{lines}from", written, count=1, flags=re.MULTILINE)
    elif where == "before urlpatterns":
        written = written.replace("urlpatterns", f"{lines}\nurlpatterns", 1)
    elif where == "after PROBLEMS":
        written = written.replace("\n_HEADERS", f"\n{lines}\n_HEADERS", 1)
    else:
        assert not where, where
        written = f"{written}\n\n{lines}".lstrip()
    assert lines in written
    file.write_text(written)


def _run(project: Path, *argv: str, **environment: str) -> str:
    given = {"PATH": os.environ["PATH"], "SECRET_KEY": "x" * 40, "DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, *argv],
        cwd=project,
        env=given | environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_steps_name_files_that_exist_but_for_the_new_service() -> None:
    files = [name for name, _, _ in STEP.findall(PAGE.read_text())]
    assert len(files) == 7
    assert [name for name in files if not (ROOT / name).exists()] == [
        "plex_integration/reading/services/newest.py"
    ]


def test_an_endpoint_that_follows_the_steps_has_everything_an_endpoint_has(
    project: Path, plex: Simulator
) -> None:
    given = {"PLEX_URL": plex.url, "PLEX_TOKEN": plex.owner_token}
    given["ALLOWED_HOSTS"] = "testserver"
    printed = _run(project, "manage.py", "shell", "-v", "0", "-c", ASK, **given)
    answers = json.loads(printed.partition("ANSWERS")[2])
    first, second, invalid, malformed, unknown, index = answers
    status, headers, body = first
    assert (status, len(body["data"]["items"])) == (200, 3)
    assert headers["X-Plex-Cache-Status"] == "MISS"
    assert headers["Cache-Control"] == "max-age=60, private"
    assert headers["X-RateLimit-Limit"] == "60"
    assert body["metadata"]["requestId"].startswith("req-plex-newest-")
    movies = plex.catalogue.items("1", "movie")
    newest = sorted(movies, key=lambda movie: -movie.added_at)[:3]
    shown = [item["ratingKey"] for item in body["data"]["items"]]
    assert (shown, body["data"]["total"]) == ([each.rating_key for each in newest], len(movies))
    assert (second[0], second[1]["X-Plex-Cache-Status"]) == (200, "HIT")
    assert second[1]["X-RateLimit-Remaining"] == "58"
    assert (invalid[0], list(invalid[2]["error"]["details"])) == (400, ["limit"])
    for missing in (malformed, unknown):
        assert (missing[0], missing[2]["error"]["code"]) == (404, "LIBRARY_NOT_FOUND")
    urls = [endpoint["url"] for endpoint in index[2]["data"]["endpoints"]]
    assert "/api/v1/plex/libraries/{libraryKey}/newest" in urls


def test_the_steps_leave_the_layers_and_the_openapi_document_in_order(project: Path) -> None:
    document = _run(project, "manage.py", "spectacular", "--validate", "--fail-on-warn")
    assert "operationId: listNewestItems" in document
    script = Path(sys.executable).with_name("lint-imports")
    assert "0 broken" in _run(project, str(script))


@pytest.mark.parametrize(
    "path",
    sorted(set(re.findall(r"`((?:plex_integration|medianest|accounts)/[^`]*)`", PAGE.read_text()))),
)
def test_every_place_that_the_page_names_exists(path: str) -> None:
    assert (ROOT / path).exists() or path.endswith("newest.py")
