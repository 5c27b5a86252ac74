"""What is checked about an input: everything where it is replayed, a share where there are millions of them.

The share is chosen by a hash of the input, so that an input is always judged the same; and what a share finds, all
checks find, for none depends on another. A byte of the input would not do: those that choose the most checks reach the
most branches, and so most of a corpus, and of its mutations, came to choose them.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ALL", "Checks", "run_share_of", "share_of"]


class Checks(NamedTuple):
    """Which checks are made; with both ways of driving, their outcomes are compared.

    Attributes:
        whole: drive with the stream as one piece.
        pieces: drive with the stream cut into pieces.
        model: compare the outcome with the model's.
        weigh: look at the memory that is held, which takes longer than all the rest.
        end: use and end what has seen the stream.
        twins: run both implementations of what has two, not one that the input chooses.
        play: play good handshakes as well, of which a copy of what has come through one is known.
        most: pieces to cut into, more of which tell hardly more.
    """

    whole: bool = True
    pieces: bool = True
    model: bool = True
    weigh: bool = True
    end: bool = True
    twins: bool = True
    play: bool = True
    most: int = 12


ALL = Checks()
"""What a replay checks."""

_WHOLE = Checks(pieces=False, weigh=False, end=False, twins=False, play=False, most=5)
_PIECES = _WHOLE._replace(whole=False, pieces=True)
_SHARES = (
    Checks(pieces=False, model=False, end=False),
    Checks(model=False, weigh=False, end=False),
    _WHOLE._replace(end=True),
    _PIECES._replace(end=True, most=12),
    _PIECES._replace(weigh=True, model=False, play=True),
    *(_PIECES,) * 6,
    *(_PIECES._replace(model=False),) * 4,
    *(_WHOLE,) * 11,
    *(_WHOLE._replace(model=False),) * 6,
)


def share_of(number: int) -> Checks:
    """Return the share of the checks that a hash chooses.

    Args:
        number: the hash.
    """
    return _SHARES[number % len(_SHARES)]


def run_share_of(target: Any) -> Callable[[bytes], None]:
    """Return what runs an input and makes the share of the checks that the input chooses, see `fuzz.checks`.

    Args:
        target: whose ``run`` takes checks to choose from, or not.
    """
    run: Callable[..., None] = target.run
    if "checks" not in inspect.signature(run).parameters:
        return run

    def run_share(data: bytes) -> None:
        run(data, _SHARES[crc32(data) % len(_SHARES)])

    return run_share
