"""Endpoints as text: what ``scheme://address`` says, and what is wrong with it.

Syntax only. Nothing here resolves a name, knows which transports exist or looks at an option: that is the business of
:mod:`purezmq.transports`. Sources of the rules: libzmq's ``zmq_tcp(7)``, ``zmq_ipc(7)`` and its observable errnos.

============  ===========================================  ========================================================
scheme        to bind                                      to connect
============  ===========================================  ========================================================
``tcp``       ``{*|ip|[ip6]|interface|host}:{port|*|0}``   ``[source[:port];]{ip|[ip6]|host}:port``
``ipc``       ``path``, ``@abstract``, ``*``               ``path``, ``@abstract``
``udp``       ``[if;]{*|ip|[ip6]|interface|group}:port``   ``[if;]{ip|[ip6]|host|group}:port``
============  ===========================================  ========================================================
"""

from __future__ import annotations

from errno import EINVAL, ENODEV

from purezmq.error import make_error

__all__ = [
    "Endpoint",
    "HostPort",
    "parse_endpoint",
    "parse_tcp_bind",
    "parse_tcp_connect",
    "parse_udp_bind",
    "parse_udp_connect",
]

# libzmq's check of a connect address: letters and digits, and these (tcp_address.cpp, zmq_connect's EINVAL).
_HOST_PUNCTUATION = frozenset(".-:%_*")


class Endpoint:
    """An endpoint, split at ``://``.

    Attributes:
        scheme: the transport's name, ``"tcp"``.
        address: the text after ``://``, as given.
    """

    __slots__ = ("scheme", "address")

    def __init__(self, scheme: str, address: str) -> None:
        self.scheme = scheme
        self.address = address

    def __str__(self) -> str:
        return f"{self.scheme}://{self.address}"

    def __repr__(self) -> str:
        return f"Endpoint({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Endpoint):
            return NotImplemented
        return self.scheme == other.scheme and self.address == other.address

    def __hash__(self) -> int:
        return hash((self.scheme, self.address))


class HostPort:
    """Host and port of a tcp address, not yet resolved.

    Attributes:
        host: an IP address without brackets, a name, an interface's name, or ``"*"``; may carry a ``%zone``.
        port: 0..65535; 0 lets the operating system choose.
    """

    __slots__ = ("host", "port")

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port

    def __repr__(self) -> str:
        return f"HostPort({self.host!r}, {self.port})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HostPort):
            return NotImplemented
        return self.host == other.host and self.port == other.port

    def __hash__(self) -> int:
        return hash((self.host, self.port))


