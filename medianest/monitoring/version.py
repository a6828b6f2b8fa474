"""Which version of the service runs."""

from functools import cache
from pathlib import Path

from django.conf import settings

VERSION = str(settings.SPECTACULAR_SETTINGS["VERSION"])


@cache
def commit() -> str:
    """Return the beginning of the commit that is checked out; "" where there is no repository."""
    repository = Path(settings.BASE_DIR) / ".git"
    try:
        head = (repository / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head[:7]
        return _commit_of(repository, head.removeprefix("ref: "))[:7]
    except OSError:
        return ""


def _commit_of(repository: Path, name: str) -> str:
    """Return the commit that a branch names, in a file of its own or among the packed ones."""
    if (repository / name).exists():
        return (repository / name).read_text().strip()
    for line in (repository / "packed-refs").read_text().splitlines():
        found, _, named = line.partition(" ")
        if named == name:
            return found
    return ""
