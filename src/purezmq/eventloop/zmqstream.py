"""ZMQStream: callbacks for what a socket receives and has sent, run by tornado's IOLoop.

The socket's descriptor is readable when something may have changed since EVENTS was read last. So every handler reads
EVENTS; and whoever leaves something undone that is wanted (a second message, a queued send) schedules another look,
because the descriptor will not tell it again. What is not wanted costs nothing: a stream that doesn't receive lets
messages lie.

One turn of the loop handles one message of each direction, so that streams of one loop share it fairly.
"""

from __future__ import annotations

import asyncio
import inspect
import pickle
import sys
import warnings
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

from purezmq.constants import EAGAIN, POLLIN, POLLOUT, Flag, SocketOption, SocketType
from purezmq.error import ContextTerminated, ZMQError
from purezmq.eventloop.tornado_loop import IOLoop, gen_log
from purezmq.sockets.poller import Poller
from purezmq.sockets.socket import Socket
from purezmq.utils import jsonapi

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Literal, overload

    from purezmq.message import Frame, MessageTracker

    SendCallback = Callable[[list[Any], MessageTracker | None], Any]

__all__ = ["ZMQStream"]

_POLLIN = int(POLLIN)
_POLLOUT = int(POLLOUT)
_EVENTS = int(SocketOption.EVENTS)
_TYPE = int(SocketOption.LINGER)


