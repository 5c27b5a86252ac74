"""Devices around `monitored_queue`: proxies whose copies tell the direction by a prefix."""

from __future__ import annotations

from purezmq.constants import PUB
from purezmq.devices.monitoredqueue import monitored_queue
from purezmq.devices.proxydevice import ProcessProxy, Proxy, ProxyBase, ThreadProxy

__all__ = ["MonitoredQueue", "MonitoredQueueBase", "ProcessMonitoredQueue", "ThreadMonitoredQueue"]


class MonitoredQueueBase(ProxyBase):
    """What the monitored queues have in common.

    Args:
        in_type: type of the one socket.
        out_type: type of the other.
        mon_type: type of the socket that gets the copies.
        in_prefix: the part in front of copies of what came from the in socket.
        out_prefix: the part in front of copies of what came from the out socket.
    """

    def __init__(
        self, in_type: int, out_type: int, mon_type: int = PUB, in_prefix: bytes = b"in", out_prefix: bytes = b"out"
    ) -> None:
        super().__init__(in_type, out_type, mon_type)
        self._in_prefix = in_prefix
        self._out_prefix = out_prefix

    def run_device(self) -> None:
        """Make the sockets and pass messages."""
        in_socket, out_socket, mon_socket = self._setup_sockets()
        monitored_queue(in_socket, out_socket, mon_socket, self._in_prefix, self._out_prefix)


class MonitoredQueue(MonitoredQueueBase, Proxy):
    """A monitored queue run in the thread that calls `start`."""


class ThreadMonitoredQueue(MonitoredQueueBase, ThreadProxy):
    """A monitored queue in a thread."""


class ProcessMonitoredQueue(MonitoredQueueBase, ProcessProxy):
    """A monitored queue in a process."""
