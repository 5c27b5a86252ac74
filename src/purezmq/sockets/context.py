"""Context: makes sockets, owns the I/O threads and the inproc names, and ends them all in good order."""

from __future__ import annotations

import os
import warnings
from errno import EFAULT, EMFILE
from time import monotonic
from weakref import WeakSet, WeakValueDictionary

from purezmq.constants import EAGAIN, EINVAL, EMSGSIZE, ETERM, ContextOption, SocketOption
from purezmq.engine import forking
from purezmq.engine.burst import flush_thread
from purezmq.error import ZMQError, make_error
from purezmq.native import Condition, RLock, allocate_lock
from purezmq.options import ContextOptions, SocketOptions
from purezmq.sockets.generic import Generic, public_name
from purezmq.sockets.socket import Socket
from purezmq.sockets.trust import PicklePolicy
from purezmq.transports.inproc import InprocRegistry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Self

    from typing_extensions import TypeVar

    from purezmq.engine.io_threads import IoThreads, ThreadSettings
    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.message import Message
    from purezmq.patterns.base import Pattern
    from purezmq.pipe import Budget
    from purezmq.sockets.shared_state import SharedState
    from purezmq.sockets.statistics import ContextStats

    # By its default `Context` alone is `Context[Socket]`.
    _S_co = TypeVar("_S_co", bound=Socket, default=Socket, covariant=True)

__all__ = ["Context"]

#: Contexts by their `underlying`.
_living: WeakValueDictionary[int, Context[Any]] = WeakValueDictionary()

#: MAX_MSGSZ at its default: no size is looked at.
_NO_SIZE_LIMIT = 2**31 - 1
#: The methods of a pattern that MAX_MSGSZ replaces.
_LIMITED = ("try_send", "try_send_many", "fast_target")
#: Of their messages the first part is the peer's address, and doesn't count.
_ADDRESSING_TYPES = frozenset({"ROUTER", "STREAM", "DGRAM"})

#: Names that are the context's own, not defaults of its sockets.
_OWN_ATTRIBUTES = frozenset({"sockopts", "loops", "inproc", "io_thread_count"})


