"""Somebody in the middle: a TCP relay between one client and a server that repeats or rewrites what it passes on."""

from __future__ import annotations

import socket
import threading

from tests.support.raw_peer import tcp_address

__all__ = ["Relay"]


class Relay:
    """Passes bytes between one client and a server.

    Args:
        server: the tcp endpoint of the server.
        minor: the minor version of ZMTP that both greetings shall tell; None leaves them as they are.
    """

    def __init__(self, server: str, minor: int | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._server = tcp_address(server)
        self._minor = minor
        self._last = b""
        self._ends: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return  # closed before anybody came
        self._upstream = socket.create_connection(self._server)
        self._ends += (client, self._upstream)
        for source, sink in ((client, self._upstream), (self._upstream, client)):
            thread = threading.Thread(target=self._pass, args=(source, sink), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        position = 0
        try:
            while data := source.recv(65536):
                if sink is self._upstream:
                    self._last = data
                if self._minor is not None and position <= 11 < position + len(data):
                    changed = bytearray(data)
                    changed[11 - position] = self._minor
                    data = bytes(changed)
                position += len(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def repeat(self) -> None:
        """Send to the server once more what the client sent last."""
        self._upstream.sendall(self._last)

    def close(self) -> None:
        """End everything."""
        for end in (*self._ends, self._listener):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
        for thread in self._threads:
            thread.join(5)
