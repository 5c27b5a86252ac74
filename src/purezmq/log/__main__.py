"""``python -m purezmq.log URL``: subscribe to what a `PUBHandler` publishes, and print it.

What comes from the network is never printed raw: control characters are shown as escapes.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from typing import TYPE_CHECKING

from purezmq.constants import SUB
from purezmq.error import ZMQError
from purezmq.sockets.context import Context

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Printer", "main", "make_parser"]

_RESET = "\x1b[0m"
#: Colours of a terminal by the level in the topic.
_COLORS = {
    "DEBUG": "\x1b[36m",
    "INFO": "\x1b[32m",
    "WARNING": "\x1b[33m",
    "ERROR": "\x1b[31m",
    "CRITICAL": "\x1b[1;31m",
}


class Printer:
    """Writes messages as lines.

    Args:
        separator: between topic and text.
        date_format: of the time in front, as for ``strftime``; None: no time.
        align: whether texts begin in the same column as the one of the longest topic until then.
        color: whether a line has the colour of its level.
    """

    def __init__(
        self, separator: str = " | ", date_format: str | None = None, *, align: bool = False, color: bool = False
    ) -> None:
        self._separator = separator
        self._date_format = date_format
        self._align = align
        self._color = color
        self._width = 0

    def format(self, parts: Sequence[bytes], now: datetime) -> str:
        """Return the line for a message.

        Args:
            parts: the topic and the text; more or fewer parts are shown as they come.
            now: the time in front of it.
        """
        topic, *rest = (_printable(part) for part in parts)
        text = self._separator.join(rest)
        if self._align:
            self._width = max(self._width, len(topic))
        line = f"{topic:<{self._width}}{self._separator}{text}" if rest else topic
        if self._date_format is not None:
            line = f"{now.strftime(self._date_format)} {line}"
        color = next((_COLORS[word] for word in topic.split(".") if word in _COLORS), "") if self._color else ""
        return f"{color}{line}{_RESET}" if color else line


def _printable(part: bytes) -> str:
    """Return text without the power to control a terminal; lines and tabulators stay."""
    text = part.decode("utf8", "backslashreplace").strip()
    return "".join(
        one if one.isprintable() or one in "\n\t" else one.encode("unicode_escape").decode("ascii") for one in text
    )


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, pyzmq's."""
    parser = argparse.ArgumentParser(prog="purezmq.log", description="Show what a PUBHandler publishes.")
    parser.add_argument("zmq_pub_url", help="endpoint of the publisher, such as tcp://localhost:5555")
    parser.add_argument("-t", "--topic", default="", help="only topics that begin with this")
    parser.add_argument("--timestamp", action="store_true", help="the local time in front of each line")
    parser.add_argument("--separator", default=" | ", help="between topic and text (default: %(default)r)")
    parser.add_argument("--dateformat", default="%Y-%m-%d %H:%M", help="format of the time, as for strftime")
    parser.add_argument("--align", action="store_true", help="texts begin in one column")
    parser.add_argument("--color", action="store_true", help="colours by level")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Subscribe and print until Ctrl-C.

    Args:
        argv: the words after the program's name; None: those of this process.

    Returns:
        The exit status: 0, or 1 when the endpoint can't be used.
    """
    options = make_parser().parse_args(argv)
    date_format = options.dateformat if options.timestamp else None
    printer = Printer(options.separator, date_format, align=options.align, color=options.color)
    with Context() as context, context.socket(SUB) as socket:
        socket.subscribe(options.topic)
        try:
            socket.connect(options.zmq_pub_url)
            while True:
                sys.stdout.write(printer.format(socket.recv_multipart(), datetime.now().astimezone()) + "\n")
                sys.stdout.flush()
        except ZMQError as error:
            sys.stderr.write(f"{options.zmq_pub_url}: {error}\n")
            return 1
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    raise SystemExit(main())
