"""One module per target.

Each has ``run(data)``, which raises for a finding and only then; ``seeds()``, inputs to start from, made by code; and
perhaps ``mutate(data, max_size, seed)``, a mutator that knows the structure of its inputs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["COUNTED", "TARGETS", "Target", "load_target", "loaded_before"]

_LOADED_BEFORE: dict[str, tuple[str, ...]] = {
    "zmtp_server": ("purezmq",),
    "zmtp_client": ("purezmq",),
    "zmtp_v1v2": ("purezmq",),
    "plain": ("purezmq",),
    "curve_server": ("purezmq",),
    "curve_client": ("purezmq",),
    "zap_reply": ("purezmq",),
    "endpoint_and_options": (),
    "z85_and_certificates": ("purezmq",),
}

TARGETS = tuple(_LOADED_BEFORE)
"""The names of all targets."""

COUNTED = {"zmtp_v1v2": frozenset({"_take_frame", "_decode_frames"})}
"""Functions of which it matters how often each branch is taken: how many parts a message has is told by no loop."""


class Target(Protocol):
    """What the module of a target has."""

    def run(self, data: bytes) -> None:
        """Run one input.

        Args:
            data: the input.

        Raises:
            Exception: a finding.
        """

    def seeds(self) -> Iterable[bytes]:
        """Return the inputs to start from."""


def loaded_before(name: str) -> tuple[str, ...]:
    """Return the modules of the library whose branches say nothing about a target, and would only slow it down.

    Args:
        name: one of `TARGETS`.
    """
    return _LOADED_BEFORE[name]


def load_target(name: str) -> Target:
    """Import the module of a target.

    Args:
        name: one of `TARGETS`.

    Returns:
        The module.

    Raises:
        ValueError: there is no such target.
    """
    if name not in TARGETS:
        raise ValueError(f"no target {name!r}; there are {', '.join(TARGETS)}")
    return cast("Target", importlib.import_module(f"{__name__}.{name}"))
