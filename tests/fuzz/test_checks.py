"""What a fuzzing run is made of, besides its targets: the shares of checks, the counts, the same outcome each time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from fuzz.checks import ALL, Checks, run_share_of, share_of
from fuzz.counting import count_in, counted
from fuzz.run import Report, table
from fuzz.targets import curve_server, endpoint_and_options

from fuzz import curve

if TYPE_CHECKING:
    from pathlib import Path

_HANDSHAKE_PLAYED = b"\1\0" + b"\0\0\1\0" + b"\1\0\1\0"


def test_every_check_is_in_a_share_and_every_share_drives() -> None:
    """A check that no share makes would be made by replays alone."""
    shares = [share_of(number) for number in range(256)]
    assert all(share.whole or share.pieces for share in shares)
    for name in Checks._fields:
        assert any(getattr(share, name) for share in shares), name
    assert any(share.whole and share.pieces for share in shares)


def test_share_is_chosen_by_the_whole_input() -> None:
    """The same input is judged the same, and the last byte decides as well as the first."""
    seen: list[Checks] = []

    class Target:
        @staticmethod
        def run(data: bytes, checks: Checks = ALL) -> None:
            seen.append(checks)

    run = run_share_of(Target)
    inputs = [bytes((first, last)) for first in range(16) for last in range(16)]
    for data in inputs:
        run(data)
    before = seen.copy()
    seen.clear()
    for data in inputs:
        run(data)
    assert before == seen
    every = {share_of(number) for number in range(256)}
    assert every == set(seen)
    assert len(set(seen[:16])) > 1
    assert len(set(seen[::16])) > 1


def test_target_without_shares_is_run_as_it_is() -> None:
    """There is nothing to choose from."""
    assert endpoint_and_options.run is run_share_of(endpoint_and_options)


def test_random_bytes_that_differ_are_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a connection of CURVE sends is compared: it's the same for the same input, and only then."""
    curve_server.run(_HANDSHAKE_PLAYED)
    monkeypatch.setattr(curve.Randomness, "__call__", lambda self, size: os.urandom(size))
    with pytest.raises(AssertionError, match="the outcome depends on how the bytes came"):
        curve_server.run(_HANDSHAKE_PLAYED)


def test_count_goes_on_in_the_next_run(tmp_path: Path) -> None:
    """Executions are counted, that of a finding as well, and added to what is there."""

    def run(data: bytes) -> None:
        if data == b"finding":
            raise ValueError(data)

    assert count_in(tmp_path) == 0
    for total in (3, 6):
        run_counted = counted(run, tmp_path)
        run_counted(b"a")
        run_counted(b"b")
        with pytest.raises(ValueError, match="finding"):
            run_counted(b"finding")
        assert count_in(tmp_path) == total


def test_table_tells_of_interruptions_and_restarts() -> None:
    """A run that was cut off is not taken for a whole one."""
    whole = Report("plain", 1000, 2.0, 7, "", 3000)
    lines = table([whole, whole._replace(is_complete=False, restarts=2), whole._replace(finding="text")]).splitlines()
    assert ["plain", "1,000", "500", "3,000", "7", "no", "finding"] == lines[1].split()
    assert lines[2].endswith("no finding, interrupted, 2 times anew with its memory full")
    assert lines[3].endswith("FINDING")
