"""The fence: an unexpected exception ends what it happened in, is counted and logged, and nothing else happens."""

from __future__ import annotations

__all__ = ["report"]

#: After this many log records the fence only counts.
MAX_RECORDS = 100

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
    except Exception:  # noqa: BLE001 - no memory for the record either, or a handler of the application
        return
