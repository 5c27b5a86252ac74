"""What is open to the network and looks like an oversight: the logger "purezmq" is told, where a program logs at all.

* A socket without security is bound to an address that other machines reach: the first one of the process.
* PLAIN goes to, or is expected at, such an address: each endpoint once. Whoever is on the way reads the password.

Nothing is refused: libzmq's programs do both, and an encrypted network below makes both right.
"""

from __future__ import annotations

from purezmq.engine.event_log import write_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.engine.listener import Listener
    from purezmq.engine.socket_engine import SocketEngine

__all__ = ["is_exposed", "warn_of_bind", "warn_of_password"]

_LOCAL = ("ipc://", "tcp://127.", "tcp://[::1]", "tcp://[::ffff:127.")
_CURE = "use CURVE (socket.curve)"

_open_is_told = False


def is_exposed(endpoint: str) -> bool:
    """Whether other machines may reach an endpoint.

    Args:
        endpoint: resolved, so that it has a number where the application gave a name.
    """
    return not endpoint.startswith(_LOCAL)


def warn_of_bind(engine: SocketEngine, listener: Listener) -> None:
    """A socket is bound to an exposed endpoint."""
    global _open_is_told  # noqa: PLW0603 - once per process
    config = listener.config
    what = f"a {engine.pattern.type_name} socket is bound to {listener.endpoint}"
    if config.mechanism == "PLAIN":
        write_line(f"{what} with PLAIN: passwords can be read on the way; {_CURE}, or a loopback address and a tunnel")
    elif config.mechanism == "NULL" and config.gate is None and not _open_is_told:
        _open_is_told = True
        line = f"{what} without security, open to everybody who reaches it; {_CURE}, or bind to 127.0.0.1"
        write_line(line, _tell_again)


def _tell_again() -> None:
    """Nobody listened: the next bind is told, perhaps to somebody."""
    global _open_is_told  # noqa: PLW0603 - once per process
    _open_is_told = False


def warn_of_password(endpoint: str) -> None:
    """A PLAIN client is about to send its password to an exposed address."""
    write_line(f"a password is sent by PLAIN to {endpoint}, in the clear; {_CURE}, or an encrypted tunnel")
