"""Processes of tests that run at the same time start their servers at different ports."""

import json
import subprocess
import sys

from tests.service import PORTS, ROOT, free_port

ALL_PORTS = f"""
import json
from tests import service
print(json.dumps([service.free_port() for _ in range({PORTS})]))
"""


def test_two_runs_at_the_same_time_use_different_ports() -> None:
    ours = {free_port() for _ in range(PORTS)}
    done = subprocess.run(
        [sys.executable, "-c", ALL_PORTS], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    theirs = set(json.loads(done.stdout))
    assert len(theirs) > PORTS / 2
    assert ours.isdisjoint(theirs)
