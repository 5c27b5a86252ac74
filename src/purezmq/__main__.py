"""`python -m purezmq`: the same as the command `purezmq`."""

from __future__ import annotations

import sys

from purezmq.cli.main import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
