"""Run the simulator from the command line: python -m plex_simulator --port 32400"""

import argparse
import signal
import sys
import threading
from dataclasses import fields

from plex_simulator import control
from plex_simulator.default_accounts import add_accounts
from plex_simulator.default_servers import add_servers
from plex_simulator.faults import KINDS
from plex_simulator.models import Account
from plex_simulator.simulator import Simulator
from plex_simulator.sizes import Sizes


def describe(account: Account) -> str:
    """Return the name of an account, and how it belongs to the owner's Plex Home."""
    if account.restricted:
        return f"{account.name} (managed profile, {account.restriction_profile})"
    if account.pin is not None:
        return f"{account.name} (home profile, PIN {account.pin})"
    return account.name


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m plex_simulator",
        description="Run a simulated Plex Media Server with generated media. Stop it with Ctrl-C.",
        epilog=f"{control.__doc__}\nKinds of faults: {', '.join(KINDS)}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=32400, help="port; 0 chooses a free one")
    parser.add_argument("--seed", type=int, default=7, help="seed of the generated media")
    parser.add_argument("--now", type=int, help="start time in epoch seconds; default: now")
    parser.add_argument("--owner-token", help="token of the owner")
    parser.add_argument("--viewer-token", help="token of a user with access to fewer libraries")
    parser.add_argument(
        "--edge-cases",
        action="store_true",
        help="include titles and summaries with markup, other scripts and line breaks",
    )
    parser.add_argument(
        "--accounts",
        action="store_true",
        help="add two friends, a Plex Home with a child's and a protected profile, and a second "
        "server of the owner, which is off",
    )
    for size in fields(Sizes):
        name = size.name.replace("_", "-")
        parser.add_argument(f"--{name}", type=int, help=f"default: {size.default}")
    options = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    with_accounts = options.pop("accounts")
    try:
        simulator = Simulator(**options)
    except OSError as error:
        address = f"{options['host']}:{options['port']}"
        print(f"Cannot listen on {address}: {error.strerror or error}", file=sys.stderr)  # noqa: T201
        return 1
    except ValueError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    lines = {
        "Plex simulator": simulator.url,
        "Owner token": simulator.owner_token,
        "Viewer token": simulator.viewer_token,
        "Control": f"{simulator.url}/simulator/",
    }
    if with_accounts:
        add_accounts(simulator)
        add_servers(simulator)
        lines["Accounts"] = ", ".join(map(describe, simulator.accounts.all))
    for name, value in lines.items():
        print(f"{name + ':':15} {value}", flush=True)  # noqa: T201
    with simulator:
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
