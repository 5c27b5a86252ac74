"""fork: the child gets closed shells, the parent is not disturbed. And the end of the process.

The child shares every descriptor with its parent, epoll instances included, and has none of its threads. So it only
closes its copies (no epoll_ctl, no shutdown, no unlink) and marks everything closed; it makes a context of its own.

At exit the queues of every live context get a stated time to leave; what could not is said in one log line.
"""

from __future__ import annotations

import atexit
import os
import sys
from time import monotonic
from weakref import WeakSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["EXIT_LINGER_S", "forget", "register"]

#: At the end of the process queued messages get this long to leave (seconds).
EXIT_LINGER_S = 1.0

_contexts: WeakSet[Any] = WeakSet()
_installed = False


def register(context: Any) -> None:
    """Take care of a context at fork and at exit."""
    global _installed  # noqa: PLW0603 - hooks are installed once, with the first context, not on import
    _contexts.add(context)
    if not _installed:
        _installed = True
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_handle_fork)
        atexit.register(_handle_exit)


def forget(context: Any) -> None:
    """The context has ended."""
    _contexts.discard(context)


def _handle_fork() -> None:
    for context in list(_contexts):
        context._abandon()
    _contexts.clear()


def _handle_exit() -> None:
    deadline = monotonic() + EXIT_LINGER_S
    left: list[str] = []
    for context in list(_contexts):
        left += context._end_process(deadline)
    if left:
        _tell("not delivered at exit: " + "; ".join(left))


def _tell(text: str) -> None:
    """Log a warning; a program without logging gets the line that logging would write to stderr.

    logging isn't imported for it: at this time an import may run text as code (namedtuple does), and then Python
    forgets that an unhandled Ctrl-C ended the program and exits with status 1 instead of by the signal.
    """
    logging = sys.modules.get("logging")
    if logging is not None:
        logging.getLogger("purezmq").warning("%s", text)
    elif sys.stderr is not None:
        try:
            sys.stderr.write(text + "\n")
        except (OSError, ValueError):
            return  # stderr is closed: nobody is there to tell
