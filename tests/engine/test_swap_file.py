"""Blocks of messages in files: what comes back, what a full or broken disk does, and that no file is left behind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from purezmq.engine import swap_file
from purezmq.engine.swap_file import CorruptBlockError, SwapFile
from purezmq.engine.swap_layout import LARGE_PART_SIZE

LARGE = os.urandom(5 << 20)
BLOCKS: dict[str, list[Any]] = {
    "one empty": [b""],
    "one byte": [b"x"],
    "many empty": [b""] * 1000,
    "small": [b"%d" % number for number in range(5000)],
    "uniform": [b"x" * 1000] * 1049,
    "multipart": [[b"a", b"", b"%d" % number] for number in range(100)],
    "empty parts": [[b"", b""], [b"", b"", b""]],
    "middle": [b"m" * 10_000] * 20,
    "joined": [b"j" * 70_000, *[b"small"] * 50_000],
    "limit": [b"l" * LARGE_PART_SIZE, b"k" * (LARGE_PART_SIZE - 1), b"m" * LARGE_PART_SIZE],
    "all large": [b"l" * LARGE_PART_SIZE, b"m" * (LARGE_PART_SIZE + 1)],
    "all large parts": [[b"l" * LARGE_PART_SIZE, b"m" * LARGE_PART_SIZE], b"n" * LARGE_PART_SIZE],
    "any size": [b"s" * size for size in range(300)],
    "large": [LARGE],
    "large part": [[b"envelope", LARGE, b""], b"after"],
    "mixed": [b"", LARGE, [b"x", b"y"], b"z" * 65536, [b"", LARGE]],
}


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SwapFile]:
    """Make a swap file, and close it."""
    file = SwapFile(str(tmp_path))
    yield file
    file.close()


@pytest.fixture(params=["vector", "first"])
def write_some(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test with and without pwritev."""
    monkeypatch.setattr(swap_file, "_write_some", getattr(swap_file, f"_write_{request.param}"))


@pytest.mark.parametrize("name", BLOCKS)
def test_block_comes_back_as_it_was(file: SwapFile, write_some: None, name: str) -> None:
    """Whatever shape the messages have, the same come back, twice, too."""
    address = file.write(BLOCKS[name])
    assert BLOCKS[name] == file.read(address)
    assert BLOCKS[name] == file.read(address)


def test_blocks_come_back_in_any_order(file: SwapFile) -> None:
    """Each address leads to its own block."""
    addresses = {name: file.write(messages) for name, messages in BLOCKS.items()}
    for name in reversed(BLOCKS):
        assert BLOCKS[name] == file.read(addresses[name])


def test_buffers_of_any_type_come_back_as_bytes(file: SwapFile) -> None:
    """What isn't bytes is written as its bytes."""
    items = memoryview(LARGE).cast("I")
    messages = [bytearray(b"one"), memoryview(b"two"), [items, bytearray(b"")]]
    assert [b"one", b"two", [LARGE, b""]] == file.read(file.write(messages))  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", [1, 7, 70_000])
