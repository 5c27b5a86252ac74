"""The tcp transport: IPv4, IPv6, interface names, connections from a chosen source.

What an address may look like is in :mod:`purezmq.endpoint`, how a name becomes an address in
:mod:`purezmq.transports.resolve`. Sources of the behaviour: libzmq's ``zmq_tcp(7)`` and ``zmq_setsockopt(3)``.

BINDTODEVICE must succeed, it is a matter of security; the other settings of a connection are a wish: a peer that closed
already makes them fail, and the read that follows tells why.
"""

from __future__ import annotations

import errno as _errno
import socket
import sys

from purezmq.endpoint import parse_tcp_bind, parse_tcp_connect
from purezmq.error import make_error, strerror
from purezmq.transports.base import (
    QUIET_SETTINGS,
    Address,
    PendingConnect,
    SocketStream,
    StreamListener,
    Transport,
    adopt_descriptor,
    begin_connect,
    close_quietly,
    set_options_quietly,
)
from purezmq.transports.native_socket import NativeSocket
from purezmq.transports.resolve import (
    format_endpoint,
    format_host,
    interface_address,
    resolve_host,
    resolve_numeric,
    wildcard_address,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.endpoint import Endpoint, HostPort
    from purezmq.options import SocketOptions

    Settings = list[tuple[int, int, int]]

__all__ = ["TcpListener", "TcpPendingConnect", "TcpStream", "TcpTransport"]

# Not every Python's module socket names these: Linux' SO_BUSY_POLL, Windows' TCP_MAXRT (seconds),
# macOS' TCP_RXT_CONNDROPTIME (seconds) and TCP_KEEPALIVE (its name for the idle time).
_SO_BUSY_POLL = 46
_WINDOWS_TCP_MAXRT = 5
_MACOS_TCP_RXT_CONNDROPTIME = 0x80
_MACOS_TCP_KEEPALIVE = 0x10

# An address that this host does not have (any more): the next address of the same name may be one.
_TRY_NEXT_ADDRESS = frozenset((_errno.EADDRNOTAVAIL, _errno.EAFNOSUPPORT))


class TcpStream(SocketStream):
    """A connected tcp stream."""

    __slots__ = ()

    @property
    def local(self) -> str:
        """This side's endpoint, ``"tcp://127.0.0.1:5555"``; empty once closed."""
        try:
            return format_endpoint(self.sock.getsockname())
        except OSError:
            return ""

    @property
    def peer_address(self) -> str:
        """The peer's IP address, ``"127.0.0.1"``: the same object for all that come from there."""
        return sys.intern(self.remote[len("tcp://") :].rpartition(":")[0].strip("[]"))


class TcpListener(StreamListener):
    """A listening tcp socket."""

    __slots__ = ("_settings", "_networks")

    def __init__(self, sock: socket.socket, options: SocketOptions, *, adopted: bool = False) -> None:
        super().__init__(sock, format_endpoint(sock.getsockname()), adopted=adopted)
        self._settings = _stream_settings(sock.family, options)
        self._networks = _parse_networks(options.tcp_accept_filter)

    def admit(self, sock: socket.socket, peer: Any) -> SocketStream | None:
        """Make a stream of a peer, unless TCP_ACCEPT_FILTER is set and does not name its address."""
        if self._networks and not _is_in_networks(format_host(peer), self._networks):
            return None
        set_options_quietly(sock, self._settings)
        return TcpStream(sock, format_endpoint(peer))


class TcpPendingConnect(PendingConnect):
    """A tcp connection on its way."""

    __slots__ = ()

    def open_stream(self, sock: socket.socket, peer: Any) -> SocketStream:
        """Make the stream; a socket that met itself is refused.

        While nobody listens on a port of the ephemeral range, the system may choose that very port as the source: the
        socket then connects to itself (TCP's simultaneous open), and the real listener could not bind any more.
        """
        if sock.getsockname() == peer:
            raise OSError(_errno.ECONNREFUSED, f"cannot connect to '{self.address.text}': nobody listens there")
        return TcpStream(sock, format_endpoint(peer))


class TcpTransport(Transport):
    """Makes tcp listeners and connections. It has no state."""

    __slots__ = ()

    scheme = "tcp"

    def listen(self, endpoint: Endpoint, options: SocketOptions) -> TcpListener:
        """Bind an endpoint and listen; with USE_FD >= 0, take over that descriptor.

        Raises:
            ZMQError: EINVAL: syntax. ENODEV: the host cannot be resolved. EADDRNOTAVAIL: it is not an address of this
                machine. EADDRINUSE, EACCES: as the system says. EBADF, ENOTSOCK: USE_FD.
        """
        where = parse_tcp_bind(endpoint)
        if options.use_fd >= 0:
            return self._adopt(endpoint, options)
        failure: OSError | None = None
        for family, sockaddr in _bind_addresses(endpoint, where, ipv6=bool(options.ipv6)):
            try:
                return _open_listener(family, sockaddr, options, dual_stack=bool(options.ipv6))
            except OSError as error:
                if error.errno is None:  # no system's, but a signal handler's TimeoutError
                    raise
                failure = error
                # A name's next address only if this one is not here: a second socket of a name that is in use
                # would silently listen elsewhere.
                if error.errno not in _TRY_NEXT_ADDRESS:
                    break
        assert failure is not None
        raise make_error(failure.errno or _errno.EINVAL, _describe_bind_failure(endpoint, failure)) from failure

    def _adopt(self, endpoint: Endpoint, options: SocketOptions) -> TcpListener:
        """Make a listener of the descriptor USE_FD, which then belongs to it."""
        sock = adopt_descriptor(endpoint, options, (socket.AF_INET, socket.AF_INET6))
        try:
            return TcpListener(sock, options, adopted=True)
        except BaseException:
            sock.detach()  # still the caller's
            raise

    def check_connect(self, endpoint: Endpoint, options: SocketOptions) -> None:
        """Check the syntax of an endpoint to connect to.

        Raises:
            ZMQError: EINVAL.
        """
        parse_tcp_connect(endpoint)

    def needs_resolver(self, endpoint: Endpoint) -> bool:
        """Tell whether the host is a name, which takes a name server's time."""
        target = parse_tcp_connect(endpoint)[1]
        return resolve_numeric(target.host, target.port) is None

    def resolve(self, endpoint: Endpoint, options: SocketOptions) -> list[Address]:
        """Return every address of the target, with the source of its family.

        Raises:
            OSError: EHOSTUNREACH: the target has no address. ENODEV, EADDRNOTAVAIL: the source is none of this machine,
                or not of the target's family.
        """
        source, target = parse_tcp_connect(endpoint)
        ipv6 = bool(options.ipv6)
        addresses = []
        for family, sockaddr in resolve_host(target.host, target.port, ipv6=ipv6, passive=False):
            source_sockaddr = None
            if source is not None:
                source_sockaddr = _source_address(source, family)
                if source_sockaddr is None:
                    continue
            addresses.append(Address(family, sockaddr, source_sockaddr, format_endpoint(sockaddr)))
        if not addresses:
            raise OSError(
                _errno.EADDRNOTAVAIL,
                f"cannot connect to '{endpoint}': the source is not of the same family (IPv4 or IPv6) as the target",
            )
        return addresses

    def start_connect(self, address: Address, options: SocketOptions) -> TcpPendingConnect:
        """Begin a connection.

        Raises:
            OSError: it failed at once, or the source cannot be bound.
        """
        sock = NativeSocket(address.family, socket.SOCK_STREAM)
        try:
            _apply_before_use(sock, options)
            set_options_quietly(sock, _stream_settings(address.family, options))
            if address.source is not None:
                # The same source port may serve connections to several peers.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(address.source)
        except OSError as error:
            close_quietly(sock)
            source = f" from {address.source[0]}:{address.source[1]}" if address.source is not None else ""
            text = f"cannot connect to '{address.text}'{source}: {error.strerror}"
            raise OSError(error.errno, text) from error
        begin_connect(sock, address)
        return TcpPendingConnect(sock, address)


def _bind_addresses(endpoint: Endpoint, where: HostPort, *, ipv6: bool) -> list[tuple[int, Any]]:
    """Return the addresses that a host to bind stands for: figures, an interface, or a name, in this order."""
    if where.host == "*":
        addresses = [wildcard_address(where.port, ipv6=ipv6)]
        if ipv6:
            addresses.append(wildcard_address(where.port, ipv6=False))  # for a machine without IPv6, as libzmq does
        return addresses
    numeric = resolve_numeric(where.host, where.port)
    if numeric is not None:
        return [numeric]
    try:
        interface = interface_address(where.host, where.port, ipv6=ipv6)
        if interface is not None:
            return [interface]
    except OSError as error:
        raise make_error(_errno.ENODEV, f"cannot bind '{endpoint}': {error.strerror}") from error
    try:
        return resolve_host(where.host, where.port, ipv6=ipv6, passive=True)
    except OSError as error:
        raise make_error(
            _errno.ENODEV,
            f"cannot bind '{endpoint}': {where.host!r} is no address, network interface or host name known here; "
            "bind an address of this machine, an interface, or '*' for all of them",
        ) from error


def _source_address(source: HostPort, family: int) -> Any:
    """Return the sockaddr to connect from: of a wildcard, figures or an interface; None if of another family.

    Raises:
        OSError: ENODEV: nothing here has that name.
    """
    ipv6 = family == socket.AF_INET6
    if source.host == "*":
        return wildcard_address(source.port, ipv6=ipv6)[1]
    found = resolve_numeric(source.host, source.port) or interface_address(source.host, source.port, ipv6=ipv6)
    if found is None:
        raise OSError(
            _errno.ENODEV, f"the source {source.host!r} is no address and no network interface of this machine"
        )
    return found[1] if found[0] == family else None


def _open_listener(family: int, sockaddr: Any, options: SocketOptions, *, dual_stack: bool) -> TcpListener:
    """Open a listening socket; whatever fails is an OSError, and nothing stays open."""
    sock = NativeSocket(family, socket.SOCK_STREAM)
    try:
        # Lets a listener come back while old connections of its port linger in TIME_WAIT. Windows: it would let two
        # live listeners share a port. Port 0: some kernels give two sockets that have it the same port, and the second
        # listen fails; so there it comes after bind, for the connections that inherit it.
        chosen_by_system = sockaddr[1] == 0
        if sys.platform == "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        elif not chosen_by_system:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual_stack else 1)
        _apply_before_use(sock, options)
        sock.bind(sockaddr)
        if chosen_by_system and sys.platform != "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.listen(options.backlog)
        return TcpListener(sock, options)
    except BaseException:
        close_quietly(sock)
        raise


def _apply_before_use(sock: socket.socket, options: SocketOptions) -> None:
    """Apply what must be set before bind or connect: the window depends on the buffers, the route on the device.

    Raises:
        OSError: the device does not exist (ENODEV), or may not be chosen by this user (EPERM).
    """
    if options.bindtodevice:
        level = getattr(socket, "SO_BINDTODEVICE", None)
        if level is None:
            raise OSError(_errno.EINVAL, "the option BINDTODEVICE works on Linux only; bind an interface's address")
        sock.setsockopt(socket.SOL_SOCKET, level, options.bindtodevice)
    if options.loopback_fastpath and hasattr(socket, "SIO_LOOPBACK_FAST_PATH"):
        windows_socket: Any = sock  # `ioctl` exists there only
        try:
            windows_socket.ioctl(socket.SIO_LOOPBACK_FAST_PATH, True)
        except OSError:  # a Windows that doesn't know it (any more)
            pass
    settings = []
    if options.sndbuf >= 0:
        settings.append((socket.SOL_SOCKET, socket.SO_SNDBUF, options.sndbuf))
    if options.rcvbuf >= 0:
        settings.append((socket.SOL_SOCKET, socket.SO_RCVBUF, options.rcvbuf))
    set_options_quietly(sock, settings)


def _stream_settings(family: int, options: SocketOptions) -> Settings:
    """Return what is set on every connection, computed once per listener."""
    settings = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), *QUIET_SETTINGS, *_keepalive_settings(options)]
    if options.tcp_maxrt > 0:
        milliseconds = options.tcp_maxrt
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            settings.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds))
        elif sys.platform == "win32":
            settings.append((socket.IPPROTO_TCP, _WINDOWS_TCP_MAXRT, -(-milliseconds // 1000)))
        elif sys.platform == "darwin":
            settings.append((socket.IPPROTO_TCP, _MACOS_TCP_RXT_CONNDROPTIME, -(-milliseconds // 1000)))
    if options.tos:
        settings.append((socket.IPPROTO_IP, socket.IP_TOS, options.tos))
        if family == socket.AF_INET6 and hasattr(socket, "IPV6_TCLASS"):
            settings.append((socket.IPPROTO_IPV6, socket.IPV6_TCLASS, options.tos))
    if options.priority and hasattr(socket, "SO_PRIORITY"):
        settings.append((socket.SOL_SOCKET, socket.SO_PRIORITY, options.priority))
    if options.busy_poll and sys.platform == "linux":
        settings.append((socket.SOL_SOCKET, _SO_BUSY_POLL, options.busy_poll))
    return settings


def _keepalive_settings(options: SocketOptions) -> Settings:
    """Return the keepalive settings; -1 leaves a value to the system.

    With TCP_KEEPALIVE=-1 a connection without heartbeats gets the system's keepalive (Linux: a probe after two idle
    hours): else a peer whose machine lost power would be kept for ever.
    """
    enabled = options.tcp_keepalive
    if enabled < 0:
        return [] if options.heartbeat_ivl > 0 else [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    settings = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1 if enabled else 0)]
    if enabled:
        idle = getattr(socket, "TCP_KEEPIDLE", _MACOS_TCP_KEEPALIVE if sys.platform == "darwin" else None)
        for name, value in (
            (idle, options.tcp_keepalive_idle),
            (getattr(socket, "TCP_KEEPCNT", None), options.tcp_keepalive_cnt),
            (getattr(socket, "TCP_KEEPINTVL", None), options.tcp_keepalive_intvl),
        ):
            if name is not None and value > 0:
                settings.append((socket.IPPROTO_TCP, name, value))
    return settings


def _describe_bind_failure(endpoint: Endpoint, failure: OSError) -> str:
    """Return cause and cure of a failed bind."""
    cures = {
        _errno.EADDRINUSE: "another socket listens there; close it, or bind port '*' and read LAST_ENDPOINT",
        _errno.EADDRNOTAVAIL: "no interface of this machine has that address; bind one that it has, or '*' for all",
        _errno.EACCES: "this user may not bind it; ports below 1024 are privileged",
        _errno.EAFNOSUPPORT: "this machine has no IPv6; use an IPv4 address or IPV6=0",
        _errno.EPERM: "this user may not do it; BINDTODEVICE may need the capability CAP_NET_RAW",
        _errno.ENODEV: "there is no such network interface; BINDTODEVICE and '%zone' name one of this machine",
        _errno.EMFILE: "this process has too many open files; raise its limit (ulimit -n) or close sockets",
    }
    number = failure.errno or _errno.EINVAL
    reason = strerror(number)
    cure = cures.get(number)
    return f"cannot bind '{endpoint}': {reason}; {cure}" if cure else f"cannot bind '{endpoint}': {reason}"


def _parse_networks(texts: tuple[bytes, ...]) -> list[Any]:
    """Return the networks of TCP_ACCEPT_FILTER; empty if everybody is let in.

    Raises:
        ZMQError: EINVAL: a filter is no network.
    """
    if not texts:
        return []
    import ipaddress

    networks = []
    for text in texts:
        name = text.decode("ascii", "replace")
        try:
            networks.append(ipaddress.ip_network(name, strict=False))
        except ValueError as error:
            raise make_error(
                _errno.EINVAL, f"TCP_ACCEPT_FILTER {name!r} is no network; write for example '10.0.0.0/8' or '::1'"
            ) from error
    return networks


def _is_in_networks(host: str, networks: list[Any]) -> bool:
    import ipaddress

    address = ipaddress.ip_address(host.partition("%")[0])
    return any(address in network for network in networks)
