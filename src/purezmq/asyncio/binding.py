"""One socket in one event loop: who waits there for messages, for room and for events, and how they are served.

A binding belongs to its loop's thread: everything here runs there, except what says otherwise. In each turn of the loop
in which the bell rings, the binding lets the socket read what arrived (as any leader does), and serves who waits, in
the order in which they came.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from purezmq.asyncio.bell import make_bell
from purezmq.asyncio.taking import put_back
from purezmq.asyncio.turn import flush_soon
from purezmq.constants import EFSM
from purezmq.engine.burst import flush_thread, thread_state
from purezmq.engine.exported_fd import attach_exported, detach_exported
from purezmq.error import ZMQError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from purezmq.asyncio.socket_state import AsyncSocketState
    from purezmq.asyncio.waiter import PollFuture, ReceiveFuture, SendFuture, Waiter

__all__ = ["LoopBinding"]

#: After this many events in a row that nobody waited for, the loop leaves the socket to the I/O thread.
MAX_IDLE_EVENTS = 2


class LoopBinding:
    """See the module's text.

    Args:
        socket: the handle that the tasks of this loop use.
        loop: the loop.

    Attributes:
        receivers: who waits for messages, and who was given one in this turn and has not gone on with it yet.
        senders: who waits for room.
        pollers: who waits for events.
        blocked: the future of the send that just found no room; `socket.send` takes it from here.
    """

    def __init__(self, socket: AsyncSocketState, loop: AbstractEventLoop) -> None:
        self._socket = ref(socket)
        #: Keeps the socket alive while somebody waits.
        self._kept: AsyncSocketState | None = None
        self.loop = loop
        self.receivers: OrderedDict[ReceiveFuture, None] = OrderedDict()
        self.senders: OrderedDict[SendFuture, None] = OrderedDict()
        self.pollers: OrderedDict[PollFuture, None] = OrderedDict()
        self.blocked: SendFuture | None = None
        self._idle_events = 0
        self._leadership = socket._engine.leadership
        lease = socket._engine.lease
        with lease.afterwards, lease.guard:  # the socket's first connection must not come in between
            self.bell = make_bell(self, self._leadership)
            attach_exported(self._leadership, self.bell)

    @property
    def socket(self) -> AsyncSocketState:
        """The handle.

        Raises:
            ReferenceError: it was forgotten; only after the last waiter was served.
        """
        socket = self._socket()
        if socket is None:
            text = "the socket is gone"
            raise ReferenceError(text)
        return socket

    # -- waiting -------------------------------------------------------------------------------------------------

    def wait(self, waiter: Waiter, among: OrderedDict[Any, None], timeout: float | None) -> None:
        """Let a future wait, at most `timeout` seconds; it's served at once if what it waits for came just now."""
        among[waiter] = None
        if timeout is not None:
            waiter.start_timer(timeout)
        self._idle_events = 0
        bell = self.bell
        bell.held = self
        self._kept = self.socket
        bell.start()
        leadership = self._leadership
        if leadership.watched and bell.tells_of_input:
            leadership._unwatch()  # this loop reads from here on, not the I/O thread
        if thread_state.engines:
            flush_thread()

    def forget(self, waiter: Any) -> None:
        """It waits no more."""
        self.receivers.pop(waiter, None)
        self.pollers.pop(waiter, None)
        if self.senders.pop(waiter, self) is None:
            self._refresh_send_path()
        self._note_idle()

    def _note_idle(self) -> None:
        if not self.receivers and not self.senders and not self.pollers:
            self.bell.held = self._kept = None

    # -- what the loop calls -------------------------------------------------------------------------------------

    def handle_event(self) -> None:
        """The bell rang."""
        if self.bell.held is None:
            self._idle_events += 1
            if self._idle_events > MAX_IDLE_EVENTS:
                self.bell.stop()
                return
        if self._socket() is not None:
            self.look()

    def look(self) -> None:
        """Read what arrived, and serve who waits for it."""
        bell, leadership = self.bell, self._leadership
        bell.deaf = True
        bell.clear()
        leadership.try_pump()
        if leadership.watched and bell.tells_of_input:
            leadership._unwatch()
        bell.deaf = bell.held is None
        self.serve()

    def serve(self) -> None:
        """Serve who waits, as far as there is something for them."""
        socket = self._socket()
        if socket is None:  # forgotten after this call was scheduled
            return
        if not socket._shared.usable:
            self.end()
            return
        if self.receivers:
            self._serve_receivers()
        if self.senders:
            self._serve_senders()
        if self.pollers:
            self._serve_pollers()
        if thread_state.engines:
            flush_soon()
        self._note_idle()

    def _serve_receivers(self) -> None:
        socket = self.socket
        given: list[ReceiveFuture] = []
        failed: list[ReceiveFuture] = []
        for future in self.receivers:
            if future.done():  # it was given a message in this turn
                continue
            try:
                with socket._engine.lease.afterwards, socket._engine.lease.guard:
                    socket._check_open()
                    taken = future.request.take(socket)
                    if taken is not None:
                        future.give(taken)
                        socket._engine.queues.note_taken()
            except ZMQError as error:
                if error.errno == EFSM:  # not now: a send changes that
                    break
                failed.append(future)
                future.fail(error)
                continue
            if taken is None:
                break
            given.append(future)
        # Only now: functions of the application are called, which may do anything to this socket.
        for future in given:
            future.publish()
            if future.taken is None:
                failed.append(future)
        for future in failed:
            self.forget(future)

    def _serve_senders(self) -> None:
        while self.senders:
            future = next(iter(self.senders))
            try:
                if not self._try_send(future.message):
                    return
            except ZMQError as error:
                self.forget(future)
                future.fail(error)
            else:
                self.forget(future)
                future.finish(future.tracker)

    def _serve_pollers(self) -> None:
        for future in list(self.pollers):
            try:
                found = future.look()
            except ZMQError as error:
                self.forget(future)
                future.fail(error)
            else:
                if found:
                    self.forget(future)
                    future.finish(found)

    def _try_send(self, message: Any) -> bool:
        """Send a message that waited; what it needs for the next wake-up is arranged when it can't."""
        socket = self.socket
        engine, pattern = socket._engine, socket._pattern
        with engine.lease.afterwards, engine.lease.guard:
            socket._check_open()
            if pattern.try_send(message):
                return True
            engine.flush_all()
            # First the markers, then the last try: room that comes after it wakes this loop.
            engine.mark_room()
            return pattern.try_send(message)

    # -- receivers that were given a message ---------------------------------------------------------------------

    def note_consumed(self, future: ReceiveFuture) -> None:
        """A task went on with its message."""
        self.receivers.pop(future, None)
        self._note_idle()

    def settle_soon(self) -> None:
        """Who was given a message has it for good in the next turn; who came after them is served then."""
        given = [future for future in self.receivers if future.done()]
        if given:
            # Their tasks were woken before, so they run before that.
            self.loop.call_soon(self._settle, given)

    def _settle(self, given: list[ReceiveFuture]) -> None:
        for future in given:
            self.receivers.pop(future, None)
        self.serve()

    def give_back(self, future: ReceiveFuture, *, collected: bool = False) -> None:
        """A task was cancelled in the turn in which it was given a message: that one goes to the next.

        Those who were given later messages in the same turn, and have not gone on with them, each get the one before:
        the order of messages is that of the calls that are left.

        Args:
            future: what the task waited for.
            collected: the task was not cancelled, but forgotten; this thread may be anywhere.
        """
        socket = self._socket()
        if socket is None:
            return
        engine = socket._engine
        if collected:
            taken, future.taken = future.taken, None
            if taken is not None:
                engine.post(lambda: put_back(socket, taken))
        else:
            with engine.lease.afterwards, engine.lease.guard:
                self._shift(future, socket)
            for other in self.receivers:
                if other.done():
                    other.load()
        self.receivers.pop(future, None)
        if self.receivers and not self.loop.is_closed():
            self.loop.call_soon(self.serve)
        self._note_idle()
        # Another loop, or a thread, may wait for the same socket.
        self._leadership.wake()

    def _shift(self, future: ReceiveFuture, socket: AsyncSocketState) -> None:
        """Put back what a future was given, or rather what the last one after it was given (lease held)."""
        taken, future.taken = future.taken, None
        is_later = False
        for other in self.receivers:
            following = other.taken
            if is_later and following is not None and type(other.request) is type(future.request):
                if taken is None or not (taken.is_whole and following.is_whole):
                    break
                other.give(taken)
                taken = following
            is_later = is_later or other is future
        if taken is not None and not socket._shared.closed:
            try:
                put_back(socket, taken)
            except BaseException:  # a signal handler's: the rest follows when the lease is let go
                socket._engine.post(partial(put_back, socket, taken))
                raise

    # -- the end -------------------------------------------------------------------------------------------------

    def _refresh_send_path(self) -> None:
        with self.socket._engine.lease.afterwards, self.socket._engine.lease.guard:
            self.socket._refresh_send_path()

    def _take_all(self) -> list[Any]:
        waiters: list[Any] = [*self.receivers, *self.senders, *self.pollers]
        self.receivers.clear()
        self.senders.clear()
        self.pollers.clear()
        self._note_idle()
        return [waiter for waiter in waiters if not waiter.done()]

    def end(self) -> None:
        """The socket can't be used any more: closed cancels who waits, a terminated context is an error."""
        socket = self._socket()
        if socket is None:  # forgotten meanwhile: nobody waits
            return
        try:
            socket._check_open()
        except ZMQError as found:
            error = found
        else:
            return
        if self.loop.is_closed():  # nobody waits in it
            self._take_all()
            return
        is_closed = socket._shared.closed
        for waiter in self._take_all():
            if not is_closed:
                waiter.fail(error)
            elif getattr(waiter, "ends_iteration", False):
                waiter.fail(StopAsyncIteration())
            else:
                waiter.cancel()
        if is_closed:
            self.bell.stop()

    def end_from_any_thread(self) -> None:
        """The same, from the thread that closes the socket."""
        if self._is_current():
            self.end()
            return
        self._call(self.end)

    def _is_current(self) -> bool:
        from asyncio import get_running_loop

        try:
            return get_running_loop() is self.loop
        except RuntimeError:
            return not self.loop.is_running()

    def _call(self, callback: Callable[[], None]) -> None:
        try:
            self.loop.call_soon_threadsafe(callback)
        except RuntimeError:  # the loop is closed: nobody waits in it
            return

    def drop(self) -> None:
        """The loop is closed: whoever waited there is gone."""
        self.receivers.clear()
        self.senders.clear()
        self.pollers.clear()
        self.bell.held = self._kept = None
        self.bell.stop()
        with self.socket._engine.lease.afterwards, self.socket._engine.lease.guard:
            detach_exported(self._leadership, self.bell)
            self.socket._refresh_send_path()

    def __del__(self) -> None:
        """The socket was forgotten: its descriptor leaves the loop first, then it is closed."""
        bell = getattr(self, "bell", None)
        if bell is not None:
            bell.stop_from_any_thread()
