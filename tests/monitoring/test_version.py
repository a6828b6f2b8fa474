"""Which commit runs, where the service runs from its repository."""

from pathlib import Path
from typing import Any

import pytest

from medianest.monitoring.version import commit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def repository(settings: Any, tmp_path: Path) -> Any:
    commit.cache_clear()
    settings.BASE_DIR = tmp_path
    (tmp_path / ".git").mkdir()
    yield tmp_path / ".git"
    commit.cache_clear()


def test_a_commit_that_is_checked_out_itself_is_known(repository: Path) -> None:
    (repository / "HEAD").write_text(f"{COMMIT}\n")
    assert commit() == COMMIT[:7]


def test_the_commit_of_a_branch_is_known(repository: Path) -> None:
    (repository / "HEAD").write_text("ref: refs/heads/main\n")
    (repository / "refs" / "heads").mkdir(parents=True)
    (repository / "refs" / "heads" / "main").write_text(f"{COMMIT}\n")
    assert commit() == COMMIT[:7]


@pytest.mark.parametrize(("branch", "known"), [("main", COMMIT[:7]), ("other", "")])
def test_the_commit_of_a_packed_branch_is_known(repository: Path, branch: str, known: str) -> None:
    (repository / "HEAD").write_text(f"ref: refs/heads/{branch}\n")
    (repository / "packed-refs").write_text(f"# pack-refs\n{COMMIT} refs/heads/main\n")
    assert commit() == known


def test_without_a_repository_no_commit_is_known(repository: Path) -> None:
    assert commit() == ""
