"""Runs the scenes over the transports, one after the other, and says what came of it."""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
import tempfile
from threading import Timer
from time import monotonic
from typing import TYPE_CHECKING

import purezmq as zmq
from purezmq.cli.demo import broker, pipeline, publish_subscribe, request_reply, signalling
from purezmq.cli.demo.progress import ProgressLine
from purezmq.cli.demo.result import Result, format_table
from purezmq.cli.demo.stage import Stage, StageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

__all__ = ["run"]

TRANSPORTS = ("tcp", "ipc", "inproc")
#: Each scene's module -> the transports that it is played over.
_SCENES: dict[ModuleType, tuple[str, ...]] = {
    request_reply: TRANSPORTS,
    publish_subscribe: TRANSPORTS,
    pipeline: TRANSPORTS,
    broker: TRANSPORTS,
    signalling: ("inproc",),
}
_DEFAULT_SECONDS = 0.8
#: Beyond what all timeouts together allow: the stacks are printed and the program ends.
_LAST_RESORT_S = 300


def _parse_seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 60:
        raise argparse.ArgumentTypeError("between 0 and 60, please")
    return seconds


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="purezmq demo",
        description="Start real processes on this machine, send messages through every classic pattern over tcp, ipc "
        "and inproc, and check each one. The exit status is 0 only when none was lost and none was wrong.",
    )
    parser.add_argument(
        "--seconds",
        type=_parse_seconds,
        default=_DEFAULT_SECONDS,
        help="how long messages flow in each run (default: %(default)s)",
    )
    parser.add_argument(
        "--transport", choices=TRANSPORTS, action="append", help="only this transport; may be given more than once"
    )
    return parser


def _give_up() -> None:
    faulthandler.dump_traceback(file=sys.__stderr__ or 2)
    os._exit(1)


def _run_scene(scene: ModuleType, transport: str, folder: str, seconds: float, progress: ProgressLine) -> Result:
    progress.start(f"{scene.NAME} over {transport}")
    try:
        with Stage(transport, folder, seconds, progress.tick) as stage:
            result: Result = scene.play(stage)
    except (StageError, zmq.ZMQError, OSError, ValueError) as error:
        return Result(scene.NAME, transport, failure=f"{type(error).__name__}: {error}")
    return result


def _format_summary(results: Sequence[Result], seconds: float) -> str:
    failed = sum(not result.is_right for result in results)
    messages = sum(result.messages for result in results)
    if failed:
        return f"{failed} of {len(results)} runs FAILED ({seconds:.1f} s)"
    return f"{len(results)} runs, {messages:,} messages, every one checked: none lost, none wrong ({seconds:.1f} s)"


def run(argv: Sequence[str]) -> int:
    """Run the demo and print its table.

    Args:
        argv: The words after `purezmq demo`.

    Returns:
        0 when every message arrived as it was sent, else 1.

    Raises:
        SystemExit: After `--help` (status 0) and for wrong options (status 2).
    """
    options = _make_parser().parse_args(argv)
    chosen = [name for name in options.transport or TRANSPORTS if name != "ipc" or zmq.has("ipc")]
    runs = [(scene, name) for scene, names in _SCENES.items() for name in names if name in chosen]
    progress = ProgressLine(sys.stdout, len(runs), options.seconds)
    started = monotonic()
    watchdog = Timer(_LAST_RESORT_S, _give_up)
    watchdog.daemon = True
    watchdog.start()
    try:
        with tempfile.TemporaryDirectory(prefix="purezmq-") as folder:
            results = [_run_scene(scene, name, folder, options.seconds, progress) for scene, name in runs]
    finally:
        watchdog.cancel()
        progress.clear()
    print(format_table(results))
    print()
    print(_format_summary(results, monotonic() - started))
    return 0 if all(result.is_right for result in results) else 1