class Context(PicklePolicy, Generic["_S_co"]):
    """A family of sockets; inproc connects within one. Use one per process: ``Context.instance()``, or several.

    Args:
        io_threads: how many I/O threads; 0 for inproc only. Or another Context, of which this is a second handle.
        shadow: a Context, of which this is a second handle (closing it doesn't terminate).

    Attributes:
        sockopts: options that become defaults of new sockets; set them by `setsockopt` or as attributes.
    """

    _socket_class: type[Socket] = Socket
    _instance: Any = None
    _instance_lock = RLock()
    _instance_pid: int | None = None

    sockopts: dict[int, Any]

    def __init__(self, io_threads: int | Context[Any] = 1, shadow: Context[Any] | int = 0) -> None:
        source = io_threads if isinstance(io_threads, Context) else shadow
        if source is shadow and isinstance(source, int) and source:
            source = _find_context(source)
        set_own = object.__setattr__
        set_own(self, "_shadowed", source if isinstance(source, Context) else None)
        if isinstance(source, Context):
            set_own(self, "__dict__", {**source.__dict__, "_shadowed": source})
            return
        options = ContextOptions()
        if isinstance(io_threads, int):
            options.set(ContextOption.IO_THREADS, io_threads)
        set_own(self, "_options", options)
        set_own(self, "sockopts", {})
        set_own(self, "_state", _State())
        _living[self.underlying] = self
        set_own(self, "inproc", InprocRegistry())
        forking.register(self)

    # -- what the engine needs (EngineContext) -------------------------------------------------------------------

    @property
    def budget(self) -> Budget | None:
        """The bytes that all queues share, where `max_bytes` limits them."""
        budget: Budget | None = self._state.budget
        return budget

    @property
    def swap_thread(self) -> Any:
        """The thread that does the work on disk; it begins with the first message that spills."""
        state = self._state
        with state.condition:
            if state.swap_thread is None:
                from purezmq.engine.swap_thread import SwapThread

                state.swap_thread = SwapThread()
            return state.swap_thread

    @property
    def io_thread_count(self) -> int:
        """IO_THREADS."""
        return int(self._options.get(ContextOption.IO_THREADS))

    @property
    def loops(self) -> IoThreads:
        """The loops; made with the first socket, for IO_THREADS may be set until then."""
        from purezmq.engine.io_threads import IoThreads  # with the first socket, as the rest of the engine

        state = self._state
        with state.condition:
            threads: IoThreads | None = state.io_threads
            if threads is None:
                threads = state.io_threads = IoThreads(self.io_thread_count, _thread_settings(self._options))
            return threads

    def handle_engine_closed(self, engine: SocketEngine) -> None:
        """A closed socket has sent what it could."""
        state = self._state
        with state.condition:
            state.engines.discard(engine)
            state.condition.notify_all()

    @property
    def _terminating(self) -> bool:
        """Whether `term` was called on any handle of this context."""
        return bool(self._state.terminating)

    # -- sockets -------------------------------------------------------------------------------------------------

    def socket(self, socket_type: int, socket_class: Any = None, **kwargs: Any) -> _S_co:
        """Make a socket.

        Args:
            socket_type: a SocketType.
            socket_class: the class to use instead of the context's own.
            kwargs: options by lower-case name, and what the class's constructor takes.

        Raises:
            ZMQError: EINVAL (no such type), EMFILE (MAX_SOCKETS), ETERM (terminated).
        """
        given: Any = socket_type
        if isinstance(given, str):
            text = f"a socket type is a number, such as zmq.REQ, not the text {given!r}"
            raise TypeError(text)
        make: Any = socket_class or self._socket_class
        socket: _S_co = make(self, socket_type, **kwargs)
        for option, value in self.sockopts.items():
            if option != SocketOption.SUBSCRIBE or socket_type == 2:
                _set_default(socket, option, value)
        return socket

    def _make_socket(self, socket_type: int) -> Socket:
        """A plain socket for the library's own use."""
        socket = Socket(self, socket_type)
        for name in _LIMITED:  # MAX_MSGSZ is about the application's messages
            vars(socket._pattern).pop(name, None)
        return socket

    def _make_options(self, socket_type: int) -> SocketOptions:
        if self.closed:
            raise make_error(EFAULT, "the context has ended; make another one")
        if self._terminating:
            raise make_error(ETERM, "the context is terminated; make another one")
        options = SocketOptions(socket_type)
        if self._options.ipv6:
            options.ipv6 = 1
        if not self._options.blocky:
            options.linger = 0
        return options

    def _add_socket(self, shared: SharedState) -> None:
        state = self._state
        if self._options.max_msgsz != _NO_SIZE_LIMIT:
            _limit_size(shared.pattern, self._options.max_msgsz)
        with state.condition:
            if len(state.sockets) >= self._options.max_sockets:
                shared.abandon()
                shared.engine.close(0)
                raise make_error(
                    EMFILE, f"the context has MAX_SOCKETS ({self._options.max_sockets}) open sockets; close some"
                )
            state.sockets.add(shared)
            state.engines.add(shared.engine)
            if state.terminating:
                shared.end_use()

    def _remove_socket(self, shared: SharedState) -> None:
        state = self._state
        with state.condition:
            state.sockets.discard(shared)
            state.condition.notify_all()

    # -- memory ----------------------------------------------------------------------------------------------------

    @property
    def max_bytes(self) -> int:
        """Most bytes of messages in all queues of all sockets together; 0 for no limit.

        At the limit a queue that holds any message counts as full, whatever its own limits say, and its overflow policy
        decides; an empty one takes one message, so nothing ever stands still. What is on disk doesn't count.

        Raises:
            ZMQError: EINVAL: negative.
        """
        budget = self._state.budget
        return 0 if budget is None else budget.limit

    @max_bytes.setter
    def max_bytes(self, limit: int) -> None:
        if limit < 0:
            raise make_error(EINVAL, f"max_bytes must be 0 or more, not {limit}")
        state = self._state
        with state.condition:
            if limit:
                from purezmq.pipe import Budget

                state.budget = Budget(int(limit), allocate_lock())
            else:
                state.budget = None
            sockets = list(state.sockets)
        for shared in sockets:
            with shared.engine.lease.afterwards, shared.engine.lease.guard:
                shared.engine.queues.apply()
                shared.refresh_send_paths()

    def stats(self) -> ContextStats:
        """What all open sockets have sent, received, queued and dropped. Any thread, at any time.

        Returns:
            A `ContextStats` that doesn't change any more.
        """
        from purezmq.sockets.counting import count_context

        state = self._state
        with state.condition:
            sockets = list(state.sockets)
        return count_context(sockets, self.max_bytes)

    # -- the end -------------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether `term` or `destroy` ended it."""
        return bool(self._state.finished)

    @property
    def underlying(self) -> int:
        """A number unique among live contexts, which `shadow` takes; there is no C pointer behind it."""
        return id(self._state)

    def term(self, timeout: float | None = None) -> None:
        """End the context: blocked and further calls of its sockets raise ContextTerminated.

        Returns when every socket was closed and what they sent has left (LINGER). Ctrl-C interrupts it.

        Args:
            timeout: seconds to wait; None for as long as it takes.

        Raises:
            Again: the time was over; the text names what it waits for. The context stays as it is, terminated but not
                at its end, and `term` may be called again.
        """
        deadline = None if timeout is None else monotonic() + timeout
        self._terminate()
        flush_thread()
        state = self._state
        with state.condition:
            while state.engines and not state.finished:
                left = None if deadline is None else deadline - monotonic()
                if left is not None and left <= 0:
                    break
                state.condition.wait(left)
            engines = [] if state.finished else list(state.engines)
            sockets = list(state.sockets)
        if engines:
            raise make_error(EAGAIN, f"the context has not ended within {timeout} s: {_what_blocks(sockets, engines)}")
        self._finish()

    def _terminate(self) -> None:
        state = self._state
        state.terminating = True
        with state.condition:
            sockets = list(state.sockets)
        for shared in sockets:
            with shared.engine.lease.afterwards, shared.engine.lease.guard:
                shared.end_use()
                shared.engine.end_observers(ETERM)
            shared.engine.leadership.wake()

    def _finish(self) -> None:
        state = self._state
        with state.condition:
            if state.finished:
                return
            threads = state.io_threads
        if threads is not None:
            threads.stop()
        if state.swap_thread is not None:
            state.swap_thread.stop()
        forking.forget(self)
        state.finished = True  # last: who is interrupted comes once more

    def destroy(self, linger: int | None = None) -> None:
        """Close all sockets and end the context.

        Args:
            linger: milliseconds that what was sent may take to leave, for every socket.
        """
        if self.closed:
            return
        state = self._state
        with state.condition:
            sockets = list(state.sockets)
        for shared in sockets:
            for handle in shared.handles()[:1]:
                handle.close(linger)  # a subclass may do more
            shared.close(linger)
        self.term()

    def __enter__(self) -> Self:
        """The context; it's destroyed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Warn about sockets left open, then close them and end the context."""
        self._warn_open_sockets("Context")
        self.destroy()

    def _warn_open_sockets(self, what: str) -> None:
        count = len(self._state.sockets)
        if count:
            warnings.warn(f"{what} {self!r} has {count} open sockets", ResourceWarning, stacklevel=3, source=self)

    def __del__(self) -> None:
        """A context that nobody refers to ends without waiting."""
        state = self.__dict__.get("_state")
        if state is not None and self._shadowed is None and not state.finished and not state.engines:
            self._finish()

    def _end_process(self, deadline: float) -> list[str]:
        """At exit: let what is queued leave until `deadline`; what could not is returned as texts."""
        left: list[str] = []
        for engine in list(self._state.engines):
            while engine.has_output() and monotonic() < deadline:
                engine.flush_for_exit(min(0.05, deadline - monotonic()))
            left += engine.queues.describe_output()
        return left

    def _abandon(self) -> None:
        """In a forked child: every socket is a closed shell, no descriptor is shared with the parent any more."""
        state = self._state
        state.condition = Condition()
        state.finished = state.terminating = True
        for part in [*state.sockets, *state.engines]:
            part.abandon()
        if state.swap_thread is not None:
            state.swap_thread.abandon()
        if state.io_threads is not None:
            state.io_threads.abandon()

    # -- one for the process -------------------------------------------------------------------------------------

    @classmethod
    def instance(cls, io_threads: int = 1) -> Self:
        """The context of this process, shared by all who ask; a forked child gets its own."""
        current: Self | None = cls._instance
        if current is None or current.closed or cls._instance_pid != os.getpid():
            with cls._instance_lock:
                current = cls._instance
                if current is None or current.closed or cls._instance_pid != os.getpid():
                    current = cls._instance = cls(io_threads)
                    cls._instance_pid = os.getpid()
        return current

    @classmethod
    def shadow(cls, address: Context[Any] | int) -> Self:
        """A second handle of a context.

        Args:
            address: the context, or its `underlying`.

        Raises:
            ZMQError: EINVAL: no context of this library has that address.
        """
        return cls(shadow=address)

    @classmethod
    def shadow_pyczmq(cls, ctx: Any) -> Self:
        """Pyzmq's name for shadowing a context of the C library czmq, which can't exist here.

        Raises:
            ZMQError: EINVAL, always.
        """
        raise make_error(EINVAL, f"{ctx!r} belongs to a C library; purezmq shadows its own contexts only")

    def __copy__(self) -> Self:
        """A second handle."""
        return type(self)(shadow=self)

    def __deepcopy__(self, memo: Any) -> Self:
        """A second handle."""
        return self.__copy__()

    def __reduce__(self) -> Any:
        """Refuse, with the cure."""
        text = "a context can't be pickled: make one in the other process, as Context.instance()"
        raise TypeError(text)

    @property
    def _shadow(self) -> bool:
        """Whether this is a second handle; pyzmq's name."""
        return self._shadowed is not None

    def __dir__(self) -> list[str]:
        """Attributes, and the options that are attributes, too."""
        return [*super().__dir__(), *ContextOption.__members__, *SocketOption.__members__]

    def __repr__(self) -> str:
        """Tell how many sockets are open."""
        state = self._state
        count = len(state.sockets)
        text = f"{count} socket{'s' if count > 1 else ''}" if count else ""
        closed = " closed" if state.finished else ""
        return f"<{public_name(type(self))}({text}) at {id(self):#x}{closed}>"

    # -- options -------------------------------------------------------------------------------------------------

    def set(self, option: int, optval: int | str | bytes) -> None:
        """Set an option of the context itself; THREAD_NAME_PREFIX may be text.

        Raises:
            ZMQError: EINVAL.
        """
        self._options.set(option, optval)

    def get(self, option: int) -> int:
        """Read an option of the context itself.

        Raises:
            ZMQError: EINVAL.
        """
        value: Any = self._options.get(option)
        return value  # type: ignore[no-any-return]  # an int, but for a THREAD_NAME_PREFIX of text

    def setsockopt(self, opt: int, value: Any) -> None:
        """Set an option as default of new sockets."""
        self.sockopts[int(opt)] = value

    def getsockopt(self, opt: int) -> Any:
        """Read a default that was set by `setsockopt`.

        Raises:
            ZMQError: EINVAL: it wasn't.
        """
        if int(opt) not in self.sockopts:
            raise make_error(EINVAL, f"no default was set for option {int(opt)}")
        return self.sockopts[int(opt)]

    def __setattr__(self, key: str, value: Any) -> None:
        """An option's name sets it: of the context if it has that option, else as default of its sockets."""
        number = _find_option(key)
        if key.startswith("_") or key in _OWN_ATTRIBUTES or hasattr(type(self), key) or number is None:
            is_own = key.startswith("_") or key in _OWN_ATTRIBUTES or hasattr(type(self), key)
            if number is None and not is_own:
                text = f"{type(self).__name__} has no such option: {key.upper()}"
                raise AttributeError(text)
            object.__setattr__(self, key, value)
        elif isinstance(number, ContextOption):
            self.set(number, value)
        else:
            self.sockopts[int(number)] = value

    def __getattr__(self, key: str) -> Any:
        """Read an option by name."""
        number = None if key.startswith("_") else _find_option(key)
        if isinstance(number, ContextOption):
            try:
                return self.get(number)
            except ZMQError as error:
                raise AttributeError(str(error)) from error  # a write-only option is no attribute
        if number is not None and int(number) in self.__dict__.get("sockopts", {}):
            return self.sockopts[int(number)]
        text = f"{type(self).__name__} has no such option: {key.upper()}"
        raise AttributeError(text)

    def __delattr__(self, key: str) -> None:
        """Remove a default for sockets."""
        number = _find_option(key)
        if number is not None and int(number) in self.sockopts:
            del self.sockopts[int(number)]
            return
        text = f"no such default to delete: {key}"
        raise AttributeError(text)


