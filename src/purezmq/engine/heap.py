"""The C allocator: it shall not give large buffers back to the system after each message, but sometimes it shall.

glibc maps blocks of 128 KiB and more afresh, and trims the top of its heap as soon as twice that is free; a stream of
large messages then pays a page fault for every 4 KiB it receives (measured: 3x the time per 1 MB message). Both
thresholds grow to the size of the largest mapped block that was ever freed, so one untouched block of 31 MiB, made
and freed once, is all it takes. Elsewhere it is a harmless microsecond.
"""

from __future__ import annotations

__all__ = ["give_back_memory", "keep_large_buffers"]

#: Just below glibc's largest dynamic threshold (DEFAULT_MMAP_THRESHOLD_MAX, 32 MiB on 64-bit systems).
_BLOCK = 31 << 20
#: glibc's usual threshold, and the number of that parameter (malloc.h).
_SMALL_BLOCK = 128 * 1024
_M_TRIM_THRESHOLD = -1

_done = False


def keep_large_buffers() -> None:
    """Do so once per process; called with the first I/O threads."""
    global _done  # noqa: PLW0603 - once per process
    if not _done:
        _done = True
        try:
            bytes(_BLOCK)  # calloc: mapped, never touched, freed at once
        except MemoryError:  # the process may not have as much
            return


def give_back_memory() -> None:
    """Let the system have what was freed, after very much was; to be called by the thread that freed it.

    The top of a thread's heap is trimmed by a `free` alone, and only beyond the threshold that `keep_large_buffers` has
    raised: it is lowered meanwhile.
    """
    try:
        import ctypes  # hardly anybody needs it, and there are Pythons without it

        library = ctypes.CDLL(None)
        library.mallopt(_M_TRIM_THRESHOLD, _SMALL_BLOCK)
        library.malloc_trim(0)
        bytes(_SMALL_BLOCK)  # freed at once
        library.mallopt(_M_TRIM_THRESHOLD, 2 * _BLOCK)
    except (ImportError, OSError, AttributeError, TypeError, MemoryError):  # another C library, or none to be had
        return
