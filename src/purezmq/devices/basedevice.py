"""Devices: two sockets described beforehand, and a proxy between them, in this thread, another one or a process.

A device makes its sockets where it runs; until then it only notes what they shall be.
"""

from __future__ import annotations

from multiprocessing import Process
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, ClassVar

from purezmq.constants import ENOTSOCK, ETERM, PUSH, QUEUE
from purezmq.error import ZMQBindError, ZMQError
from purezmq.sockets.context import Context
from purezmq.sockets.proxy import device

if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.sockets.socket import Socket

__all__ = ["BackgroundDevice", "Device", "ProcessDevice", "SocketPlan", "ThreadDevice"]

#: How often another port is tried when the one that the system gave is a port of this device already.
_PORT_TRIES = 100


class SocketPlan:
    """What one socket of a device shall be; plain data, which goes to another process.

    Attributes:
        kind: the socket type.
        binds: endpoints to bind to.
        connects: endpoints to connect to.
        options: options with their values, set in this order before anything is bound.
    """

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self.binds: list[str] = []
        self.connects: list[str] = []
        self.options: list[tuple[int, Any]] = []

    def open(self, context: Context[Any]) -> Socket:
        """Make the socket.

        Raises:
            ZMQError: as `Socket.setsockopt`, `bind` and `connect`.
        """
        socket: Socket = context.socket(self.kind)
        try:
            for option, value in self.options:
                socket.setsockopt(option, value)
            for endpoint in self.binds:
                socket.bind(endpoint)
            for endpoint in self.connects:
                socket.connect(endpoint)
        except BaseException:
            socket.close(0)
            raise
        return socket


class Device:
    """A proxy with its two sockets, run in the thread that calls `start`.

    Args:
        device_type: QUEUE, FORWARDER or STREAMER; it makes no difference.
        in_type: type of the one socket.
        out_type: type of the other; a negative number: there is only one, which echoes to its peers.

    Attributes:
        daemon: whether a thread or process of it ends with the program; True at first.
        done: whether it has run and ended.
        context_factory: makes the context that it runs in; the one of the process (`Context.instance`) for threads.
    """

    context_factory: Callable[[], Context[Any]] = Context.instance
    daemon: bool = True

    def __init__(self, device_type: int = QUEUE, in_type: int | None = None, out_type: int | None = None) -> None:
        if in_type is None or out_type is None:
            raise TypeError("a device needs the types of both sockets: in_type and out_type")
        self.device_type = device_type
        self.in_type = in_type
        self.out_type = out_type
        self._in = SocketPlan(in_type)
        # Without a second socket, what is said of it is for the first, as in pyzmq.
        self._out = SocketPlan(out_type) if out_type >= 0 else self._in
        self._reserved: set[str] = set()
        self._sockets: list[Socket] = []
        #: While it runs, the one that all of its sockets are in.
        self._context: Context[Any] | None = None
        self._ended = Event()

    def __getstate__(self) -> dict[str, Any]:
        # What goes to another process: the plans, not the threads' things.
        local = {"_context", "_ended", "_sockets", "launcher"}
        return {name: value for name, value in vars(self).items() if name not in local}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _context=None, _sockets=[], _ended=Event())

    @property
    def done(self) -> bool:
        """Whether it has run and ended (in this process)."""
        return self._ended.is_set()

    def bind_in(self, addr: str) -> None:
        """Bind the in socket to `addr` when the device starts."""
        self._in.binds.append(addr)

    def bind_in_to_random_port(self, addr: str, *args: int, **kwargs: int) -> int:
        """Bind the in socket to a free port of `addr` when the device starts.

        Args:
            addr: an endpoint without its port (``"tcp://127.0.0.1"``).
            args: min_port, max_port and max_tries of `Socket.bind_to_random_port`.
            kwargs: the same.

        Returns:
            The port, which is free now.

        Raises:
            ZMQBindError: there is no free port.
        """
        return self._plan_random_port(self._in, addr, *args, **kwargs)

    def connect_in(self, addr: str) -> None:
        """Connect the in socket to `addr` when the device starts."""
        self._in.connects.append(addr)

    def setsockopt_in(self, opt: int, value: Any) -> None:
        """Set an option of the in socket when the device starts."""
        self._in.options.append((opt, value))

    def bind_out(self, addr: str) -> None:
        """Bind the out socket to `addr` when the device starts."""
        self._out.binds.append(addr)

    def bind_out_to_random_port(self, addr: str, *args: int, **kwargs: int) -> int:
        """Bind the out socket to a free port of `addr` when the device starts; as `bind_in_to_random_port`."""
        return self._plan_random_port(self._out, addr, *args, **kwargs)

    def connect_out(self, addr: str) -> None:
        """Connect the out socket to `addr` when the device starts."""
        self._out.connects.append(addr)

    def setsockopt_out(self, opt: int, value: Any) -> None:
        """Set an option of the out socket when the device starts."""
        self._out.options.append((opt, value))

    def _plan_random_port(self, plan: SocketPlan, addr: str, *args: int, **kwargs: int) -> int:
        """Find a free port and note it in `plan`; the port is free again until the device starts."""
        with Context[Any]() as context:
            for _ in range(_PORT_TRIES):
                with context.socket(PUSH) as socket:
                    port: int = socket.bind_to_random_port(addr, *args, **kwargs)
                endpoint = f"{addr}:{port}"
                if endpoint not in self._reserved:
                    self._reserved.add(endpoint)
                    plan.binds.append(endpoint)
                    return port
        raise ZMQBindError(f"no port of {addr} is free that this device doesn't use already")

    def _open(self, plan: SocketPlan) -> Socket:
        if self._context is None:
            self._context = self.context_factory()
        socket = plan.open(self._context)
        self._sockets.append(socket)
        return socket

    def _setup_sockets(self) -> tuple[Socket, ...]:
        """Make the sockets, in and out first."""
        in_socket = self._open(self._in)
        return in_socket, in_socket if self.out_type < 0 else self._open(self._out)

    def _close_sockets(self) -> None:
        while self._sockets:
            self._sockets.pop().close()
        self._context = None

    def run_device(self) -> None:
        """Make the sockets and pass messages; a class that derives from this one says how."""
        in_socket, out_socket = self._setup_sockets()
        device(self.device_type, in_socket, out_socket)

    def run(self) -> None:
        """Run until the context is terminated or a socket closed.

        Raises:
            ZMQError: a socket could not be made, bound or connected.
        """
        self._ended.clear()
        try:
            self.run_device()
        except ZMQError as error:
            if error.errno not in {ETERM, ENOTSOCK}:
                raise
        finally:
            self._close_sockets()
            self._ended.set()

    def start(self) -> None:
        """Run it, in this thread; it returns when the device has ended."""
        self.run()

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end.

        Args:
            timeout: how long at most, in seconds; None: for ever.
        """
        self._ended.wait(timeout)


class BackgroundDevice(Device):
    """A device that `start` runs beside the caller.

    Attributes:
        launcher: the thread or process that runs it, once it was started.
    """

    launcher: Any = None
    _launch_class: ClassVar[Any] = None

    def start(self) -> None:
        """Start it; it returns at once."""
        self.launcher = self._launch_class(target=self.run)
        self.launcher.daemon = self.daemon
        self.launcher.start()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end of its thread or process, at most `timeout` seconds if given."""
        self.launcher.join(timeout=timeout)


class ThreadDevice(BackgroundDevice):
    """A device in a thread, in the context of the process."""

    _launch_class = Thread


class ProcessDevice(BackgroundDevice):
    """A device in a process, with a context of its own."""

    _launch_class = Process
    context_factory = Context
