"""What a benchmark ran on: the versions, the processors, and how busy they were."""

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import contestants
from tests.service import Valkey

PACKAGES = ("Django", "Granian", "uvicorn")


def describe(valkey: Valkey) -> dict[str, str]:
    """Return names and values, to be printed beside the numbers."""
    found = {"Python": platform.python_version()}
    found |= {package: version(package) for package in PACKAGES}
    if program := contestants.nginx_program():
        said = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
        found["nginx"] = re.findall(r"nginx/(\S+)", said)[0]
    found["Valkey"] = valkey.client.info("server")["valkey_version"]
    found["kernel"] = platform.release()
    found["processors"] = f"{len(os.sched_getaffinity(0))} × {_processor()}"
    found["load average at the start"] = f"{os.getloadavg()[0]:.1f}"
    return found


def show(described: Mapping[str, str]) -> None:
    """Print what a benchmark runs on."""
    print("\n".join(f"{name}: {value}" for name, value in described.items()), flush=True)


def _processor() -> str:
    models = re.findall(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return models[0] if models else platform.machine()
