"""`python -m tests.benchmarks NAME`: run one benchmark."""

import sys

from tests.benchmarks import calls, faults, hit, streams

BENCHMARKS = {
    "calls": calls.main,
    "faults": faults.main,
    "hit": hit.main,
    "streams": streams.main,
}

if __name__ == "__main__":
    name, *arguments = sys.argv[1:] or [""]
    if name not in BENCHMARKS:
        sys.exit(f"usage: python -m tests.benchmarks {'|'.join(BENCHMARKS)}")
    BENCHMARKS[name](*arguments)
