"""What a hit costs with Redis Cluster, beside one Redis: processor time, and requests to Redis.

Both services answer in turn, each in a process of its own, so that a busy machine is busy for both.
The cluster has three masters. Whether a response and the versions of its tags are on the same one
differs between runs, because its key depends on the address of the simulated Plex.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

from tests.benchmarks.calls import ROOT
from tests.benchmarks.ratios import exchanged
from tests.benchmarks.setup import set_up
from tests.service import Valkey
from tests.topologies import Cluster

USERS, HITS, ROUNDS = 400, 1200, 15
"""So many users that none sends more than 60 in all, which the limit allows in a minute."""
MICROSECONDS = 1_000_000


@dataclass
class Contestant:
    """A service, and its Redis servers; what each round of its hits cost."""

    process: "subprocess.Popen[str]"
    servers: Sequence[Valkey]
    service: list[float] = field(default_factory=list)
    redis: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Answer a round of hits."""
        before = self._of_redis()
        seconds = float(exchanged(self.process, str(HITS)))
        after = self._of_redis()
        self.service.append(seconds / HITS * MICROSECONDS)
        self.redis.append((after[0] - before[0]) / HITS * MICROSECONDS)
        self.requests.append((after[1] - before[1] - len(self.servers)) / HITS)

    def _of_redis(self) -> tuple[float, int]:
        """Return the processor seconds of all servers, and how often they have read a request."""
        found = [server.client.info("everything") for server in self.servers]
        seconds = sum(each["used_cpu_user"] + each["used_cpu_sys"] for each in found)
        return seconds, sum(each["total_reads_processed"] for each in found)


def main() -> None:
    """Measure and print."""
    with ExitStack() as stack:
        setup = stack.enter_context(set_up())
        cluster = stack.enter_context(closing(Cluster(setup.folder)))
        tokens = setup.issue_tokens(USERS)
        contestants = {
            name: Contestant(
                _started(stack, {**setup.environment, "REDIS_URL": url}, tokens), servers
            )
            for name, url, servers in (
                ("one Redis", setup.valkey.url, [setup.valkey]),
                ("cluster", cluster.url, cluster.masters),
            )
        }
        for each in contestants.values():
            exchanged(each.process, str(USERS))  # every user is known then
        for _ in range(ROUNDS):
            for each in contestants.values():
                each.run()
        _print(contestants)


def _started(
    stack: ExitStack, environment: Mapping[str, str], tokens: Sequence[str]
) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.in_process"],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    stack.callback(process.communicate)
    exchanged(process, json.dumps({"kind": "hit", "tokens": tokens}))
    return process


def _print(contestants: Mapping[str, Contestant]) -> None:
    print(f"\nA hit; medians of {ROUNDS} rounds of {HITS} hits, side by side")
    one, cluster = contestants.values()
    for what, before, after in (
        ("service, processor time, µs", one.service, cluster.service),
        ("Redis, processor time, µs", one.redis, cluster.redis),
        ("requests to Redis", one.requests, cluster.requests),
    ):
        ratio = statistics.median(b / a for a, b in zip(before, after, strict=True))
        medians = statistics.median(before), statistics.median(after)
        print(f"{what:32}{medians[0]:9.2f}{medians[1]:9.2f}   ratio {ratio:.2f}")
