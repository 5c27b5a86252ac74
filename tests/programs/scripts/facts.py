"""How a program here tells the test what it found: one line ``fact NAME JSON`` on stdout."""

from __future__ import annotations

import faulthandler
import json
import signal
import sys
from typing import Any

__all__ = ["library_name", "tell"]

# A program that hangs is asked for its stacks before it is given up.
faulthandler.register(signal.SIGUSR1, all_threads=True, chain=True)


def library_name() -> str:
    """Return what `zmq` is in this process: "purezmq", or "zmq" for the real pyzmq."""
    return "purezmq" if sys.modules["zmq"] is sys.modules.get("purezmq") else "zmq"


def tell(name: str, value: Any) -> None:
    """Write one finding."""
    print(f"fact {name} {json.dumps(value)}", flush=True)
