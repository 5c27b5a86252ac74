"""`python -m purezmq.cli.bench`: the benchmark without the command-line front."""

from __future__ import annotations

import sys

from purezmq.cli.bench import run

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
