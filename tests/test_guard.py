"""The structure of the code base, and documents that match the code.

import-linter checks the layers (pyproject.toml); these tests check that nothing hides from it.
"""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from plex_integration import errors

ROOT = Path(__file__).parent.parent
RUNTIME = "plex_integration/configuration/runtime.py"
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


def _hidden_imports(tree: ast.Module) -> Iterator[int]:
    """Yield the lines of imports that import-linter may not see, or that could hide a circle."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            inside = [
                each for each in ast.walk(node) if isinstance(each, ast.Import | ast.ImportFrom)
            ]
            yield from (each.lineno for each in inside)
        is_type_checking = isinstance(node, ast.Name) and node.id == "TYPE_CHECKING"
        is_lookup = isinstance(node, ast.Attribute) and node.attr in ("get_model", "import_module")
        if is_type_checking or is_lookup:
            yield node.lineno


def test_every_import_stands_at_the_top_of_its_file() -> None:
    hidden = [
        f"{path}:{line}"
        for path, tree in _modules(*SERVICE, "plex_simulator")
        for line in _hidden_imports(tree)
    ]
    assert not hidden


def test_every_module_of_the_service_is_in_a_layer() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = re.findall(r"[\w.]+", " ".join(contract["contracts"][0]["layers"]))
    # What Django loads by itself, and the packages that hold the layers.
    no_layer = {*SERVICE, "medianest.settings", "plex_integration.apps", "plex_integration.models"}
    modules = {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path, _ in _modules(*SERVICE)
        if "/migrations/" not in path
    }
    homeless = {
        module
        for module in modules - no_layer
        if not any(f"{module}.".startswith(f"{layer}.") for layer in layers)
    }
    assert not homeless


def test_no_closure_holds_a_closure() -> None:
    closures = [
        (path, closure)
        for path, tree in _modules(*SERVICE, "plex_simulator")
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for closure in _functions_inside(function)
    ]
    nested = [
        f"{path}:{closure.lineno}" for path, closure in closures if _functions_inside(closure)
    ]
    assert not nested


def _functions_inside(function: ast.FunctionDef) -> list[ast.FunctionDef]:
    return [
        each
        for each in ast.walk(function)
        if isinstance(each, ast.FunctionDef) and each is not function
    ]


@pytest.mark.parametrize(
    ("words", "home"),
    [
        ("seconds_until_allowed(", "plex_integration/caching/breaker.py"),
        ("No Plex server is configured.", RUNTIME),
        ("Future()", "plex_integration/caching/single_flight.py"),
    ],
    ids=["the breaker guard", "no server is configured", "the single flight"],
)
def test_what_all_share_is_written_once(words: str, home: str) -> None:
    files = [
        str(path.relative_to(ROOT))
        for folder in ("accounts", "plex_integration")
        for path in (ROOT / folder).rglob("*.py")
        if words in path.read_text()
    ]
    assert files == [home]


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
    read = set(
        re.findall(
            r'env_(?:text|secret|flag|list|number|whole_number|redis_url|database)\(\s*"([A-Z_]+)"',
            source,
        )
    )
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
