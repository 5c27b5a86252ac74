"""The table of benchmark cases and their bars: data only; how a case runs is in scenarios.py."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

from purezmq.cli.bench.bar import Bar

__all__ = ["Case", "all_cases", "select_cases"]

SIZES = {"10B": 10, "100B": 100, "1kB": 1_000, "10kB": 10_000, "100kB": 100_000, "1MB": 1_000_000}

#: Bytes that a calibration run streams at most, so that the slowest library needs well under a second.
CALIBRATION_BYTES = 100_000_000


@dataclass(frozen=True)
class Case:
    """One benchmark case.

    Attributes:
        name: Such as "push_pull/tcp/10B"; the part before the first "/" names the scenario.
        metrics: Names of the metrics it gives, the main one first.
        bars: What purezmq is held to.
        transport: "tcp", "ipc", "inproc", or "" where there is none.
        size: Bytes of a message; 0 stands for the mix of 1 to 300 bytes.
        peers: Subscriber processes, connections, or outstanding requests.
        has_floor: True when raw sockets are measured beside the libraries.
        first_count: Messages of the calibration run; 0 if the case needs no calibration.
        libraries: Who can take part; empty for everybody.
    """

    name: str
    metrics: tuple[str, ...]
    bars: tuple[Bar, ...]
    transport: str = ""
    size: int = 10
    peers: int = 1
    has_floor: bool = False
    first_count: int = 0
    libraries: tuple[str, ...] = ()

    @property
    def scenario(self) -> str:
        """Name of the scenario that runs this case."""
        return self.name.partition("/")[0]

    @property
    def mean_size(self) -> float:
        """Mean bytes per message."""
        return self.size or 150.5


def all_cases() -> list[Case]:
    """Return every case, in the order of the report."""
    return [
        *stream_cases(),
        *round_trip_cases(),
        *inproc_cases(),
        *asyncio_cases(),
        *network_cases(),
        *curve_cases(),
        *swap_cases(),
        import_case(),
    ]


def select_cases(pattern: str) -> list[Case]:
    """Return the cases whose name matches `pattern` (a shell glob; several separated by commas)."""
    globs = pattern.split(",")
    return [case for case in all_cases() if any(fnmatch.fnmatchcase(case.name, glob) for glob in globs)]


def stream_cases() -> list[Case]:
    """Return PUSH/PULL between two processes, per transport and size."""
    cases = []
    for transport in ("tcp", "ipc"):
        for label, size in [*SIZES.items(), ("mixed", 0)]:
            first_count = min(20_000, CALIBRATION_BYTES // (size or 150))
            bars = stream_bars(size)
            name = f"push_pull/{transport}/{label}"
            cases.append(Case(name, ("rate",), bars, transport, size, has_floor=True, first_count=first_count))
    return cases


def stream_bars(size: int) -> tuple[Bar, ...]:
    """Return the bars of PUSH/PULL at `size` bytes a message."""
    if size <= 1_000:
        return (Bar("rate", "best", 1.5),)
    if size <= 100_000:
        return (Bar("rate", "best", 1.2),)
    return (Bar("rate", "best", 1.0), Bar("rate", "raw", 0.9))


def round_trip_cases() -> list[Case]:
    """Return REQ/REP between two processes, per transport."""
    bars = (Bar("p50_us", "best", 1.0), Bar("p50_us", "raw", 1.15))
    return [
        Case(f"req_rep/{transport}/10B", ("p50_us", "p99_us"), bars, transport, has_floor=True)
        for transport in ("tcp", "ipc")
    ]


def inproc_cases() -> list[Case]:
    """Return the cases between two threads of one process."""
    stream_bar, trip_bar = Bar("rate", "best", 1.5), Bar("p50_us", "pyzmq", 0.5)
    return [
        Case("inproc_stream/10B", ("rate",), (stream_bar,), "inproc", first_count=20_000),
        Case("inproc_trip/10B", ("p50_us", "p99_us"), (trip_bar,), "inproc"),
    ]


def asyncio_cases() -> list[Case]:
    """Return PUSH/PULL between two processes through asynchronous sockets."""
    bars = (Bar("rate", "pyomq", 1.0), Bar("rate", "pyzmq", 8.0))
    return [Case("asyncio/tcp/100B", ("rate",), bars, "tcp", 100, first_count=10_000)]


def network_cases() -> list[Case]:
    """Return the cases of more than two processes or connections."""
    fan_outs = [
        Case(f"fan_out/tcp/{n}", ("rate",), (Bar("rate", "pyzmq", 1.5),), "tcp", 100, n, first_count=20_000 // n)
        for n in (4, 32)
    ]
    broker = Case("broker/tcp/200", ("rate",), (Bar("rate", "pyzmq", 1.0),), "tcp", 10, 200, first_count=2_000)
    memory_bar = Bar("kb_per_connection", "", 12.0)
    metrics = ("kb_per_connection", "fan_out_ms")
    return [*fan_outs, broker, Case("xpub/tcp/2000", metrics, (memory_bar,), "tcp", 100, 2_000)]


def curve_cases() -> list[Case]:
    """Return the cases encrypted with CURVE: PUSH/PULL per size, and connections per second."""
    libraries = ("purezmq", "pyzmq")
    cases = [
        Case(
            f"curve/tcp/{label}", ("rate",), (Bar("rate", "pyzmq", limit),), "tcp", SIZES[label],
            first_count=min(20_000, CALIBRATION_BYTES // SIZES[label]), libraries=libraries,
        )
        for label, limit in (("100B", 0.8), ("1kB", 1.0), ("100kB", 1.0))
    ]  # fmt: skip
    bar = Bar("rate", "pyzmq", 1.0)
    return [*cases, Case("curve/handshakes", ("rate",), (bar,), "tcp", first_count=50, libraries=libraries)]


def swap_cases() -> list[Case]:
    """Return the cases of a queue on disk, beside plain sequential writes and reads of the same messages."""
    metrics = ("swap_in", "swap_out", "rate_in", "rate_out")
    bars = (Bar("swap_in", "", 0.5), Bar("swap_out", "", 0.5))
    return [
        Case(f"swap/{label}", metrics, bars, "inproc", size, libraries=("purezmq",))
        for label, size in (("64kB", 64_000), ("1MB", 1_000_000))
    ]


def import_case() -> Case:
    """Return the case of the time that importing a library takes."""
    return Case("import", ("import_ms",), (Bar("import_ms", "pyzmq", 1.0),))
