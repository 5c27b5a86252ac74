"""The near end of a tunnel by paramiko: a server whose connections go on through an SSH transport."""

from __future__ import annotations

import logging
import select
import socketserver
from typing import Any

__all__ = ["ForwardServer", "Handler", "forward_tunnel"]

logger = logging.getLogger("ssh")

_CHUNK_BYTES = 65536


class ForwardServer(socketserver.ThreadingTCPServer):
    """Accepts the connections, each in a thread of its own."""

    daemon_threads = True
    allow_reuse_address = True


class Handler(socketserver.BaseRequestHandler):
    """Passes bytes between one connection and a channel of the transport.

    Attributes:
        chain_host: where the far end connects to.
        chain_port: the port there.
        ssh_transport: paramiko's transport.
    """

    chain_host: str
    chain_port: int
    ssh_transport: Any

    def handle(self) -> None:
        """Open a channel and pass bytes until one side closes."""
        peer = self.request.getpeername()
        far = (self.chain_host, self.chain_port)
        try:
            channel = self.ssh_transport.open_channel("direct-tcpip", far, peer)
        except Exception as error:  # noqa: BLE001 - paramiko has many; the connection ends, the tunnel goes on
            logger.warning("tunnel to %s:%s: the server refused: %s", *far, error)
            return
        logger.debug("tunnel open: %s -> %s", peer, far)
        try:
            _pass_bytes(self.request, channel)
        finally:
            channel.close()
            self.request.close()
            logger.debug("tunnel closed: %s", peer)


def _pass_bytes(near: Any, far: Any) -> None:
    """Pass bytes both ways until one side has no more."""
    while True:
        readable, _, _ = select.select([near, far], [], [])
        for source, sink in ((near, far), (far, near)):
            if source in readable:
                data = source.recv(_CHUNK_BYTES)
                if not data:
                    return
                sink.sendall(data)


def forward_tunnel(local_port: int, remote_host: str, remote_port: int, transport: Any) -> None:
    """Serve connections to a local port until the process ends.

    Args:
        local_port: the port of 127.0.0.1 to listen at.
        remote_host: where the far end connects to.
        remote_port: the port there.
        transport: an authenticated transport of paramiko.

    Raises:
        OSError: the port is taken.
    """
    attributes = {"chain_host": remote_host, "chain_port": remote_port, "ssh_transport": transport}
    with ForwardServer(("127.0.0.1", local_port), type("_TunnelHandler", (Handler,), attributes)) as server:
        server.serve_forever()
