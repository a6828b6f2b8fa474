import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from plex_simulator import Simulator
from plex_simulator.default_accounts import PIN, add_accounts

from .conftest import PlexClient

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "plex_simulator"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_url_and_stops_at_once_on_a_signal(stop: signal.Signals) -> None:
    command = [*COMMAND, "--port", "0", "--movies", "5", "--owner-token", "abc"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        assert process.stdout.readline().split()[-1] == "abc"
        with urlopen(f"{url}/identity", timeout=5) as response:
            assert response.status == 200
        process.send_signal(stop)
        assert process.wait(timeout=3) == 0


@pytest.mark.parametrize(("options", "has_markup"), [((), False), (("--edge-cases",), True)])
def test_titles_with_markup_are_an_option(options: tuple[str, ...], has_markup: bool) -> None:
    command = [*COMMAND, "--port", "0", "--movies", "20", "--owner-token", "abc", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        path = "/library/sections/1/all?type=1&X-Plex-Token=abc"
        with urlopen(f"{url}{path}", timeout=5) as response:
            assert (b"&lt;b&gt;Bold" in response.read()) == has_markup
        process.terminate()


def test_it_can_start_with_accounts_and_prints_their_names_without_tokens() -> None:
    command = [*COMMAND, "--port", "0", "--movies", "30", "--accounts"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url, *_, accounts = (process.stdout.readline().strip() for _ in range(5))
        process.terminate()
    assert accounts.startswith("Accounts:")
    names = "Margit, Oskar, Nadia, Rufus, Juno (managed profile, little_kid)"
    assert accounts.endswith(f" {names}, Vera (home profile, PIN 1234)")
    assert url.startswith("Plex simulator:")


def test_the_accounts_of_the_demo_see_different_libraries_and_movies() -> None:
    with Simulator(seed=7, movies=200) as simulator:
        accounts = {each.name: each for each in add_accounts(simulator)}
        client = PlexClient(simulator)
        seen = {
            name: len(client.get("/library/sections/1/all", token=account.server_token).keys)
            for name, account in accounts.items()
        }
        client.connection.close()
    assert 0 < seen["Juno"] < seen["Rufus"] < seen["Nadia"] < seen["Vera"] == 200
    kid, protected = accounts["Juno"], accounts["Vera"]
    assert (kid.restricted, protected.home, protected.pin) == (True, True, PIN)


def test_a_port_in_use_is_reported_without_a_traceback() -> None:
    with Simulator(movies=1) as simulator:
        command = [*COMMAND, "--port", str(simulator.port)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
        assert done.returncode == 1
        assert done.stderr.startswith(f"Cannot listen on 127.0.0.1:{simulator.port}:")
        assert "Traceback" not in done.stderr


def test_help_lists_control_requests_and_faults() -> None:
    done = subprocess.run(
        [*COMMAND, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0
    for word in ("--movies", "/simulator/faults", "gzip_bomb"):
        assert word in done.stdout