def parse_endpoint(text: str | bytes) -> Endpoint:
    """Split an endpoint into scheme and address.

    Args:
        text: the endpoint; bytes are read as UTF-8, as pyzmq does.

    Returns:
        The endpoint. Whether a transport of that scheme exists is asked of ``purezmq.transports.registry``.

    Raises:
        ZMQError: EINVAL: no ``://``, nothing before it, or nothing after it.
        TypeError: the endpoint is neither ``str`` nor ``bytes``.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    elif not isinstance(text, str):
        raise TypeError(f"an endpoint is a str such as 'tcp://127.0.0.1:5555', not {type(text).__name__}: {text!r}")
    scheme, separator, address = text.partition("://")
    if not separator:
        raise make_error(
            EINVAL, f"endpoint {text!r} has no '://'; write scheme://address, for example 'tcp://127.0.0.1:5555'"
        )
    if not scheme:
        raise make_error(EINVAL, f"endpoint {text!r} has no scheme before '://'; put 'tcp', 'ipc' or 'inproc' there")
    if not address:
        raise make_error(EINVAL, f"endpoint {text!r} has no address after '://'; for example {_example_of(scheme)!r}")
    if "\0" in address:
        raise make_error(
            EINVAL, f"endpoint {text!r} holds a NUL character; an abstract ipc name is written ipc://@name"
        )
    return Endpoint(scheme, address)


def parse_tcp_bind(endpoint: Endpoint) -> HostPort:
    """Read the address of a tcp endpoint to bind.

    A ``source;`` before the address means nothing to a listener and is ignored, as libzmq does.

    Returns:
        Host and port; the port is 0 for ``*``.

    Raises:
        ZMQError: EINVAL: no port, a port that is no number of 0..65535, brackets that do not match. ENODEV: no host.
    """
    return _parse_host_port(endpoint, endpoint.address.rpartition(";")[2], wildcard_port=True)


def parse_tcp_connect(endpoint: Endpoint) -> tuple[HostPort | None, HostPort]:
    """Read the address of a tcp endpoint to connect to.

    Returns:
        The source to connect from (None: the operating system chooses) and the target. A source's port may be left
        out. A source of ``*`` with port 0 says nothing, so it is None.

    Raises:
        ZMQError: EINVAL: the port is missing, is ``*`` or no number of 0..65535; the host is missing, is ``*`` or
            holds a character that no host has.
    """
    source_text, separator, target_text = endpoint.address.rpartition(";")
    source = None
    if separator:
        # "[::1]" and "eth0" have no port; anything else is cut at its last colon.
        has_port = ":" in source_text and not source_text.endswith("]")
        source = _parse_host_port(endpoint, source_text if has_port else source_text + ":0", wildcard_port=True)
        if source.host == "*" and source.port == 0:
            source = None
    target = _parse_host_port(endpoint, target_text, wildcard_port=False)
    if target.host == "*":
        raise make_error(
            EINVAL,
            f"cannot connect to '{endpoint}': '*' means every interface and only a listener can bind it; "
            "name the host to connect to, for example '127.0.0.1'",
        )
    for part in (source, target):
        if part is not None:
            _check_host_characters(endpoint, part.host)
    return source, target


def parse_udp_bind(endpoint: Endpoint) -> tuple[str, HostPort]:
    """Read the address of a udp endpoint to bind.

    Returns:
        The interface that a multicast group is joined by (empty if none is given; a name, an address or ``"*"``,
        without brackets), and host and port; the port is 0 for ``*``.

    Raises:
        ZMQError: EINVAL, ENODEV: as `parse_tcp_bind`; EINVAL: nothing before the ``;``.
    """
    interface, text = _split_interface(endpoint)
    return interface, _parse_host_port(endpoint, text, wildcard_port=True)


def parse_udp_connect(endpoint: Endpoint) -> tuple[str, HostPort]:
    """Read the address of a udp endpoint to send to.

    Returns:
        The interface to send to a multicast group by (see `parse_udp_bind`), and host and port.

    Raises:
        ZMQError: EINVAL: as `parse_tcp_connect`, or the port is 0.
    """
    interface, text = _split_interface(endpoint)
    target = _parse_host_port(endpoint, text, wildcard_port=False)
    if target.host == "*" or target.port == 0:
        raise make_error(
            EINVAL, f"cannot send to '{endpoint}': name one host or multicast group and its port, as '239.1.2.3:5555'"
        )
    _check_host_characters(endpoint, target.host)
    return interface, target


def _split_interface(endpoint: Endpoint) -> tuple[str, str]:
    """Cut ``interface;host:port`` at its ``;``."""
    interface, separator, text = endpoint.address.rpartition(";")
    if separator and not interface:
        raise make_error(
            EINVAL,
            f"'{endpoint}' has no interface before ';'; put its name or address there, as 'udp://eth0;239.1.2.3:5555'",
        )
    if interface.startswith("[") and interface.endswith("]"):
        interface = interface[1:-1]
    return interface, text


def _parse_host_port(endpoint: Endpoint, text: str, *, wildcard_port: bool) -> HostPort:
    """Cut ``host:port`` at its last colon."""
    host, colon, port_text = text.rpartition(":")
    if not colon or port_text.endswith("]"):
        hint = ":*" if wildcard_port else ":5555"
        raise make_error(EINVAL, f"'{endpoint}' has no port; add one, for example '{endpoint}{hint}'")
    if host.startswith("[") != host.endswith("]") or host == "[]":
        raise make_error(EINVAL, f"'{endpoint}': the brackets of {host!r} do not match; write '[::1]:5555'")
    if host.startswith("["):
        host = host[1:-1]
    if not host and wildcard_port:
        raise make_error(ENODEV, f"'{endpoint}' has no host before its port; '*' binds every interface")
    if not host:
        raise make_error(EINVAL, f"'{endpoint}' has no host before its port; name the host to connect to")
    return HostPort(host, _parse_port(endpoint, port_text, wildcard=wildcard_port))


def _parse_port(endpoint: Endpoint, text: str, *, wildcard: bool) -> int:
    """Read a port; ``*`` is 0 where a wildcard is allowed."""
    if text == "*" and wildcard:
        return 0
    if text == "*":
        raise make_error(
            EINVAL,
            f"cannot connect to '{endpoint}': the port '*' is chosen when binding; "
            "connect to the port that the listener's LAST_ENDPOINT tells",
        )
    # isdecimal alone would take the digits of other scripts.
    if not (text.isascii() and text.isdecimal()):
        raise make_error(
            EINVAL, f"'{endpoint}': the port {text!r} is no number{' and no *' if wildcard else ''}; ports are 0..65535"
        )
    # More than 5 digits may still be a port ("005555"), but int() must not meet thousands of them.
    port = int(text) if len(text) <= 10 else 65536
    if port > 65535:
        raise make_error(EINVAL, f"'{endpoint}': the port {text[:20]} is out of range; ports are 0..65535")
    return port


def _check_host_characters(endpoint: Endpoint, host: str) -> None:
    for character in host:
        if not character.isalnum() and character not in _HOST_PUNCTUATION:
            raise make_error(
                EINVAL,
                f"'{endpoint}': {character!r} cannot be part of a host; an address is [source;]host:port, without "
                "spaces and without a path",
            )


def _example_of(scheme: str) -> str:
    if scheme in {"tcp", "udp"}:
        return f"{scheme}://127.0.0.1:5555"
    return "ipc:///tmp/name" if scheme == "ipc" else f"{scheme}://name"
