"""What is checked about an input: everything where it is replayed, a share where there are millions of them.

The share is chosen by a byte of the input (``CHOICE_AT`` of its target), so that an input is always judged the same;
and what a share finds, all checks find, for none depends on another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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
    """

    whole: bool = True
    pieces: bool = True
    model: bool = True
    weigh: bool = True
    end: bool = True
    twins: bool = True


ALL = Checks()
"""What a replay checks."""

_WHOLE = Checks(pieces=False, weigh=False, end=False, twins=False)
_PIECES = Checks(whole=False, weigh=False, end=False, twins=False)
_SHARES = (
    Checks(pieces=False, model=False, end=False),
    _PIECES,
    _WHOLE,
    Checks(model=False, weigh=False, end=False),
    _WHOLE._replace(end=True, model=False),
    _PIECES,
    _WHOLE,
    _PIECES._replace(end=True),
)


def share_of(number: int) -> Checks:
    """Return the share of the checks that a byte of an input chooses.

    Args:
        number: the byte.
    """
    return _SHARES[number % len(_SHARES)]


def run_share_of(target: Any) -> Callable[[bytes], None]:
    """Return what runs an input and makes the share of the checks that the input chooses, see `fuzz.checks`.

    Args:
        target: that has checks to choose from, or not.
    """
    run: Callable[..., None] = target.run
    at: int | None = getattr(target, "CHOICE_AT", None)
    if at is None:
        return run
    chosen = at
    shares = [share_of(number) for number in range(256)]

    def run_share(data: bytes) -> None:
        if len(data) > chosen:
            run(data, shares[data[chosen]])

    return run_share
