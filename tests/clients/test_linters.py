"""openapi.yaml follows the recommended rules of Redocly and Spectral, warnings too."""

from pathlib import Path

import pytest

from tests.clients.conftest import HERE, Run
from tests.docs.pages import ROOT

DOCUMENT = ROOT / "openapi.yaml"
# Neither tool may call home.
OFFLINE = ("env", "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
REDOCLY = (*OFFLINE, "redocly", "lint", "--config", str(HERE / "redocly.yaml"))
SPECTRAL = (
    *("spectral", "lint", "--ruleset", str(HERE / "spectral.yaml")),
    *("--fail-severity", "warn"),
)


def test_redocly_finds_nothing(run: Run, tmp_path: Path) -> None:
    run(*REDOCLY, "--max-problems", "1000", str(DOCUMENT), folder=tmp_path)
    report = run(*REDOCLY, "--format", "summary", str(DOCUMENT), folder=tmp_path)
    assert "warning" not in report.lower()


def test_spectral_finds_nothing(run: Run, tmp_path: Path) -> None:
    assert "No results" in run(*SPECTRAL, str(DOCUMENT), folder=tmp_path)


@pytest.mark.parametrize("linter", [REDOCLY, SPECTRAL], ids=["redocly", "spectral"])
def test_a_broken_document_is_found(run: Run, tmp_path: Path, linter: tuple[str, ...]) -> None:
    broken = tmp_path / "openapi.yaml"
    broken.write_text(
        DOCUMENT.read_text().replace("operationId: signIn\n", "operationId: getItem\n")
    )
    with pytest.raises(AssertionError, match=r"getItem|unique"):
        run(*linter, str(broken), folder=tmp_path)
