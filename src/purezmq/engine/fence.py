"""The fence: an unexpected exception ends what it happened in, is counted and logged, and nothing else happens.

Not so what a signal handler raises, to end the call that it interrupts: that has to travel on, an `Exception` like any
other. By its class it's like a fault of ours (or, a TimeoutError, like an error of the system), which a peer may have
brought about and which must not end the application's calls. `is_interruption` tells them apart, and
`is_of_system` the system's errors from both.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

__all__ = ["is_interruption", "is_of_system", "report"]

#: After this many log records the fence only counts.
MAX_RECORDS = 100

#: ``inspect.CO_VARARGS``, without the import: the function has an argument ``*args``.
_CO_VARARGS = 4

_reported = 0


def report(what: str, error: BaseException) -> None:
    """Log an exception that must not travel any further; `what` names the connection or callback it ended."""
    global _reported  # noqa: PLW0603 - one counter for the process
    _reported += 1
    if _reported > MAX_RECORDS:
        return
    try:
        import logging

        logging.getLogger("purezmq").error("%s failed", what, exc_info=error)
    except Exception as problem:  # no memory for the record either, or a log handler of the application
        if is_interruption(problem):
            raise


def is_interruption(error: BaseException) -> bool:
    """Whether a signal handler raised it. On the I/O thread none does, but nothing there is asked to end, either.

    What is no `Exception` (KeyboardInterrupt) is taken for one. Of the others the traceback tells: Python calls a
    handler with the frame that it interrupts, and the two follow each other there. Nothing of ours is called like that.
    """
    if not isinstance(error, Exception):
        return True
    trace = error.__traceback__
    while trace is not None:
        called = trace.tb_next
        if called is not None and _is_handler(called.tb_frame, trace.tb_frame):
            return True
        trace = called
    return False


def _is_handler(frame: FrameType, interrupted: FrameType) -> bool:
    values, code = frame.f_locals, frame.f_code
    for value in values.values():
        if value is interrupted or (type(value) is tuple and any(one is interrupted for one in value)):
            return True
    names = code.co_varnames[: code.co_argcount + bool(code.co_flags & _CO_VARARGS)]
    if all(name in values for name in names):
        return False
    # It has deleted an argument, as some linters want it of those that aren't used.
    try:
        from signal import getsignal, valid_signals
    except ImportError:  # the interpreter ends
        return False
    return any(getattr(getsignal(number), "__code__", None) is code for number in valid_signals())


def is_of_system(error: BaseException | None) -> bool:
    """Whether the system said so, rather than a signal handler, which may well raise a TimeoutError."""
    return isinstance(error, OSError) and error.errno is not None and not is_interruption(error)
