"""`python -m tests.benchmarks hit`: run one benchmark by its name."""

import sys

from tests.benchmarks import hit

if __name__ == "__main__":
    if sys.argv[1:] != ["hit"]:
        sys.exit("usage: python -m tests.benchmarks hit")
    hit.main()
