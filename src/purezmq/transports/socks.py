"""Connections through a SOCKS5 proxy (RFC 1928), with a user name and password where it wants them (RFC 1929).

`SocksHandshake` is the client's half of the protocol, sans-I/O. `SocksTransport` stands between a dialer and the tcp
transport: it connects to the proxy (SOCKS_PROXY) and has that connect to the endpoint. The host's name goes to the
proxy unresolved, so that names of its network, and `.onion` names, work; only what is an address is sent as one.
"""

from __future__ import annotations

import errno as _errno
import socket

from purezmq.endpoint import parse_endpoint, parse_tcp_connect
from purezmq.error import ZMQError, make_error
from purezmq.transports.base import Address, PendingConnect, SocketStream, Transport
from purezmq.transports.resolve import format_endpoint
from purezmq.transports.tcp import TcpStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.endpoint import Endpoint, HostPort
    from purezmq.options import SocketOptions
    from purezmq.transports.base import StreamListener

__all__ = ["SocksHandshake", "SocksTransport"]

_VERSION, _CONNECT = 5, 1
_NO_AUTHENTICATION, _PASSWORD, _NO_METHOD = 0, 2, 0xFF
_IPV4, _NAME, _IPV6 = 1, 3, 4
_NAME_MAX = 255

#: What the REP byte of a reply means (RFC 1928, section 6).
_REPLIES = {
    1: (_errno.ECONNABORTED, "it failed, and says nothing else"),
    2: (_errno.EACCES, "its rules don't allow this connection"),
    3: (_errno.ENETUNREACH, "the network is unreachable from there"),
    4: (_errno.EHOSTUNREACH, "the host is unreachable from there, or its name unknown"),
    5: (_errno.ECONNREFUSED, "nobody listens at the target"),
    6: (_errno.ETIMEDOUT, "the target did not answer in time"),
    7: (_errno.EOPNOTSUPP, "it does not know the command CONNECT"),
    8: (_errno.EAFNOSUPPORT, "it does not take this kind of address; IPv6 perhaps"),
}


class SocksHandshake:
    """The client's half of one handshake; bytes in, bytes out.

    Give `data_to_send` to the proxy, read exactly `missing` bytes (what follows the handshake belongs to the target)
    and give them to `receive_data`, until `done`.

    Args:
        host: the target's name or address.
        port: the target's port.
        username: SOCKS_USERNAME; empty: only proxies that ask for no password are of use.
        password: SOCKS_PASSWORD.

    Attributes:
        done: the proxy is connected to the target.
        missing: how many bytes to read next.

    Raises:
        OSError: EINVAL: no proxy takes such a name.
    """

    __slots__ = ("_buffer", "_handle", "_outgoing", "_request", "done", "missing", "password", "username")

    def __init__(self, host: str, port: int, username: bytes = b"", password: bytes = b"") -> None:
        self.username = username
        self.password = password
        self.done = False
        methods = bytes([_NO_AUTHENTICATION, _PASSWORD] if username else [_NO_AUTHENTICATION])
        self._outgoing = bytes([_VERSION, len(methods)]) + methods
        self._request = bytes([_VERSION, _CONNECT, 0]) + _encode_host(host) + port.to_bytes(2, "big")
        self._buffer = b""
        self.missing = 2
        self._handle: Any = self._handle_method

    def data_to_send(self) -> bytes:
        """Return what the proxy is to be told now, and forget it."""
        data, self._outgoing = self._outgoing, b""
        return data

    def receive_data(self, data: bytes) -> None:
        """Take bytes of the proxy, at most `missing`.

        Raises:
            OSError: the proxy refuses, breaks the protocol (EPROTO) or has closed (empty bytes, ECONNRESET).
        """
        if not data:
            raise OSError(_errno.ECONNRESET, "the SOCKS proxy closed the connection within the handshake")
        self._buffer += data
        self.missing -= len(data)
        if not self.missing:
            buffer, self._buffer = self._buffer, b""
            self._handle(buffer)

    def _handle_method(self, data: bytes) -> None:
        """VER METHOD: which of the methods that we offered the proxy wants."""
        version, method = data
        if version != _VERSION:
            raise OSError(_errno.EPROTO, f"it is no SOCKS5 proxy: it answers with version {version}")
        if method == _NO_AUTHENTICATION:
            self._ask()
        elif method == _PASSWORD and self.username:
            name, password = self.username, self.password
            self._outgoing = bytes([1, len(name)]) + name + bytes([len(password)]) + password
            self._expect(2, self._handle_password)
        elif method in {_NO_METHOD, _PASSWORD}:
            cure = "set SOCKS_USERNAME and SOCKS_PASSWORD" if not self.username else "it offers no method that we know"
            raise OSError(_errno.EACCES, f"the SOCKS proxy wants to know who we are: {cure}")
        else:
            raise OSError(_errno.EPROTO, f"the SOCKS proxy chose the method {method}, which was not offered")

    def _handle_password(self, data: bytes) -> None:
        """VER STATUS (RFC 1929)."""
        if data[1]:
            raise OSError(_errno.EACCES, "the SOCKS proxy refuses SOCKS_USERNAME and SOCKS_PASSWORD")
        self._ask()

    def _ask(self) -> None:
        self._outgoing = self._request
        # VER REP RSV ATYP and the first byte of the address, which is the length if that is a name.
        self._expect(5, self._handle_reply)

    def _handle_reply(self, data: bytes) -> None:
        version, reply, _, kind, first = data
        if version != _VERSION:
            raise OSError(_errno.EPROTO, f"the SOCKS proxy replies with version {version}")
        if reply:
            number, text = _REPLIES.get(reply, (_errno.EPROTO, f"for the unknown reason {reply}"))
            raise OSError(number, f"the SOCKS proxy refuses: {text}")
        sizes = {_IPV4: 4 - 1, _NAME: first, _IPV6: 16 - 1}
        if kind not in sizes:
            raise OSError(_errno.EPROTO, f"the SOCKS proxy replies with an address of the unknown kind {kind}")
        self._expect(sizes[kind] + 2, self._handle_rest)

    def _handle_rest(self, data: bytes) -> None:
        """The address that the proxy connected from; of no use."""
        del data
        self.done = True

    def _expect(self, size: int, handle: Any) -> None:
        self.missing = size
        self._handle = handle


