"""A signal handler that raises at a chosen moment, of all those at which Python runs handlers."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Interrupted", "interrupted_at"]


class Interrupted(BaseException):
    """What the handler raises, as Ctrl-C raises KeyboardInterrupt."""


@contextmanager
def interrupted_at(moment: int, error: BaseException | type[BaseException] = Interrupted) -> Iterator[list[str]]:
    """Raise `Interrupted`, or another error, at one moment of the body, in this thread; it ends with the body.

    Handlers run at the first instruction of a function and behind a call of C. (They also run at jumps back, which are
    not tried; there is one of the others in nearly every loop.) The garbage collector waits: what a handler raises in a
    callback of it, and Hypothesis has one, gets nowhere.

    Args:
        moment: the number of the moment, from 0.
        error: what to raise.

    Yields:
        A list that has the moment's place in it once that was reached.
    """
    reached: list[str] = []
    left = moment

    def count(frame: Any, event: str, what: Any) -> None:
        nonlocal left
        # The first is the end of what called sys.setprofile; the last what calls it again.
        if event not in {"call", "c_return"} or what is sys.setprofile or "contextlib" in frame.f_code.co_filename:
            return
        if frame.f_code.co_filename == __file__:
            return
        left -= 1
        if left < 0 and not reached:
            reached.append(f"{event} of {what or ''} in {frame.f_code.co_qualname}:{frame.f_lineno}")
            raise error

    before, collects = sys.getprofile(), gc.isenabled()
    gc.disable()
    sys.setprofile(count)
    try:
        yield reached
    except BaseException as raised:
        if not reached or not isinstance(raised, error if isinstance(error, type) else type(error)):
            raise
    finally:
        sys.setprofile(before)
        if collects:
            gc.enable()
