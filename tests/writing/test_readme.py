"""README's lines, pasted into a shell."""

import json
import re
import subprocess
from pathlib import Path

from accounts.models import User
from plex_simulator import Simulator
from tests.writing.conftest import Writer, sent

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_readmes_collection_is_made_filled_reordered_and_removed(
    writer: Writer, plex: Simulator
) -> None:
    User.objects.create_superuser("admin", password="medianest-admin")
    section = README.partition("## Writing\n")[2]
    lines, shown = re.findall(r"^```\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)[:2]
    block = lines.replace("http://127.0.0.1:8000", writer.root).replace(
        "curl -s", "curl -s --noproxy '*'"
    )
    ran = subprocess.run(
        ["bash", "-euc", block], capture_output=True, text=True, timeout=60, check=True
    )
    filled, reordered, removed = (json.loads(line) for line in ran.stdout.splitlines())
    for answer in (filled, reordered, removed):
        assert answer["success"] is True
    said = json.loads(re.sub(r",? ?…|\{…\}", lambda m: "{}" if "{" in m[0] else "", shown))
    for name, value in said["data"]["collection"].items():
        assert filled["data"]["collection"][name] == value, name
    assert filled["data"]["items"] == said["data"]["items"]
    assert set(filled["data"]) == set(said["data"])
    assert reordered["data"]["collection"]["sortOrder"] == "custom"
    assert removed["data"]["deleted"]["title"] == "A Long Sunday"
    assert [line.split()[0] for line in sent(plex)] == ["POST", "PUT", "PUT", "PUT", "DELETE"]
