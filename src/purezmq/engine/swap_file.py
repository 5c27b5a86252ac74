"""Blocks of messages in files without a name: the disk below :class:`~purezmq.engine.swap.Swap`.

Rules of this room:

* Everything here runs on the disk thread, but for `SwapFile.abandon`. Locks, queues and limits may not live here.
* A block of small messages is their ZMTP frames; of large ones it is their parts and nothing else, each of which goes
  to the system as it is and comes back as the very object that the system filled. Where a block lies, its checksum and
  how to cut it is kept in memory (`Address`), so nothing that a file says about itself is trusted.
* A write that fails leaves nothing behind: the file is cut back to its last whole block, or gets no other one.
* Blocks are collected in segments. A segment goes when its last block was read: space is given back while a queue
  moves, without holes or compaction.
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
from itertools import islice

try:  # the extra `swap`: the same sum at ten times the speed, which is what a fast disk is measured by
    from zlib_ng.zlib_ng import crc32
except ImportError:
    from zlib import crc32

from purezmq.wire.framing_fast import FastFrameDecoder, encode_batch
from purezmq.wire.limits import LARGE_BODY_SIZE, MAX_CHUNK_SIZE, PASS_THROUGH_SIZE, UNLIMITED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import FileIO
    from typing import Any

    from typing_extensions import Buffer

    from purezmq.message import Message

__all__ = ["SEGMENT_SIZE", "Address", "CorruptBlockError", "Segment", "SwapFile"]

#: A segment gets no further block from this size on (bytes): space comes back soon, and creating a file costs nothing
#: against filling it.
SEGMENT_SIZE = 64 << 20
#: With every so many segments that exist at a time the next ones are twice as large: a queue of 1 TB needs some 500
#: descriptors instead of 16,000.
SEGMENTS_PER_DOUBLING = 64
#: Buffers given to one system call; POSIX systems take 1024 (IOV_MAX).
MAX_BUFFERS = 1000


class CorruptBlockError(Exception):
    """A block isn't what was written: its checksum differs, or the file is too short."""


