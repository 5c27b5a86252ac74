"""Proxy devices: a third socket gets a copy of every message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from purezmq.constants import PUB
from purezmq.devices.basedevice import Device, ProcessDevice, SocketPlan, ThreadDevice
from purezmq.sockets.proxy import proxy

if TYPE_CHECKING:
    from purezmq.sockets.socket import Socket

__all__ = ["ProcessProxy", "Proxy", "ProxyBase", "ThreadProxy"]


class ProxyBase(Device):
    """What the proxy devices have in common.

    Args:
        in_type: type of the one socket.
        out_type: type of the other.
        mon_type: type of the socket that gets the copies.
    """

    def __init__(self, in_type: int, out_type: int, mon_type: int = PUB) -> None:
        super().__init__(in_type=in_type, out_type=out_type)
        self.mon_type = mon_type
        self._mon = SocketPlan(mon_type)

    def bind_mon(self, addr: str) -> None:
        """Bind the monitor socket to `addr` when the device starts."""
        self._mon.binds.append(addr)

    def bind_mon_to_random_port(self, addr: str, *args: int, **kwargs: int) -> int:
        """Bind the monitor socket to a free port when the device starts; as `bind_in_to_random_port`."""
        return self._plan_random_port(self._mon, addr, *args, **kwargs)

    def connect_mon(self, addr: str) -> None:
        """Connect the monitor socket to `addr` when the device starts."""
        self._mon.connects.append(addr)

    def setsockopt_mon(self, opt: int, value: Any) -> None:
        """Set an option of the monitor socket when the device starts."""
        self._mon.options.append((opt, value))

    def _setup_sockets(self) -> tuple[Socket, ...]:
        return (*super()._setup_sockets(), self._open(self._mon))

    def run_device(self) -> None:
        """Make the sockets and pass messages."""
        in_socket, out_socket, mon_socket = self._setup_sockets()
        proxy(in_socket, out_socket, mon_socket)


class Proxy(ProxyBase):
    """A proxy run in the thread that calls `start`."""


class ThreadProxy(ProxyBase, ThreadDevice):
    """A proxy in a thread."""


class ProcessProxy(ProxyBase, ProcessDevice):
    """A proxy in a process."""
