"""The command `purezmq`: finds the subcommand and hands the rest of the line to it.

Each subcommand is a package beside this file with `run(argv) -> int`, imported only when it is asked for;
what a subcommand does and which options it has must not live here.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING

from purezmq._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "main"]

#: Subcommand -> what it does, as `purezmq --help` says it.
COMMANDS = {
    "run": "run an unmodified program, whose `import zmq` gets purezmq",
    "demo": "start real processes, send through every classic pattern, check every message",
    "keygen": "make a pair of CURVE keys as two certificates (extra: curve)",
    "bench": "measure side by side with pyzmq and pyomq (extra: bench)",
}

#: What a shell expects of a program that was ended by Ctrl-C.
_EXIT_INTERRUPTED = 130


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the words before a subcommand, which also writes `--help`."""
    commands = "\n".join(f"  {name:<8} {text}" for name, text in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="purezmq",
        description="0MQ in pure Python.",
        epilog=f"commands:\n{commands}\n\n`purezmq COMMAND --help` lists the options of a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"purezmq {__version__}")
    parser.add_argument("command", choices=list(COMMANDS), metavar="COMMAND", help="one of the commands below")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The words after the program's name; None means those of this process.

    Returns:
        The exit status: 0 when everything was well, 1 when the command found a fault, 130 after Ctrl-C.

    Raises:
        SystemExit: After `--help` or `--version` (status 0), and for a wrong line (status 2).
    """
    words = list(sys.argv[1:] if argv is None else argv)
    # Only the first word is parsed here: what follows a command belongs to it, `--help` and `--version` included.
    command: str = make_parser().parse_args(words[:1]).command
    try:
        status: int = importlib.import_module(f"purezmq.cli.{command}").run(words[1:])
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    return status


if __name__ == "__main__":
    sys.exit(main())
