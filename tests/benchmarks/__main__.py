"""`python -m tests.benchmarks NAME`: run one benchmark."""

import sys

from tests import environment as environment  # before Django reads its settings
from tests.benchmarks import calls, cluster, crowd, faults, growth, hit, miss, run_all, streams

BENCHMARKS = {
    "all": run_all.main,
    "calls": calls.main,
    "cluster": cluster.main,
    "crowd": crowd.main,
    "faults": faults.main,
    "growth": growth.main,
    "hit": hit.main,
    "miss": miss.main,
    "streams": streams.main,
}

if __name__ == "__main__":
    name, *arguments = sys.argv[1:] or [""]
    if name not in BENCHMARKS:
        sys.exit(f"usage: python -m tests.benchmarks {'|'.join(BENCHMARKS)}")
    BENCHMARKS[name](*arguments)