class Address:
    """Where a block is, and how to get it back.

    Attributes:
        segment: the file it is in.
        offset: where in it (bytes).
        reads: the sizes of the pieces to read, one after another (bytes); a large body is a piece of its own.
        checksum: CRC-32 of all pieces.
        count: how many messages come out.
        shape: how many parts each message has, where each piece is a part; None where the pieces are frames.
    """

    __slots__ = ("checksum", "count", "offset", "reads", "segment", "shape")

    def __init__(
        self,
        segment: Segment,
        offset: int,
        reads: tuple[int, ...],
        checksum: int,
        count: int,
        shape: tuple[int, ...] | None,
    ) -> None:
        self.segment = segment
        self.offset = offset
        self.reads = reads
        self.checksum = checksum
        self.count = count
        self.shape = shape


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
            self.file.seek(offset)
            _write_all(self.file, [chunk for chunk in chunks if _size(chunk)])
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
    """

    __slots__ = ("_decoder", "_directory", "_segments")

    def __init__(self, directory: str) -> None:
        self._directory = directory
        #: In order of creation; only the last one is written to.
        self._segments: list[Segment] = []
        self._decoder = FastFrameDecoder()

    @property
    def segments(self) -> int:
        """How many files there are."""
        return len(self._segments)

    def write(self, messages: Sequence[Message]) -> Address:
        """Write a block, whole or not at all.

        Args:
            messages: at least one.

        Raises:
            OSError: the system refused: the disk is full, the directory is not writable.
        """
        pieces, shape = _split_large(messages)
        if shape is None:
            chunks = encode_batch(messages)
            are_small = sum(map(_size, chunks)) < len(messages) * PASS_THROUGH_SIZE
            pieces = _join_small(chunks, 2 * MAX_CHUNK_SIZE if are_small else LARGE_BODY_SIZE)
        reads = tuple(map(_size, pieces))
        checksum = 0
        for piece in pieces:
            checksum = crc32(piece, checksum)
        size = sum(reads)
        while True:
            segment = self._writable_segment()
            try:
                offset = segment.append(pieces, size)
            except OSError as error:
                if not segment.live:
                    self._close(segment)
                elif error.errno == EFBIG:
                    segment.max_size = 0  # a file may not grow any further (RLIMIT_FSIZE), but another one may
                    continue
                raise
            return Address(segment, offset, reads, checksum, len(messages), shape)

    def read(self, address: Address) -> list[Message]:
        """Read a block; it stays where it is until it is released.

        Raises:
            CorruptBlockError: it isn't what was written.
            OSError: the system can't read it.
        """
        file = address.segment.file
        file.seek(address.offset)
        checksum = 0
        pieces: list[bytes] = []
        for size in address.reads:
            piece = _read_all(file, size)
            if len(piece) < size:
                raise CorruptBlockError(f"a block of {sum(address.reads)} bytes is lost: the file is too short")
            checksum = crc32(piece, checksum)
            pieces.append(piece)
        messages: list[Message] = []
        if checksum == address.checksum:
            if address.shape is not None:
                return _join_parts(pieces, address.shape)
            for piece in pieces:
                messages += self._decoder.decode(piece, UNLIMITED)
        if len(messages) != address.count:
            self._decoder = FastFrameDecoder()
            raise CorruptBlockError(f"a block of {sum(address.reads)} bytes is lost: it isn't what was written")
        return messages

    def release(self, address: Address) -> bool:
        """A block isn't wanted any more.

        Returns:
            Whether space was given back: it was the last one of its segment.
        """
        segment = address.segment
        segment.live -= 1
        if segment.live:
            return False
        self._close(segment)
        return True

    def close_one(self) -> bool:
        """Give up one segment, whatever is in it (many at a time would keep others waiting); whether one was left."""
        if self._segments:
            self._close(self._segments[0])
        return bool(self._segments)

    def abandon(self) -> None:
        """Close the descriptors in a forked child; the files are the parent's."""
        for segment in list(self._segments):
            _close_file(segment.file)

    def _writable_segment(self) -> Segment:
        if self._segments:
            segment = self._segments[-1]
            if segment.end < segment.max_size:
                return segment
        segment = Segment(_open_file(self._directory), SEGMENT_SIZE << len(self._segments) // SEGMENTS_PER_DOUBLING)
        self._segments.append(segment)
        return segment

    def _close(self, segment: Segment) -> None:
        self._segments.remove(segment)
        _close_file(segment.file)


def _split_large(messages: Sequence[Message]) -> tuple[list[Buffer], tuple[int, ...] | None]:
    """The parts of all messages and how many each has, if they are large on average; nothing and None otherwise."""
    parts: list[Any] = []
    shape: list[int] = []
    for message in messages:
        if isinstance(message, list):
            parts += message
            shape.append(len(message))
        else:
            parts.append(message)
            shape.append(1)
    if sum(map(_size, parts)) < len(parts) * LARGE_BODY_SIZE:
        return [], None
    return parts, tuple(shape)


def _join_parts(parts: list[bytes], shape: tuple[int, ...]) -> list[Message]:
    """The messages whose parts these are."""
    if len(parts) == len(shape):
        return [*parts]
    rest = iter(parts)
    return [next(rest) if count == 1 else list(islice(rest, count)) for count in shape]


def _join_small(chunks: list[Buffer], join_size: int) -> list[Buffer]:
    """Join chunks below `join_size`: the pieces to write and to read back.

    The checksum of each piece lets go of the GIL, and to get it back may take 5 ms while an application computes. So
    few pieces are worth a copy of the small ones.
    """
    pieces: list[Buffer] = []
    between: list[Buffer] = []
    for chunk in chunks:
        if _size(chunk) < join_size:
            between.append(chunk)
            continue
        if between:
            pieces.append(b"".join(between))
            between = []
        pieces.append(chunk)
    if between:
        pieces.append(b"".join(between) if len(between) > 1 else between[0])
    return pieces


def _size(chunk: Any) -> int:
    return len(chunk) if type(chunk) is bytes else memoryview(chunk).nbytes


def _open_file(directory: str) -> FileIO:
    from tempfile import TemporaryFile

    if directory:
        os.makedirs(directory, 0o700, exist_ok=True)
    return TemporaryFile(buffering=0, dir=directory or None, prefix="purezmq-")


def _close_file(file: FileIO) -> None:
    try:
        file.close()
    except OSError:
        pass  # nothing that anybody will read: the descriptor is free all the same


def _write_all(file: FileIO, chunks: list[Buffer]) -> None:
    """Write all chunks. The list is used up."""
    at = 0
    while at < len(chunks):
        written = _write_some(file, chunks[at : at + MAX_BUFFERS])
        if not written:
            raise OSError(ENOSPC, "the system took nothing")
        while at < len(chunks) and written >= (size := _size(chunks[at])):
            written -= size
            at += 1
        if written:
            chunks[at] = memoryview(chunks[at]).cast("B")[written:]


def _write_vector(file: FileIO, chunks: list[Buffer]) -> int:
    return os.writev(file.fileno(), chunks)


def _write_first(file: FileIO, chunks: list[Buffer]) -> int:
    """Where there is no writev."""
    return file.write(chunks[0])


_write_some = _write_vector if hasattr(os, "writev") else _write_first


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
