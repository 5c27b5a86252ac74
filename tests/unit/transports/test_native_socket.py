"""Sockets of the standard library, which stay what they are where gevent replaces them."""

from __future__ import annotations

import socket

from purezmq.transports.native_socket import NativeSocket, getaddrinfo, socketpair


def test_accept_gives_a_native_socket() -> None:
    """An accepted connection is of the same class, with the peer's address."""
    with NativeSocket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()) as client:
            accepted, address = listener.accept()
            with accepted:
                assert type(accepted) is NativeSocket
                assert client.getsockname() == address
                client.sendall(b"x")
                assert b"x" == accepted.recv(1)


def test_socketpair_is_connected() -> None:
    """Two native sockets, each the other's peer."""
    first, second = socketpair()
    with first, second:
        assert type(first) is type(second) is NativeSocket
        first.send(b"x")
        assert b"x" == second.recv(1)


def test_getaddrinfo_is_the_systems() -> None:
    """Without gevent it is the function of the standard library."""
    assert socket.getaddrinfo is getaddrinfo
