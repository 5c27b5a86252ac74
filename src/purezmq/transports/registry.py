"""Which transport serves which scheme.

The built-in transports are imported on first use, so that ``import purezmq`` stays light. inproc carries messages and
no bytes: it is no :class:`~purezmq.transports.base.Transport` and is asked for by the sockets, not here.
"""

from __future__ import annotations

from errno import EPROTONOSUPPORT

from purezmq.error import make_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.transports.base import Transport
    from purezmq.transports.datagram import DatagramTransport

__all__ = ["get_datagram_transport", "get_transport", "is_datagram_scheme", "known_schemes", "register_transport"]


def _open_tcp() -> Transport:
    from purezmq.transports.tcp import TcpTransport

    return TcpTransport()


def _open_ipc() -> Transport:
    from purezmq.transports.ipc import IpcTransport

    return IpcTransport()


def _open_udp() -> DatagramTransport:
    from purezmq.transports.udp import UdpTransport

    return UdpTransport()


_factories: dict[str, Callable[[], Transport]] = {"tcp": _open_tcp, "ipc": _open_ipc}
_transports: dict[str, Transport] = {}
_datagram_factories: dict[str, Callable[[], DatagramTransport]] = {"udp": _open_udp}


def get_transport(scheme: str) -> Transport:
    """Return the transport of a scheme. Any thread may call it.

    Args:
        scheme: the text before ``://``; case matters, as in libzmq.

    Raises:
        ZMQError: EPROTONOSUPPORT: nobody serves the scheme; the text names those that are served.
    """
    transport = _transports.get(scheme)
    if transport is not None:
        return transport
    factory = _factories.get(scheme)
    if factory is None:
        lower = scheme.lower()
        hint = f"; schemes are lower-case: write {lower!r}" if lower != scheme and lower in known_schemes() else ""
        raise make_error(
            EPROTONOSUPPORT, f"no transport for scheme {scheme!r}; known schemes: {', '.join(known_schemes())}{hint}"
        )
    # Two threads may both get here: setdefault (atomic in CPython, free-threaded too) makes one of them win for both.
    return _transports.setdefault(scheme, factory())


def is_datagram_scheme(scheme: str) -> bool:
    """Tell whether a scheme carries datagrams: then `get_datagram_transport` has its transport."""
    return scheme in _datagram_factories


def get_datagram_transport(scheme: str) -> DatagramTransport:
    """Return the transport of a scheme that carries datagrams. Any thread may call it.

    Raises:
        KeyError: it carries none.
    """
    return _datagram_factories[scheme]()


def register_transport(scheme: str, factory: Callable[[], Transport]) -> None:
    """Let a transport serve a scheme, or replace the one that does.

    Args:
        scheme: the text before ``://``.
        factory: called once, on the first use of the scheme.
    """
    _factories[scheme] = factory
    _transports.pop(scheme, None)


def known_schemes() -> list[str]:
    """Return every scheme that can be used, sorted."""
    return sorted({*_factories, *_datagram_factories, "inproc"})
