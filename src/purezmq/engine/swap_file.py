"""Blocks of messages in files without a name: the disk below :class:`~purezmq.engine.swap.Swap`.

Rules of this room:

* Everything here runs on the disk thread, but for `SwapFile.abandon`. Locks, queues and limits may not live here.
* What a block looks like is `swap_layout`'s matter. Where it lies, its checksum and its layout are kept in memory
  (`Address`), so nothing that a file says about itself is trusted.
* A write that fails leaves nothing behind: the file is cut back to its last whole block, or gets no other one.
* Blocks are collected in segments. A segment is drained when its last block was read. Then it's written to anew, or
  closed as soon as nobody waits for a read: space is given back while a queue moves, without holes or compaction, and
  there are never more files than were full of blocks at a time.
* There is no fsync: a swap does not outlive its process. On file systems that report a full disk late (NFS), what
  they lost is found by the checksum.

The files have no name that a killed process could leave: `tempfile.TemporaryFile` makes them with ``O_TMPFILE`` on
Linux, unlinks them before it returns on other POSIX systems, and has Windows delete them on close, which the kernel
does for a dead process, too. So there are no stale files to look for. (A kill between the two system calls of the
second way leaves an empty file.)
"""

from __future__ import annotations

import os
from errno import EFBIG, ENOSPC

from purezmq.engine.swap_closer import close_file
from purezmq.engine.swap_layout import buffer_size, lay_out, restore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from io import FileIO

    from typing_extensions import Buffer

    from purezmq.engine.swap_layout import Layout
    from purezmq.message import Message

checksum: Callable[[Buffer, int], int]
add_up: Callable[[Buffer, int], int]
try:  # the extra `swap`: ten times the speed, which is what a fast disk is measured by
    from xxhash import xxh3_64
    from xxhash import xxh3_64_intdigest as checksum
except ImportError:
    from zlib import crc32 as checksum

    add_up = checksum
else:

    def add_up(piece: Buffer, total: int) -> int:
        """The same checksum of a large piece, `SUM_SIZE` bytes at a time."""
        state = xxh3_64(seed=total)
        with memoryview(piece) as whole, whole.cast("B") as view:
            for at in range(0, len(view), SUM_SIZE):
                state.update(view[at : at + SUM_SIZE])
        return state.intdigest()


__all__ = ["SEGMENT_SIZE", "Address", "CorruptBlockError", "Segment", "SwapFile"]

#: A segment gets no further block from this size on (bytes): space comes back soon, and creating a file costs nothing
#: against filling it.
SEGMENT_SIZE = 64 << 20
#: With every so many segments that exist at a time the next ones are twice as large: a queue of 1 TB needs some 500
#: descriptors instead of 16,000.
SEGMENTS_PER_DOUBLING = 64
#: Buffers given to one system call; POSIX systems take 1024 (IOV_MAX).
MAX_BUFFERS = 1000
#: Bytes of a large piece that are summed up at a time before a write: for more xxhash lets go of the interpreter's
#: lock, and gets it back when whoever makes the next messages has to wait for the disk, that is: too late.
SUM_SIZE = 64 << 10


class CorruptBlockError(Exception):
    """A block isn't what was written: its checksum differs, or the file is too short."""


class Address:
    """Where a block is, and how to get it back.

    Attributes:
        segment: the file it is in.
        offset: where in it (bytes).
        checksum: of all pieces, one after another: XXH3, or CRC-32 without the extra `swap`.
        layout: which pieces there are, and how the messages lie in them.
    """

    __slots__ = ("checksum", "layout", "offset", "segment")

    def __init__(self, segment: Segment, offset: int, checksum: int, layout: Layout) -> None:
        self.segment = segment
        self.offset = offset
        self.checksum = checksum
        self.layout = layout

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return sum(self.layout.reads)


class Segment:
    """One file: blocks one after another, and how many of them are still wanted."""

    __slots__ = ("end", "file", "live", "max_size")

    def __init__(self, file: FileIO, max_size: int) -> None:
        self.file = file
        self.max_size = max_size
        self.end = 0
        self.live = 0

    def append(self, chunks: list[Buffer], size: int) -> int:
        """Write a block of `size` bytes behind the others, whole or not at all; return its offset.

        Raises:
            OSError: the system refused.
        """
        offset = self.end
        try:
            _write_all(self.file, [chunk for chunk in chunks if buffer_size(chunk)], offset)
        except BaseException:
            self._cut()
            raise
        self.end = offset + size
        self.live += 1
        return offset

    def _cut(self) -> None:
        """Give back what a failed write took. If even that fails the next block overwrites it."""
        try:
            self.file.truncate(self.end)
        except OSError:
            pass


