"""Closes the files of swaps, on a thread of its own that lives while there are any.

To free 64 MB takes the system some 5 ms, in which the disk thread could have read 30 MB. The files have no name, so who
closes them also deletes them.
"""

from __future__ import annotations

from collections import deque

from purezmq.native import allocate_lock, start_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO

__all__ = ["SwapCloser", "close_file"]


class SwapCloser:
    """A queue of files to close.

    Args:
        handle_space: called when a file is gone, on the thread that closed it.
    """

    __slots__ = ("_handle_space", "_lock", "_queue", "_running")

    def __init__(self, handle_space: Callable[[], None]) -> None:
        self._handle_space = handle_space
        self._lock = allocate_lock()
        self._queue: deque[FileIO] = deque()
        #: Held while there is a thread.
        self._running = allocate_lock()

    def close(self, file: FileIO) -> None:
        """Close a file soon (from any thread); at once if no thread can be started."""
        with self._lock:
            self._queue.append(file)
            if not self._running.acquire(False):
                return
        try:
            start_thread(self._run, "purezmq-swap-close")
        except RuntimeError:
            self._run()

    def wait(self, timeout: float) -> bool:
        """Wait until all files are closed.

        Args:
            timeout: for how long (seconds).

        Returns:
            Whether they are.
        """
        if not self._running.acquire(True, timeout):
            return False
        self._running.release()
        return True

    def abandon(self) -> None:
        """Close the descriptors in a forked child, where the thread doesn't exist."""
        self._lock, self._running = allocate_lock(), allocate_lock()
        while self._queue:
            close_file(self._queue.popleft())

    def _run(self) -> None:
        while (file := self._first_file()) is not None:
            close_file(file)
            with self._lock:
                self._queue.popleft()  # not before: a forked child has to close it, too
            self._handle_space()

    def _first_file(self) -> FileIO | None:
        """The file to close; None when the thread shall end."""
        with self._lock:
            if self._queue:
                return self._queue[0]
            self._running.release()
            return None


def close_file(file: FileIO) -> None:
    """Close a file whatever the system says: nobody will read it, and the descriptor is free all the same."""
    try:
        file.close()
    except OSError:
        pass