def test_system_that_writes_little_at_a_time_is_asked_again(
    file: SwapFile, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """A short write goes on where it stopped, inside any chunk."""

    def write_little(target: Any, chunks: list[Any], offset: int) -> int:
        return write_first(target, [memoryview(chunks[0]).cast("B")[:limit]], offset)

    write_first = swap_file._write_first

    monkeypatch.setattr(swap_file, "_write_some", write_little)
    messages = [b"abc", [b"", b"d" * 100], b"e" * (100_000 if limit > 7 else 9000)]
    assert messages == file.read(file.write(messages))


def test_system_that_reads_little_at_a_time_is_asked_again(file: SwapFile) -> None:
    """A short read isn't the end of the file."""
    address = file.write([b"x" * 1000])

    class Slow:
        def __init__(self, target: Any) -> None:
            self.target = target
            self.seek, self.close = target.seek, target.close

        def read(self, size: int) -> bytes:
            return self.target.read(min(size, 100))

    address.segment.file = Slow(address.segment.file)  # type: ignore[assignment]
    assert [b"x" * 1000] == file.read(address)


def test_segment_is_given_back_when_its_last_block_was_released(
    file: SwapFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Space comes back segment by segment, whatever the order."""
    monkeypatch.setattr(swap_file, "SEGMENT_SIZE", 2000)
    addresses = [file.write([b"x" * 1000]) for _ in range(6)]
    assert 3 == file.segments

    def left_after(number: int) -> int:
        file.release(addresses[number])
        file.give_back()
        return file.segments

    assert [3, 2, 2, 2] == [left_after(number) for number in (0, 1, 2, 4)]
    assert [b"x" * 1000] == file.read(addresses[3])
    assert [1, 0] == [left_after(number) for number in (3, 5)]


def test_drained_segment_is_written_to_anew(file: SwapFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that moves needs no more files than it had at its longest, and no mark is left of what was there."""
    monkeypatch.setattr(swap_file, "SEGMENT_SIZE", 2000)
    queue = [(number, file.write([b"%02d" % number * 500])) for number in range(6)]
    longest = file.segments
    for number in range(6, 50):
        old, address = queue.pop(0)
        assert [b"%02d" % old * 500] == file.read(address)
        file.release(address)
        queue.append((number, file.write([b"%02d" % number * 500])))
        assert file.segments <= longest + 1
    assert [[b"%02d" % number * 500] for number, _ in queue] == [file.read(address) for _, address in queue]
    file.close()
    assert 0 == file.segments


def test_segments_grow_with_their_number(file: SwapFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long queue doesn't need as many descriptors as it has segments of the first size."""
    monkeypatch.setattr(swap_file, "SEGMENT_SIZE", 1000)
    monkeypatch.setattr(swap_file, "SEGMENTS_PER_DOUBLING", 4)
    for _ in range(60):
        file.write([b"x" * 1000])
    assert file.segments < 30


@pytest.mark.parametrize("position", [0, 1, 500, 1010, 90_000, -1])
@pytest.mark.parametrize("body", [1000, 100_000])
def test_flipped_bit_is_found(file: SwapFile, position: int, body: int) -> None:
    """Header or body, the block is refused, and the next one is not."""
    broken, intact = file.write([b"x" * body, b"y"]), file.write([b"z" * body])
    target, at = broken.segment.file, position % broken.size
    target.seek(at)
    byte = target.read(1)[0]
    target.seek(at)
    target.write(bytes((byte ^ 0x10,)))
    with pytest.raises(CorruptBlockError, match="isn't what was written"):
        file.read(broken)
    assert [b"z" * body] == file.read(intact)


@pytest.mark.parametrize("name", ["small", "multipart", "mixed"])
@pytest.mark.parametrize("at", [-1, -2, -3])
def test_index_that_does_not_fit_is_found(file: SwapFile, monkeypatch: pytest.MonkeyPatch, name: str, at: int) -> None:
    """Even if a checksum doesn't tell, as one in four billion won't, nothing but a lost block comes of it."""
    monkeypatch.setattr(swap_file, "checksum", lambda piece, value: 0)
    address = file.write(BLOCKS[name])
    target, position = address.segment.file, address.offset + address.size + at
    byte = os.pread(target.fileno(), 1, position)[0]
    os.pwrite(target.fileno(), bytes((byte ^ 0x11,)), position)
    with pytest.raises(CorruptBlockError, match="isn't what was written"):
        file.read(address)


def test_file_that_is_too_short_is_found(file: SwapFile) -> None:
    """A block that lies beyond the end of the file is refused."""
    address = file.write([b"x" * 1000])
    address.segment.file.truncate(999)
    with pytest.raises(CorruptBlockError, match="too short"):
        file.read(address)


def test_failed_write_leaves_nothing_behind(file: SwapFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is cut back to its last whole block, and the next write goes there."""
    first = file.write([b"first"])
    segment = first.segment
    end = segment.end
    with monkeypatch.context() as patch:
        patch.setattr(swap_file, "_write_some", fail_after(1, errno.ENOSPC))
        with pytest.raises(OSError, match="injected"):
            file.write([b"x" * 100_000, b"second"])
    assert end == os.fstat(segment.file.fileno()).st_size
    second = file.write([b"second"])
    assert end == second.offset
    assert [[b"first"], [b"second"]] == [file.read(first), file.read(second)]


def test_failed_first_write_keeps_no_file(file: SwapFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment without a block is closed at once."""
    monkeypatch.setattr(swap_file, "_write_some", fail_after(0, errno.EIO))
    with pytest.raises(OSError, match="injected"):
        file.write([b"x"])
    assert 0 == file.segments


def test_system_that_takes_nothing_is_full(file: SwapFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write of no bytes doesn't loop for ever."""
    monkeypatch.setattr(swap_file, "_write_some", lambda target, chunks, offset: 0)
    with pytest.raises(OSError, match="took nothing") as caught:
        file.write([b"x"])
    assert errno.ENOSPC == caught.value.errno


def test_directory_is_made_for_the_owner_alone(tmp_path: Path) -> None:
    """A missing directory is created with mode 0700, and no file in it has a name."""
    directory = tmp_path / "a" / "b"
    file = SwapFile(str(directory))
    assert not directory.exists()
    file.write([b"x"])
    assert 0o700 == directory.stat().st_mode & 0o777
    assert [] == list(directory.iterdir())
    file.close()


def test_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """A file in the way is told as such."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError):
        SwapFile(str(tmp_path / "file")).write([b"x"])
    with pytest.raises(OSError):
        SwapFile(str(tmp_path / "file" / "below")).write([b"x"])


def test_default_is_the_directory_of_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a directory the system's is used."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError, match="gone"):
        SwapFile("").write([b"x"])


def fail_after(calls: int, number: int) -> Any:
    """Make a `_write_some` that writes the first chunk so often, and then fails."""
    left = [calls]

    def write_some(target: Any, chunks: list[Any], offset: int) -> int:
        if not left[0]:
            raise OSError(number, "injected")
        left[0] -= 1
        return swap_file._write_first(target, chunks, offset)

    return write_some


def run_child(program: str, *words: str, wait_for: bytes = b"") -> subprocess.Popen[bytes]:
    """Start a program in Python, and wait for the line it prints when it's ready."""
    process = subprocess.Popen([sys.executable, "-c", program, *words], stdout=subprocess.PIPE, env=os.environ)
    assert process.stdout is not None
    assert wait_for == process.stdout.readline()
    return process


KILLED = """
import sys, signal, tempfile
from purezmq.engine.swap_file import SwapFile
if sys.argv[2] == "unlinked":
    tempfile._O_TMPFILE_WORKS = False
file = SwapFile(sys.argv[1])
addresses = [file.write([b"x" * 1000000]) for _ in range(100)]
print(file.segments, flush=True)
signal.pause()
"""


@pytest.mark.parametrize("way", ["O_TMPFILE", "unlinked"])
def test_killed_process_leaves_nothing(tmp_path: Path, way: str) -> None:
    """Neither a name nor a block of the disk is taken after SIGKILL, whichever way the system makes unnamed files."""
    process = run_child(KILLED, str(tmp_path), way, wait_for=b"2\n")
    assert [] == list(tmp_path.iterdir())
    descriptors = [os.path.realpath(path) for path in Path(f"/proc/{process.pid}/fd").iterdir()]
    assert 2 == sum(path.startswith(str(tmp_path)) for path in descriptors)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert -signal.SIGKILL == process.returncode
    assert [] == list(tmp_path.iterdir())


LIMITED = """
import sys, resource
from purezmq.engine.swap_file import SwapFile
resource.setrlimit(resource.RLIMIT_FSIZE, (250000, 250000))
file = SwapFile(sys.argv[1])
blocks = [[bytes((number,)) * 100000] for number in range(6)]
addresses = [file.write(block) for block in blocks]
assert blocks == [file.read(address) for address in addresses]
segments = file.segments
try:
    file.write([b"x" * 300000])
except OSError as error:
    assert segments == file.segments
    print(segments, error.errno, flush=True)
"""


def test_limit_of_file_sizes_makes_more_files(tmp_path: Path) -> None:
    """RLIMIT_FSIZE ends a segment and not the swap; only a block that fits into no file at all is refused."""
    process = run_child(LIMITED, str(tmp_path), wait_for=b"3 %d\n" % errno.EFBIG)
    process.communicate()
    assert 0 == process.returncode


def test_abandoned_file_has_no_descriptors_left(file: SwapFile) -> None:
    """In a forked child only the descriptors are closed; the parent reads on."""
    address = file.write([b"x" * 1000])
    descriptor = address.segment.file.fileno()
    child = os.fork()
    if not child:
        file.abandon()
        try:
            os.fstat(descriptor)
        except OSError:
            os._exit(0)
        os._exit(1)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert [b"x" * 1000] == file.read(address)
