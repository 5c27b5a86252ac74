"""What can go wrong with a swap, in words, and how its owner is told."""

from __future__ import annotations

from errno import EDQUOT, EFBIG, ENOSPC

from purezmq.engine.fence import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CORRUPT", "FAILED", "FULL", "reason_of", "tell"]

#: The disk (or the quota, or what a process may write) is full,
FULL = "full"
#: the system refuses to write for another reason,
FAILED = "failed"
#: a block can't be read any more.
CORRUPT = "corrupt"

_FULL_ERRNOS = frozenset((ENOSPC, EDQUOT, EFBIG))


def reason_of(error: Exception) -> str:
    """Why a write failed."""
    return FULL if isinstance(error, OSError) and error.errno in _FULL_ERRNOS else FAILED


def tell(callback: Callable[..., None], *arguments: object) -> None:
    """The fence: the owner of one swap must not end the thread of all."""
    try:
        callback(*arguments)
    except Exception as error:  # noqa: BLE001 - see above
        report("the owner of a swap", error)
