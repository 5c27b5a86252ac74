"""Security mechanisms by name; ``base`` says what one is, each other file is one or a part of one."""

from __future__ import annotations

from purezmq.wire.mechanisms.base import Mechanism
from purezmq.wire.mechanisms.null import NullMechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.wire.config import ConnectionConfig

__all__ = ["MECHANISMS", "Mechanism", "NullMechanism", "create_mechanism"]

MECHANISMS = ("NULL", "PLAIN", "CURVE")
"""Names in the greeting."""


def create_mechanism(config: ConnectionConfig, *, bound: bool) -> Mechanism:
    """Create the mechanism of one connection. What needs a library is imported only here, when it's used.

    Args:
        config: settings of the connection; ``config.mechanism`` names the mechanism, ``config.as_server`` the side.
        bound: we accepted the connection.

    Returns:
        A mechanism that has sent nothing yet.

    Raises:
        ValueError: no mechanism has that name, or the credentials aren't what it needs.
        ImportError: the library that it needs is not installed.
    """
    return _find_class(config.mechanism, as_server=config.as_server)(config, bound=bound)


def _find_class(name: str, *, as_server: bool) -> type[Mechanism]:
    if name == "NULL":
        return NullMechanism
    if name == "PLAIN":
        from purezmq.wire.mechanisms.plain import PlainClient, PlainServer

        return PlainServer if as_server else PlainClient
    if name == "CURVE" and as_server:
        from purezmq.wire.mechanisms.curve_server import CurveServer

        return CurveServer
    if name == "CURVE":
        from purezmq.wire.mechanisms.curve_client import CurveClient

        return CurveClient
    raise ValueError(f"unknown mechanism {name!r}; known are {', '.join(MECHANISMS)}")