class _State:
    """What all handles of one context share."""

    def __init__(self) -> None:
        # Re-entrant: collecting a forgotten socket closes it, wherever this thread is just then.
        self.condition = Condition()
        self.sockets: WeakSet[SharedState] = WeakSet()
        self.engines: set[SocketEngine] = set()
        self.io_threads: IoThreads | None = None
        self.swap_thread: Any = None
        self.budget: Budget | None = None
        self.terminating = False
        self.finished = False


def _what_blocks(sockets: list[SharedState], engines: list[SocketEngine]) -> str:
    """What `term` waits for: sockets to be closed, and closed ones that linger."""
    texts = []
    for shared in sockets:
        name = shared.pattern.type_name
        with shared.engine.lease.afterwards, shared.engine.lease.guard:
            endpoints = shared.endpoints.describe()
        texts.append(f"an open {name} socket ({', '.join(endpoints) or 'without endpoint'})")
    is_open = {shared.engine for shared in sockets}
    for engine in engines:
        if engine not in is_open:
            left = ", ".join(engine.queues.describe_output()) or "its last connection"
            texts.append(f"a closed {engine.pattern.type_name} socket lingers with {left}")
    return "; ".join(texts)


def _find_option(key: str) -> ContextOption | SocketOption | None:
    name = key.upper()
    if name in ContextOption.__members__:
        return ContextOption[name]
    return SocketOption.__members__.get(name)


