"""What holds the house together: who may import whom, and papers that match the code."""

import ast
import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from plex_integration import errors

ROOT = Path(__file__).parent.parent
SERVICE = ("medianest", "accounts", "plex_integration")


def _modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def _imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_nothing_but_the_gateway_imports_what_speaks_to_plex() -> None:
    strangers = {
        path
        for path, tree in _modules(*SERVICE)
        if {name.split(".")[0] for name in _imports(tree)} & {"plexapi", "requests", "urllib3"}
    }
    assert strangers
    assert all(path.startswith("plex_integration/gateway/") for path in strangers), strangers


@pytest.mark.parametrize(
    ("room", "never"),
    [
        ("media", {"django", "rest_framework", "plex_integration"}),
        ("mapping", {"django", "rest_framework", "plex_integration.plex"}),
        ("services", {"django", "rest_framework", "plex_integration.reading.viewsets"}),
        ("gateway/conversation", {"django", "rest_framework", "plex_integration.reading.viewsets"}),
        ("gateway/server", {"django", "rest_framework", "plex_integration.reading.viewsets"}),
        ("gateway/editing", {"django", "rest_framework", "plex_integration.writing"}),
        (
            "editing/collections",
            {"django", "rest_framework", "plex_integration.caching.response_cache"},
        ),
        (
            "editing/playlists",
            {"django", "rest_framework", "plex_integration.caching.response_cache"},
        ),
        ("editing/work", {"django", "rest_framework", "medianest.store"}),
        ("editing/once", {"django", "rest_framework", "plex_integration.plex"}),
        ("gateway/pictures", {"django", "rest_framework", "plex_integration.images"}),
        ("pictures/disk", {"rest_framework", "plex_integration.plex", "PIL"}),
        ("pictures/drawing", {"django", "plex_integration.plex"}),
        ("gateway/events", {"django", "rest_framework", "plex_integration.reading.viewsets"}),
        ("gateway/transport", {"django", "rest_framework", "plex_integration"}),
    ],
)
def test_a_room_knows_only_what_lies_below_it(room: str, never: set[str]) -> None:
    imports = _imports(ast.parse((ROOT / f"plex_integration/{room}.py").read_text()))
    known = {name for name in imports for ban in never if (name + ".").startswith(ban + ".")}
    assert not known


def test_nobody_imports_the_views_but_the_url_map() -> None:
    visitors = {
        path
        for path, tree in _modules(*SERVICE)
        if _imports(tree)
        & {"plex_integration.reading.viewsets", "plex_integration.admin", "accounts.views"}
    }
    visitors = {each for each in visitors if not each.startswith("plex_integration/admin/")}
    assert visitors <= {"plex_integration/urls.py", "accounts/urls.py"}


def test_the_service_does_not_know_the_simulator_but_for_the_demo() -> None:
    visitors = {
        path
        for path, tree in _modules(*SERVICE)
        if any(name.split(".")[0] == "plex_simulator" for name in _imports(tree))
    }
    assert visitors <= {"plex_integration/management/commands/demo.py"}


def test_the_committed_openapi_document_is_the_generated_one() -> None:
    generated = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=generated)
    assert generated.getvalue() == (ROOT / "openapi.yaml").read_text(), (
        "run: .venv/bin/python manage.py spectacular --file openapi.yaml"
    )


@pytest.mark.parametrize("sample", sorted((ROOT / "plex_integration/examples").glob("*.json")))
def test_the_documents_examples_are_json(sample: Path) -> None:
    assert json.loads(sample.read_text())["success"] is True


def test_the_api_page_lists_every_error_with_its_status() -> None:
    page = (ROOT / "docs/api.md").read_text()
    listed = dict(re.findall(r"^\| `([A-Z_]+)` \| (\d{3}) ", page, re.MULTILINE))
    assert listed == {code: str(kind.status_code) for code, kind in errors.TABLE.items()}


def test_the_operating_page_lists_every_setting_that_the_environment_gives() -> None:
    source = (ROOT / "medianest/settings.py").read_text()
    read = set(re.findall(r'env_(?:text|flag|list|number)\(\s*"([A-Z_]+)"', source))
    page = (ROOT / "docs/operating.md").read_text()
    listed = set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))
    assert read <= listed, read - listed


def test_every_test_is_a_sentence() -> None:
    short = [
        f"{path}: {node.name}"
        for path, tree in _modules("tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and len(node.name.split("_")) < 4
    ]
    assert not short
