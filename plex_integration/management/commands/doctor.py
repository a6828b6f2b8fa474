"""Say what is wrong with the service and its surroundings, and what to do about it."""

import json
import logging
import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from plex_integration.admin.service.lines import Line, State
from plex_integration.management.doctor.examination import examine


class Command(BaseCommand):
    """Print a line for each check; exit with 1 if something is wrong."""

    help = (
        "Check the settings, the database, Redis, Plex and the files, and say what to do. "
        "Exits with 1 if something is wrong; what only deserves attention exits with 0."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        # What the checks meet is in their lines; the log would repeat it between them.
        logging.disable(logging.CRITICAL)
        try:
            lines = self._json() if options["json"] else self._text()
        finally:
            logging.disable(logging.NOTSET)
        if any(line.state is State.PROBLEM for line in lines):
            sys.exit(1)

    def _text(self) -> Sequence[Line]:
        lines = []
        for line in examine():
            sentences = " ".join(line.sentences)
            self.stdout.write(f"{line.state.icon} {line.state.value:9} {line.name}: {sentences}")
            lines.append(line)
        return lines

    def _json(self) -> Sequence[Line]:
        lines = list(examine())
        checks = [
            {"check": each.name, "state": each.state.style, "text": " ".join(each.sentences)}
            for each in lines
        ]
        is_ok = all(line.state is not State.PROBLEM for line in lines)
        self.stdout.write(json.dumps({"ok": is_ok, "checks": checks}, ensure_ascii=False))
        return lines