class ZMQStream:
    """A socket with callbacks. To be used in the thread of its loop; only `closed`, `receiving`, `sending` elsewhere.

    A callback may be a coroutine function. What it raises is logged; what a plain function raises goes on to the loop,
    which logs it, too. ``bind``, ``connect``, ``setsockopt`` and their kin are those of the socket.

    Args:
        socket: a plain socket. Of an asynchronous one a plain handle is made, with a RuntimeWarning.
        io_loop: the loop; by default the current one.

    Attributes:
        socket: the socket; None once the stream is closed.
        io_loop: the loop.
        poller: a poller of its own, for pyzmq's sake.
    """

    socket: Socket
    io_loop: IOLoop
    poller: Poller

    def __init__(self, socket: Socket, io_loop: IOLoop | None = None) -> None:
        self.socket = socket = _plain(socket)
        self.io_loop = io_loop or IOLoop.current()
        self.poller = Poller()
        self._fd: int = socket.FD
        self._send_queue: Queue[tuple[Sequence[Any], dict[str, Any]]] = Queue()
        self._recv_callback: Callable[[list[Any]], Any] | None = None
        self._send_callback: Callable[..., Any] | None = None
        self._close_callback: Callable[[], Any] | None = None
        self._recv_copy = False
        self._is_scheduled = False
        #: The events that are wanted: POLLIN while there is a callback, POLLOUT while something is queued.
        self._state = 0
        self.bind = socket.bind
        self.bind_to_random_port = socket.bind_to_random_port
        self.connect = socket.connect
        self.setsockopt = socket.setsockopt
        self.getsockopt = socket.getsockopt
        self.setsockopt_string = socket.setsockopt_string
        self.getsockopt_string = socket.getsockopt_string
        self.setsockopt_unicode = socket.setsockopt_unicode
        self.getsockopt_unicode = socket.getsockopt_unicode
        self.io_loop.add_handler(self.socket, self._handle_events, self.io_loop.READ)

    # -- receiving -----------------------------------------------------------------------------------------------

    if TYPE_CHECKING:

        @overload
        def on_recv(self, callback: Callable[[list[bytes]], Any]) -> None: ...
        @overload
        def on_recv(self, callback: Callable[[list[bytes]], Any], copy: Literal[True]) -> None: ...
        @overload
        def on_recv(self, callback: Callable[[list[Frame]], Any], copy: Literal[False]) -> None: ...
        @overload
        def on_recv(self, callback: Callable[[list[Any]], Any] | None, copy: bool = ...) -> None: ...

    def on_recv(self, callback: Callable[[list[Any]], Any] | None, copy: bool = True) -> None:
        """Call this for every message from now on, instead of what was called until now.

        Args:
            callback: takes the list of the message's parts; None to let messages lie.
            copy: True for parts as bytes, False for Frames.

        Raises:
            AssertionError: the callback can't be called.
            OSError: the stream is closed.
        """
        self._check_open()
        assert callback is None or callable(callback)
        self._recv_callback = callback
        self._recv_copy = copy
        if callback is None:
            self._state &= ~_POLLIN
        else:
            self._want(_POLLIN)

    if TYPE_CHECKING:

        @overload
        def on_recv_stream(self, callback: Callable[[ZMQStream, list[bytes]], Any]) -> None: ...
        @overload
        def on_recv_stream(self, callback: Callable[[ZMQStream, list[bytes]], Any], copy: Literal[True]) -> None: ...
        @overload
        def on_recv_stream(self, callback: Callable[[ZMQStream, list[Frame]], Any], copy: Literal[False]) -> None: ...
        @overload
        def on_recv_stream(self, callback: Callable[[ZMQStream, list[Any]], Any] | None, copy: bool = ...) -> None: ...

    def on_recv_stream(self, callback: Callable[[ZMQStream, list[Any]], Any] | None, copy: bool = True) -> None:
        """As `on_recv`, for a callback that takes this stream and the message; so that one serves several streams."""
        if callback is None:
            self.stop_on_recv()
        else:
            taken = callback
            self.on_recv(lambda message: taken(self, message), copy=copy)

    def stop_on_recv(self) -> None:
        """Let messages lie: the same as ``on_recv(None)``."""
        self.on_recv(None)

    # -- sending -------------------------------------------------------------------------------------------------

    def on_send(self, callback: SendCallback | None) -> None:
        """Call this after every send from now on, instead of what was called until now.

        Args:
            callback: takes the message as it was given to the socket (always a list of parts) and what
                ``socket.send_multipart`` returned: a MessageTracker if asked for, else None; or the ZMQError that it
                raised. None for no callback.

        Raises:
            AssertionError: the callback can't be called.
            OSError: the stream is closed.
        """
        self._check_open()
        assert callback is None or callable(callback)
        self._send_callback = callback

    def on_send_stream(self, callback: Callable[[ZMQStream, list[Any], MessageTracker | None], Any] | None) -> None:
        """As `on_send`, for a callback that takes this stream, the message and the status."""
        if callback is None:
            self.stop_on_send()
        else:
            taken = callback
            self.on_send(lambda message, status: taken(self, message, status))

    def stop_on_send(self) -> None:
        """Call nothing after a send: the same as ``on_send(None)``."""
        self.on_send(None)

    def send(
        self,
        msg: Any,
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        callback: SendCallback | None = None,
        **kwargs: Any,
    ) -> None:
        """Queue a message of one part; see `send_multipart`."""
        self.send_multipart([msg], flags=flags, copy=copy, track=track, callback=callback, **kwargs)

    def send_multipart(
        self,
        msg: Sequence[Any],
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        callback: SendCallback | None = None,
        **kwargs: Any,
    ) -> None:
        """Queue a message; the loop sends it when the socket takes it.

        Args:
            msg: its parts.
            flags: as for `Socket.send_multipart`.
            copy: False to refer to large parts instead of copying them.
            track: True to give the callback a MessageTracker.
            callback: becomes the callback of `on_send`, for this and all later messages.
            kwargs: passed on to `Socket.send_multipart`.

        Raises:
            OSError: the stream is closed.
        """
        self._check_open()
        kwargs.update(flags=flags, copy=copy, track=track)
        self._send_queue.put((msg, kwargs))
        if callback is not None:
            self.on_send(callback)
        self._want(_POLLOUT)

    def send_string(
        self,
        u: str,
        flags: int = 0,
        encoding: str = "utf-8",
        callback: SendCallback | None = None,
        **kwargs: Any,
    ) -> None:
        """Queue text; see `send_multipart`.

        Raises:
            TypeError: it is no str.
        """
        given: object = u
        if not isinstance(given, str):
            text = f"send_string takes a str, not {type(given).__name__}"
            raise TypeError(text)
        self.send(given.encode(encoding), flags=flags, callback=callback, **kwargs)

    send_unicode = send_string

    def send_json(self, obj: Any, flags: int = 0, callback: SendCallback | None = None, **kwargs: Any) -> None:
        """Queue an object as JSON; kwargs are those of `send_multipart`."""
        self.send(jsonapi.dumps(obj), flags=flags, callback=callback, **kwargs)

    def send_pyobj(
        self, obj: Any, flags: int = 0, protocol: int = -1, callback: SendCallback | None = None, **kwargs: Any
    ) -> None:
        """Queue a pickled object; kwargs are those of `send_multipart`."""
        self.send(pickle.dumps(obj, protocol), flags=flags, callback=callback, **kwargs)

    # -- other callbacks -----------------------------------------------------------------------------------------

    def on_err(self, callback: Callable[..., Any] | None) -> None:
        """Do nothing, as in pyzmq: 0MQ sockets have no error events."""
        gen_log.warning("on_err does nothing, and will be removed")

    def stop_on_err(self) -> None:
        """Do nothing: see `on_err`."""
        gen_log.warning("on_err does nothing, and will be removed")

    def set_close_callback(self, callback: Callable[[], Any] | None) -> None:
        """Call this, without arguments, when the stream was closed."""
        self._close_callback = callback

    # -- now -----------------------------------------------------------------------------------------------------

    def flush(self, flag: int = POLLIN | POLLOUT, limit: int | None = None) -> int:
        """Receive and send what is pending now, without waiting for the loop, and call the callbacks.

        Messages are received, and forgotten, also if nothing is registered for them.

        Args:
            flag: POLLIN to receive, POLLOUT to send, or both.
            limit: handle at most this many messages, of both directions together; None or 0 for as many as there are.

        Returns:
            How many were handled.

        Raises:
            OSError: the stream is closed.
        """
        self._check_open()
        wanted = int(flag)
        count = 0
        try:
            while not self.closed() and (not limit or count < limit):
                events = self.socket.poll(0, wanted if self.sending() else wanted & ~_POLLOUT)
                if not events:
                    break
                if events & _POLLIN:
                    count += self._receive_one()
                    if self.closed() or (limit and count >= limit):
                        break
                if events & _POLLOUT and self.sending() and self.socket.poll(0, _POLLOUT):  # still, after the callback
                    self._send_one()
                    count += 1
        finally:
            if not self.closed():
                self._rebuild_state()
        return count

    def close(self, linger: int | None = None) -> None:
        """Close the socket and take the stream out of the loop; then the close callback is called. Idempotent.

        Args:
            linger: as for `Socket.close`.
        """
        given: Socket | None = self.socket
        if given is None:
            return
        if given.closed:
            warnings.warn(
                f"the socket was closed, not its stream: descriptor {self._fd} is taken out of the loop, whoever "
                "may own it by now; use stream.close() instead",
                stacklevel=2,
            )
        # By its number: a socket that is closed, or of a terminated context, doesn't tell it any more.
        self.io_loop.remove_handler(self._fd)
        given.close(linger)
        # Annotated for those who use an open stream; a closed one has none.
        self.socket = None  # type: ignore[assignment]  # pyzmq's contract
        self._state = 0
        if self._close_callback is not None:
            self._run_callback(self._close_callback)

    # -- state ---------------------------------------------------------------------------------------------------

    def receiving(self) -> bool:
        """Whether a callback for messages is registered."""
        return self._recv_callback is not None

    def sending(self) -> bool:
        """Whether messages are queued that the socket did not take yet."""
        return not self._send_queue.empty()

    def closed(self) -> bool:
        """Whether the stream is closed; one whose socket was closed is closed hereby."""
        given: Socket | None = self.socket
        if given is None:
            return True
        if given.closed:
            self.close()
            return True
        return False

    def _check_open(self) -> None:
        if self.socket is None:
            raise OSError("Stream is closed")
        self.socket.getsockopt(_TYPE)  # raises ENOTSOCK

    # -- in the loop ---------------------------------------------------------------------------------------------

    def _want(self, event: int) -> None:
        """An event is of interest from now on; it may have come already, which the descriptor will not tell again."""
        self._state |= event
        self._look_again()

    def _look_again(self) -> None:
        """Schedule another turn if something that is wanted can be done now."""
        if self._state and not self._is_scheduled:
            ready = self.socket.getsockopt(_EVENTS)
            if ready & self._state:
                self._is_scheduled = True
                self.io_loop.add_callback(self._handle_turn, ready)

    def _rebuild_state(self) -> None:
        self._state = (_POLLIN if self.receiving() else 0) | (_POLLOUT if self.sending() else 0)
        self._look_again()

    def _handle_turn(self, ready: int) -> None:
        self._is_scheduled = False
        if not self.closed():
            self._run_turn(ready)

    def _handle_events(self, fd: Any, events: int) -> None:
        """The descriptor is readable."""
        if self.closed():
            gen_log.warning("Got events for closed stream %s", self)
        else:
            self._run_turn(None)

    def _run_turn(self, ready: int | None) -> None:
        """Receive one message and send one.

        Args:
            ready: EVENTS as they were when this turn was scheduled; None to read them, which quiets the descriptor.
        """
        try:
            if ready is None:
                ready = self.socket.getsockopt(_EVENTS)
            if ready & _POLLIN and self.receiving():
                self._receive_one()
                if self.closed():
                    return
            # Asked again: what was sent since (by `flush`, a callback, a thread) may have taken the room, and a send
            # that waits for more would stop the loop.
            if self.sending() and self.socket.getsockopt(_EVENTS) & _POLLOUT:
                self._send_one()
        except ContextTerminated:
            # The descriptor stays readable until the socket is closed: the loop must not come here again and again.
            self.io_loop.remove_handler(self._fd)
            self._state = 0
            gen_log.exception("Uncaught exception in zmqstream callback")
            raise
        except Exception:
            gen_log.exception("Uncaught exception in zmqstream callback")
            # The next message must not wait for the one after it.
            if not self.closed():
                self._rebuild_state()
            raise
        if not self.closed():
            self._rebuild_state()

    def _receive_one(self) -> int:
        """Receive a message and hand it over; whether there was one."""
        try:
            message = self.socket.recv_multipart(Flag.DONTWAIT, copy=self._recv_copy)
        except ZMQError as error:
            if error.errno == EAGAIN:
                return 0
            raise
        if self._recv_callback is not None:
            self._run_callback(self._recv_callback, message)
        return 1

    def _send_one(self) -> None:
        try:
            message, arguments = self._send_queue.get_nowait()
        except Empty:
            return
        status: Any
        try:
            status = self.socket.send_multipart(message, **arguments)
        except ZMQError as error:
            gen_log.error("SEND Error: %s", error)
            status = error
        if self._send_callback is not None:
            self._run_callback(self._send_callback, message, status)

    def _run_callback(self, callback: Callable[..., Any], *arguments: Any) -> None:
        try:
            result = callback(*arguments)
        except Exception:
            gen_log.exception("Uncaught exception in ZMQStream callback")
            raise
        if inspect.isawaitable(result):
            _log_failure(result)


def _log_failure(awaitable: Awaitable[Any]) -> None:
    """Run what a callback returned to its end, and log what it raises."""

    def handle_done(future: asyncio.Future[Any]) -> None:
        try:
            future.result()
        except asyncio.CancelledError:
            return
        except Exception:  # noqa: BLE001 - whatever a callback raises is logged, there is nobody to raise it to
            gen_log.exception("Uncaught exception in ZMQStream callback")

    asyncio.ensure_future(awaitable).add_done_callback(handle_done)


def _plain(socket: Socket) -> Socket:
    """The socket itself, or a plain handle of an asynchronous one."""
    asyncio_front = sys.modules.get("purezmq.asyncio")
    if asyncio_front is None or not isinstance(socket, asyncio_front.Socket):
        return socket
    name = SocketType(socket.type).name
    warnings.warn(
        "ZMQStream needs a plain socket and uses a second handle of this asynchronous one; make a plain one with "
        f"zmq.Socket(shadow) or ctx.socket(zmq.{name}, socket_class=zmq.Socket)",
        RuntimeWarning,
        stacklevel=3,
    )
    return Socket(socket)