def _thread_settings(options: ContextOptions) -> ThreadSettings:
    from purezmq.engine.io_threads import ThreadSettings

    prefix = options.thread_name_prefix
    name = str(prefix) if prefix else ""
    return ThreadSettings(options.cpus, options.thread_sched_policy, options.thread_priority, name)


def _limit_size(pattern: Pattern, limit: int) -> None:
    """MAX_MSGSZ: let a pattern refuse larger messages. Only a socket with such a limit pays for it."""
    try_send, try_send_many = pattern.try_send, pattern.try_send_many
    first = 1 if pattern.addressing or pattern.type_name in _ADDRESSING_TYPES else 0

    def measure(message: Message) -> int:
        return sum(map(len, message[first:])) if isinstance(message, list) else len(message)

    def try_send_small(message: Message) -> bool:
        size = measure(message)
        if size > limit:
            raise make_error(EMSGSIZE, f"the message has {size} bytes, the context's MAX_MSGSZ allows {limit}")
        return try_send(message)

    def try_send_many_small(messages: list[Any]) -> int:
        """For proxies: what is too large is dropped and counted, for there's nobody to tell."""
        for count, message in enumerate(messages):
            if measure(message) > limit:
                pattern.dropped += 1
            elif not try_send_many([message]):
                return count
        return len(messages)

    vars(pattern).update(zip(_LIMITED, (try_send_small, try_send_many_small, lambda: None), strict=True))


def _find_context(address: int) -> Context[Any]:
    found = _living.get(address)
    if found is None:
        text = f"no purezmq context has the address {address:#x}; a context of libzmq can't be shadowed"
        raise make_error(EINVAL, text)
    return found


def _set_default(socket: Socket, option: int, value: Any) -> None:
    """A default that a type of socket doesn't know is not for it."""
    setter: Callable[[int, Any], None] = socket.set
    try:
        setter(option, value)
    except Exception as error:
        if getattr(error, "errno", None) != EINVAL:
            raise
