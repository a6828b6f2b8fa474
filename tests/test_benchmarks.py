"""The stock recipe that the service is compared with does no more than its tutorials say."""

import json
import subprocess
import sys
from pathlib import Path

from tests.service import ROOT, House, Valkey

REQUESTS = 3

SCRIPT = f"""
import sys
import django
django.setup()
from django.test import Client
from django.urls import get_resolver
client = Client(headers={{"Authorization": "Bearer " + sys.argv[1]}})
before = list(get_resolver().url_patterns)
for _ in range({REQUESTS}):
    response = client.get("/api/v1/plex/libraries/1/items", headers={{"Host": "127.0.0.1"}})
    assert response.status_code == 200, response.content
    print(response.content.decode())
assert list(get_resolver().url_patterns) == before, "the URLs were built again"
"""


def test_the_stock_recipe_reads_its_page_once_a_request_and_stores_it_once(
    house: House, valkey: Valkey, tmp_path: Path
) -> None:
    page = {"items": [{"title": "A film"}]}
    (tmp_path / "items").write_text(json.dumps(page))
    environment = house.environment | {
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.stock",
        "REDIS_URL": valkey.url,
        "ANSWERS": str(tmp_path),
    }
    valkey.client.config_resetstat()
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, house.people[0].access],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert [json.loads(line) for line in ran.stdout.splitlines()] == [page] * REQUESTS
    calls = {name: each["calls"] for name, each in valkey.client.info("commandstats").items()}
    # The throttle reads and stores the times of the user's requests with each of them.
    assert calls["cmdstat_get"] == 2 * REQUESTS
    assert calls["cmdstat_set"] == REQUESTS + 1
