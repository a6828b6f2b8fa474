"""Processes that send requests: `load` as fast as they are answered, `open_loop` at their time."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks.calls import ROOT


class Clients:
    """One process for each job; each has connected and waits."""

    def __init__(self, program: str, jobs: Sequence[Mapping[str, Any]]) -> None:
        self._processes = [_start(program, job) for job in jobs]
        for process in self._processes:
            _read(process)

    def run(self) -> list[Any]:
        """Let all of them send at once; return what each of them measured."""
        for process in self._processes:
            _write(process, "go")
        return [json.loads(_read(process)) for process in self._processes]

    def close(self) -> None:
        """Let them close their connections, and end."""
        for process in self._processes:
            process.communicate()


def _start(program: str, job: Mapping[str, Any]) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.benchmarks.{program}"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    _write(process, json.dumps(job))
    return process


def _write(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def _read(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        sys.exit("requests failed")  # the process has said why
    return line
