"""Steerable proxy devices: a fourth socket takes the commands PAUSE, RESUME, TERMINATE and STATISTICS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from purezmq.constants import PAIR, PUB
from purezmq.devices.basedevice import ProcessDevice, SocketPlan, ThreadDevice
from purezmq.devices.proxydevice import ProcessProxy, Proxy, ProxyBase, ThreadProxy
from purezmq.sockets.proxy import proxy_steerable

if TYPE_CHECKING:
    from purezmq.sockets.socket import Socket

__all__ = ["ProcessProxySteerable", "ProxySteerable", "ProxySteerableBase", "ThreadProxySteerable"]


class ProxySteerableBase(ProxyBase):
    """What the steerable proxy devices have in common.

    Args:
        in_type: type of the one socket.
        out_type: type of the other.
        mon_type: type of the socket that gets the copies.
        ctrl_type: type of the socket that takes the commands; None: PAIR.
    """

    def __init__(self, in_type: int, out_type: int, mon_type: int = PUB, ctrl_type: int | None = None) -> None:
        super().__init__(in_type, out_type, mon_type)
        self.ctrl_type = PAIR if ctrl_type is None else ctrl_type
        self._ctrl = SocketPlan(self.ctrl_type)

    def bind_ctrl(self, addr: str) -> None:
        """Bind the control socket to `addr` when the device starts."""
        self._ctrl.binds.append(addr)

    def bind_ctrl_to_random_port(self, addr: str, *args: int, **kwargs: int) -> int:
        """Bind the control socket to a free port when the device starts; as `bind_in_to_random_port`."""
        return self._plan_random_port(self._ctrl, addr, *args, **kwargs)

    def connect_ctrl(self, addr: str) -> None:
        """Connect the control socket to `addr` when the device starts."""
        self._ctrl.connects.append(addr)

    def setsockopt_ctrl(self, opt: int, value: Any) -> None:
        """Set an option of the control socket when the device starts."""
        self._ctrl.options.append((opt, value))

    def _setup_sockets(self) -> tuple[Socket, ...]:
        return (*super()._setup_sockets(), self._open(self._ctrl))

    def run_device(self) -> None:
        """Make the sockets and pass messages until the command TERMINATE."""
        in_socket, out_socket, mon_socket, ctrl_socket = self._setup_sockets()
        proxy_steerable(in_socket, out_socket, mon_socket, ctrl_socket)


class ProxySteerable(ProxySteerableBase, Proxy):
    """A steerable proxy run in the thread that calls `start`."""


class ThreadProxySteerable(ProxySteerableBase, ThreadProxy, ThreadDevice):
    """A steerable proxy in a thread."""


class ProcessProxySteerable(ProxySteerableBase, ProcessProxy, ProcessDevice):
    """A steerable proxy in a process."""
