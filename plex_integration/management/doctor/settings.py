"""What can be seen from the settings and the files beside them."""

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings
from django.core.checks import ERROR, WARNING, run_checks

from plex_integration.admin.service import suspicious
from plex_integration.admin.service.lines import Line, State


def lines() -> Iterator[Line]:
    """Return the lines about secrets, addresses, workers, files and Django's own checks."""
    yield _line("Secrets", State.PROBLEM, [*suspicious.secrets(), *_readable_files()])
    yield _addresses()
    yield _line("Number of workers", State.PROBLEM, list(suspicious.workers_without_redis()))
    yield _line("Static files", State.ATTENTION, list(_static_files()))
    yield _system_checks()


def _addresses() -> Line:
    state = State.PROBLEM if suspicious.endless_redirects() else State.ATTENTION
    return _line("Addresses", state, [*suspicious.hosts(), *suspicious.https()])


def _line(name: str, state: State, wrong: Sequence[str]) -> Line:
    return Line(name, state, wrong) if wrong else Line(name, State.OK, ["Nothing looks wrong."])


def _readable_files() -> Iterator[str]:
    """Say whether others on this machine can read the file that holds the secrets."""
    for folder in dict.fromkeys((Path(settings.BASE_DIR), Path.cwd())):
        file = folder / ".env"
        if file.is_file() and file.stat().st_mode & stat.S_IROTH:
            yield f"Everybody on this machine can read {file}. Run: chmod o-rwx {file}"


def _static_files() -> Iterator[str]:
    if not Path(settings.STATIC_ROOT).is_dir():
        yield (
            "They are not collected, so each worker looks for them in the packages. "
            "Run manage.py collectstatic."
        )


def _system_checks() -> Line:
    found = [each for each in run_checks() if each.level >= WARNING]
    is_error = any(each.level >= ERROR for each in found)
    sentences = [" ".join(f"{each.msg} {each.hint or ''}".split()) for each in found]
    return _line("System checks", State.PROBLEM if is_error else State.ATTENTION, sentences)