class SwapFile:
    """The blocks of one swap.

    Args:
        directory: where the files are made; created for the owner alone when it is missing. Empty: the system's
            directory for temporary files.
        close: closes a file that isn't wanted any more.
    """

    __slots__ = ("_close_file", "_directory", "_drained", "_segments")

    def __init__(self, directory: str, close: Callable[[FileIO], None] = close_file) -> None:
        self._directory = directory
        self._close_file = close
        #: In order of creation; only the last one is written to.
        self._segments: list[Segment] = []
        self._drained: list[Segment] = []

    @property
    def segments(self) -> int:
        """How many files there are."""
        return len(self._segments) + len(self._drained)

    def write(self, messages: Sequence[Message]) -> Address:
        """Write a block, whole or not at all.

        Args:
            messages: at least one.

        Raises:
            OSError: the system refused: the disk is full, the directory is not writable.
        """
        pieces, layout = lay_out(messages)
        total = 0
        for piece in pieces:
            total = checksum(piece, total) if buffer_size(piece) <= SUM_SIZE else add_up(piece, total)
        size = sum(layout.reads)
        while True:
            segment = self._writable_segment()
            try:
                offset = segment.append(pieces, size)
            except OSError as error:
                if not segment.live:
                    self._segments.remove(segment)
                    close_file(segment.file)  # it's empty, or was cut: no space is given back
                elif error.errno == EFBIG:
                    segment.max_size = segment.end  # it may not grow any further (RLIMIT_FSIZE), but another one may
                    continue
                raise
            return Address(segment, offset, total, layout)

    def read(self, address: Address) -> list[Message]:
        """Read a block; it stays where it is until it is released.

        Raises:
            CorruptBlockError: it isn't what was written.
            OSError: the system can't read it.
        """
        file = address.segment.file
        file.seek(address.offset)
        total = 0
        pieces: list[bytes] = []
        for size in address.layout.reads:
            piece = _read_all(file, size)
            if len(piece) < size:
                raise CorruptBlockError(f"a block of {address.size} bytes is lost: the file is too short")
            total = checksum(piece, total)
            pieces.append(piece)
        try:
            if total == address.checksum:
                return restore(pieces, address.layout)
        except ValueError:
            pass  # not even the checksum told
        raise CorruptBlockError(f"a block of {address.size} bytes is lost: it isn't what was written")

    def release(self, address: Address) -> None:
        """A block isn't wanted any more; with the last one of a segment that is drained."""
        segment = address.segment
        segment.live -= 1
        if not segment.live:
            self._drained.append(segment)  # before it leaves the others: a forked child looks for each
            self._segments.remove(segment)

    def give_back(self) -> None:
        """Close what is drained. To free it takes the system as long as to read it, so not while a read waits."""
        while self._drained:
            self._close_file(self._drained[-1].file)
            self._drained.pop()

    def close(self) -> None:
        """Give up all segments, whatever is in them."""
        self._drained += self._segments
        self._segments = []
        self.give_back()

    def abandon(self) -> None:
        """Close the descriptors in a forked child; the files are the parent's."""
        for segment in [*self._segments, *self._drained]:
            close_file(segment.file)

    def _writable_segment(self) -> Segment:
        if self._segments:
            segment = self._segments[-1]
            if segment.end < segment.max_size:
                return segment
        if self._drained:
            segment = self._drained[-1]
            segment.end = 0
            self._segments.append(segment)
            self._drained.pop()
            return segment
        segment = Segment(_open_file(self._directory), SEGMENT_SIZE << len(self._segments) // SEGMENTS_PER_DOUBLING)
        self._segments.append(segment)
        return segment


def _open_file(directory: str) -> FileIO:
    from tempfile import TemporaryFile

    if directory:
        os.makedirs(directory, 0o700, exist_ok=True)
    return TemporaryFile(buffering=0, dir=directory or None, prefix="purezmq-")


def _write_all(file: FileIO, chunks: list[Buffer], offset: int) -> None:
    """Write all chunks from `offset` on. The list is used up."""
    at = 0
    while at < len(chunks):
        written = _write_some(file, chunks[at : at + MAX_BUFFERS], offset)
        if not written:
            raise OSError(ENOSPC, "the system took nothing")
        offset += written
        while at < len(chunks) and written >= (size := buffer_size(chunks[at])):
            written -= size
            at += 1
        if written:
            chunks[at] = memoryview(chunks[at]).cast("B")[written:]


def _read_all(file: FileIO, size: int) -> bytes:
    """Read so many bytes, less at the end of the file."""
    piece = file.read(size)
    if len(piece) == size or not piece:
        return piece
    pieces = [piece]
    missing = size - len(piece)
    while missing and (piece := file.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _write_vector(file: FileIO, chunks: list[Buffer], offset: int) -> int:
    return os.pwritev(file.fileno(), chunks, offset)


def _write_first(file: FileIO, chunks: list[Buffer], offset: int) -> int:
    """Where there is no pwritev."""
    file.seek(offset)
    return file.write(chunks[0])


_write_some = _write_vector if hasattr(os, "pwritev") else _write_first