def _encode_host(host: str) -> bytes:
    """ATYP and DST.ADDR of a host."""
    for kind, family in ((_IPV4, socket.AF_INET), (_IPV6, socket.AF_INET6)):
        try:
            return bytes([kind]) + socket.inet_pton(family, host)
        except OSError:
            continue
    try:
        name = host.encode("ascii") if host.isascii() else host.encode("idna")
    except UnicodeError as error:
        raise OSError(_errno.EINVAL, f"no host can have the name {host!r}") from error
    if len(name) > _NAME_MAX:
        raise OSError(_errno.EINVAL, f"the host's name has {len(name)} bytes, a SOCKS proxy takes {_NAME_MAX}")
    return bytes([_NAME, len(name)]) + name


class SocksAddress(Address):
    """An address of the proxy, and the target behind it."""

    __slots__ = ("target",)

    def __init__(self, proxy: Address, target: HostPort, text: str) -> None:
        super().__init__(proxy.family, proxy.sockaddr, proxy.source, text)
        self.target = target


class SocksPendingConnect(PendingConnect):
    """A connection to the proxy on its way, and then the handshake with it."""

    __slots__ = ("_handshake", "_unsent")

    def __init__(self, sock: socket.socket, address: Address, handshake: SocksHandshake) -> None:
        super().__init__(sock, address)
        self._handshake = handshake
        self._unsent = b""

    def open_stream(self, sock: socket.socket, peer: Any) -> SocketStream | None:
        """Go on with the handshake; the stream when it is done, None while the proxy has to answer."""
        handshake = self._handshake
        try:
            while not handshake.done:
                self._unsent += handshake.data_to_send()
                if self._unsent:
                    self.reading = False
                    self._unsent = self._unsent[sock.send(self._unsent) :]
                    continue
                self.reading = True
                handshake.receive_data(sock.recv(handshake.missing))
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            reason = error.strerror or str(error)
            raise OSError(error.errno, f"cannot connect to '{self.address.text}': {reason}") from error
        return TcpStream(sock, format_endpoint(peer))


class SocksTransport(Transport):
    """Connects to tcp endpoints through the proxy that SOCKS_PROXY names; one for each dialer.

    Args:
        tcp: connects to the proxy.
    """

    __slots__ = ("_tcp",)

    scheme = "tcp"

    def __init__(self, tcp: Transport) -> None:
        self._tcp = tcp

    def listen(self, endpoint: Endpoint, options: SocketOptions) -> StreamListener:
        """Listen without the proxy: SOCKS_PROXY is about connecting."""
        return self._tcp.listen(endpoint, options)

    def check_connect(self, endpoint: Endpoint, options: SocketOptions) -> None:
        """Check the syntax of the endpoint and of the proxy.

        Raises:
            ZMQError: EINVAL.
        """
        self._tcp.check_connect(endpoint, options)
        _parse_proxy(options)

    def needs_resolver(self, endpoint: Endpoint) -> bool:
        """The proxy's name may have to be resolved; the endpoint's never is."""
        return True

    def resolve(self, endpoint: Endpoint, options: SocketOptions) -> list[Address]:
        """Return every address of the proxy.

        Raises:
            OSError: the proxy's name has no address.
        """
        source, target = parse_tcp_connect(endpoint)
        proxy = _parse_proxy(options)
        if source is not None:
            address, host = endpoint.address, proxy.address
            proxy = type(proxy)("tcp", f"{address.rpartition(';')[0]};{host}")
        text = f"{endpoint} through {proxy.address}"
        return [SocksAddress(address, target, text) for address in self._tcp.resolve(proxy, options)]

    def start_connect(self, address: Address, options: SocketOptions) -> PendingConnect:
        """Begin a connection to the proxy.

        Raises:
            OSError: it failed at once.
        """
        assert isinstance(address, SocksAddress)
        target = address.target
        handshake = SocksHandshake(target.host, target.port, options.socks_username, options.socks_password)
        pending = self._tcp.start_connect(address, options)
        sock = pending.sock
        assert sock is not None
        return SocksPendingConnect(sock, address, handshake)


def _parse_proxy(options: SocketOptions) -> Endpoint:
    """The proxy as an endpoint to connect to.

    Raises:
        ZMQError: EINVAL.
    """
    text = options.socks_proxy.decode("utf-8", "replace")
    try:
        proxy = parse_endpoint(f"tcp://{text}")
        parse_tcp_connect(proxy)
    except ZMQError as error:
        raise make_error(
            error.errno or _errno.EINVAL, f"SOCKS_PROXY must be the proxy's host:port, not {text!r}: {error}"
        ) from error
    return proxy
