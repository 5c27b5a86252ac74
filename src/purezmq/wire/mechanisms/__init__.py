"""Security mechanisms by name; ``base`` says what one is, each other file is one."""

from __future__ import annotations

from purezmq.wire.mechanisms.base import Mechanism
from purezmq.wire.mechanisms.null import NullMechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.wire.config import ConnectionConfig

__all__ = ["MECHANISMS", "Mechanism", "NullMechanism", "create_mechanism"]

MECHANISMS: dict[str, type[Mechanism]] = {NullMechanism.name: NullMechanism}
"""Mechanism classes by the name in the greeting."""


def create_mechanism(config: ConnectionConfig, *, bound: bool) -> Mechanism:
    """Create the mechanism of one connection.

    Args:
        config: settings of the connection; ``config.mechanism`` names the mechanism.
        bound: we accepted the connection.

    Returns:
        A mechanism that has sent nothing yet.

    Raises:
        ValueError: no mechanism has that name.
    """
    try:
        mechanism = MECHANISMS[config.mechanism]
    except KeyError:
        text = f"unknown mechanism {config.mechanism!r}; known are {', '.join(sorted(MECHANISMS))}"
        raise ValueError(text) from None
    return mechanism(config, bound=bound)
