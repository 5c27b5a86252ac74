"""The program of an actor that is a process: `python -m purezmq.cli.demo.process MODULE ROLE CONTROL [WORD...]`."""

from __future__ import annotations

import faulthandler
import importlib
import sys

import purezmq as zmq
from purezmq.cli.demo.actor import play_role

__all__ = ["main"]

#: Nothing outlives this many seconds, whatever hangs.
_LAST_RESORT_S = 120


def main(module: str, role: str, control_endpoint: str, *words: str) -> int:
    """Play one role and return the exit status.

    Args:
        module: The scene's module.
        role: The name of a function in it that takes an `Actor` and `words`.
        control_endpoint: Where the stage listens.
        words: The role's own arguments.
    """
    faulthandler.dump_traceback_later(_LAST_RESORT_S, exit=True)
    with zmq.Context() as context:
        went_well = play_role(getattr(importlib.import_module(module), role), context, control_endpoint, *words)
    return 0 if went_well else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
