"""Messages: the type alias, a part with its properties (Frame), and the tracking of what was sent.

Inside the library a message is ``bytes`` (one part) or ``list[bytes]`` (two or more parts); a Frame exists only where
the application asked for one with ``copy=False``. How a message becomes bytes on the wire is in ``wire``, not here.
"""

from __future__ import annotations

import sys

from purezmq.enums import Errno, MessageOption
from purezmq.error import NotDone, ZMQError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol, Self

    from typing_extensions import Buffer

    _Bytes = bytes  # inside Frame the name is its property

    class _Event(Protocol):
        """What SendEvent and ``threading.Event`` have in common."""

        def is_set(self) -> bool:
            """Tell whether it happened."""

        def wait(self, timeout: float | None = None) -> bool:
            """Wait until it happened."""

    class _Exporter:
        """What lets ``memoryview(frame)`` work."""

elif sys.version_info >= (3, 12):
    _Exporter = object  # PEP 688: `Frame.__buffer__` does it
else:

    class _Exporter(bytearray):
        """A class in Python can't export a buffer there, but a bytearray is one: at the cost of a copy of the content.

        It is nothing but a buffer: what else a bytearray can do would be there on these versions of Python only, and
        would change the copy without the Frame.
        """

        __slots__ = ()

        __add__ = __iadd__ = __mul__ = __imul__ = __rmul__ = __mod__ = __rmod__ = None
        __contains__ = __iter__ = __setitem__ = __delitem__ = None
        __lt__ = __le__ = __gt__ = __ge__ = None

        @property
        def _hidden(self) -> None:
            raise AttributeError("a Frame has no such method; frame.bytes has")

        for _name in vars(bytearray):
            if not _name.startswith("__"):
                locals()[_name] = _hidden
        del _name, _hidden


__all__ = [
    "COPY_THRESHOLD",
    "FINISHED_TRACKER",
    "Frame",
    "Message",
    "MessageTracker",
    "SendEvent",
    "check_group",
    "check_routing_id",
]

Message = bytes | list[bytes]
"""A message inside the library. On the way out a part may be any bytes-like object."""

COPY_THRESHOLD = 65536
"""Size in bytes from which a Frame refers to its data instead of copying it, unless told otherwise (pyzmq's)."""

_EINVAL = int(Errno.EINVAL)
_NO_METADATA: Mapping[str, str | bytes] = {}
_MORE = MessageOption.MORE.value
_SRCFD = MessageOption.SRCFD.value
_SHARED = MessageOption.SHARED.value
_GROUP_MAX = 255  # RFC 48: the length of a group is one octet
_ROUTING_ID_MAX = 2**32 - 1  # RFC 41


class SendEvent:
    """Tells that the library needs the memory of a message no longer; has the methods of ``threading.Event``.

    Any thread may call any method. No lock is needed: ``set`` marks first and then empties the list of callbacks,
    ``add_callback`` adds first and then looks at the mark, so one of the two sees the other; list operations are
    atomic on every build of CPython.
    """

    __slots__ = ("_callbacks", "_is_set")

    def __init__(self) -> None:
        self._is_set = False
        self._callbacks: list[Callable[[], object]] = []

    def __repr__(self) -> str:
        return f"<SendEvent: {'set' if self._is_set else 'unset'}>"

    def is_set(self) -> bool:
        """Tell whether the library is done with the message."""
        return self._is_set

    def set(self) -> None:
        """Mark the message as done and call what waits for it. Called by the engine; again is harmless."""
        self._is_set = True
        callbacks = self._callbacks
        while callbacks:
            try:
                callback = callbacks.pop()
            except IndexError:  # another thread took the last one
                return
            callback()

    def add_callback(self, callback: Callable[[], object]) -> None:
        """Have a function called once, when the message is done; at once when it already is.

        Args:
            callback: called without arguments, in the thread that completes the message. It must not block.
        """
        self._callbacks.append(callback)
        if self._is_set:
            self.set()

    def remove_callback(self, callback: Callable[[], object]) -> None:
        """Take a function back that was given to :meth:`add_callback`; harmless when it was called already.

        Args:
            callback: the function.
        """
        try:
            self._callbacks.remove(callback)
        except ValueError:
            pass

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the library is done with the message.

        Args:
            timeout: seconds; None waits for ever.

        Returns:
            False when the time was over first.
        """
        return _wait_all([self], -1 if timeout is None else max(timeout, 0))


def _wait_all(events: list[SendEvent], timeout: float) -> bool:
    """Wait for all events with one lock, that the last of them releases: no clock is needed.

    Args:
        events: what to wait for.
        timeout: seconds for all together; negative waits for ever.

    Returns:
        False when the time was over first.
    """
    pending = [event for event in events if not event.is_set()]
    if not pending:
        return True
    from _thread import TIMEOUT_MAX, allocate_lock

    done = allocate_lock()
    done.acquire()
    missing = [None] * (len(pending) - 1)

    def count_down() -> None:
        try:
            missing.pop()  # atomic, so exactly one caller finds the list empty
        except IndexError:
            done.release()

    for event in pending:
        event.add_callback(count_down)
    try:
        return done.acquire(timeout=-1 if timeout < 0 else min(timeout, TIMEOUT_MAX))
    finally:
        for event in pending:
            event.remove_callback(count_down)


class MessageTracker:
    """Tells when the library needs the memory of one or more messages no longer.

    Args:
        *towatch: Frames that track, other trackers, SendEvents, or objects with the ``is_set`` and ``wait`` of
            ``threading.Event``.

    Attributes:
        events: the events to watch.
        peers: the trackers to watch.

    Raises:
        TypeError: an object that can't be watched.
        ValueError: a Frame that does not track.
    """

    def __init__(self, *towatch: MessageTracker | Frame | _Event) -> None:
        self.events: set[_Event] = set()
        self.peers: set[MessageTracker] = set()
        for watched in towatch:
            if isinstance(watched, MessageTracker):
                self.peers.add(watched)
            elif isinstance(watched, Frame):
                if watched.tracker is None:
                    raise ValueError("the Frame is not tracked; create it with track=True")
                self.peers.add(watched.tracker)
            elif hasattr(watched, "is_set") and hasattr(watched, "wait"):
                self.events.add(watched)
            else:
                raise TypeError(f"only events, Frames and MessageTrackers can be tracked, not {type(watched).__name__}")

    def __repr__(self) -> str:
        return f"<MessageTracker: {'done' if self.done else 'pending'}>"

    @property
    def done(self) -> bool:
        """True when the library needs none of the messages any longer."""
        return all(event.is_set() for event in self._all_events())

    def wait(self, timeout: float | None = -1) -> None:
        """Wait until the library needs none of the messages any longer.

        Args:
            timeout: seconds for all messages together; negative, False or None waits for ever. (Each foreign event
                of ``threading`` has the whole time.)

        Raises:
            NotDone: the time is over.
        """
        limit = -1.0 if timeout is None or timeout is False else float(timeout)
        events = self._all_events()
        if not _wait_all([event for event in events if isinstance(event, SendEvent)], limit):
            raise NotDone
        for event in events:
            if not isinstance(event, SendEvent) and not event.wait(None if limit < 0 else limit):
                raise NotDone

    def _all_events(self) -> set[_Event]:
        """Collect the events of this tracker and of the trackers below it."""
        return self.events.union(*(peer._all_events() for peer in self.peers))


FINISHED_TRACKER = MessageTracker()
"""The tracker of what was copied: done from the beginning."""


class _Release:
    """Shared by a Frame, its copies and what was sent of them: with the last of them the memory is free again."""

    __slots__ = ("event",)

    def __init__(self) -> None:
        self.event = SendEvent()

    def __del__(self) -> None:
        self.event.set()


class Frame(_Exporter):
    """One part of a message, with its properties: what ``recv(copy=False)`` returns and ``send`` accepts.

    ``frame.bytes`` is a copy as bytes, ``frame.buffer`` a memoryview without a copy. A Frame is itself a buffer
    (``memoryview(frame)``, ``numpy.frombuffer(frame)``); before Python 3.12 that is one of the content as it was when
    the Frame was made, and costs a copy then. Two Frames are equal when their bytes are; a Frame equals bytes in the
    same way. ``frame["Peer-Address"]`` reads a property.

    Args:
        data: any contiguous bytes-like object, another Frame, or None for an empty part.
        track: whether a tracker shall tell when the library needs the data no longer.
        copy: True: take a copy of the data. False: refer to it; it must not change before the tracker says done.
            None: copy what is smaller than the threshold. Bytes can't change and are never copied.
        copy_threshold: size in bytes; by default :data:`COPY_THRESHOLD`.

    Attributes:
        more: whether a further part of the same message follows.
        tracker: a MessageTracker, or None when not tracked.
        tracker_event: the event below the tracker, or None when nothing has to be waited for. It is set when neither
            the Frame, nor a copy of it, nor the library needs the memory any longer.

    Raises:
        TypeError: str, or no bytes-like object.
        BufferError: the data are not contiguous.
    """

    __slots__ = (
        "_data", "_bytes", "_buffer", "_release", "more", "tracker", "tracker_event", "_metadata", "_group",
        "_routing_id", "__weakref__",
    )  # fmt: skip

    def __init__(
        self,
        data: Buffer | Frame | None = None,
        track: bool = False,
        copy: bool | None = None,
        copy_threshold: int | None = None,
    ) -> None:
        self._data = _take_data(data, copy, COPY_THRESHOLD if copy_threshold is None else copy_threshold)
        if _Exporter is not object:
            super().__init__(self._data)  # type: ignore[call-arg]  # of bytearray, see _Exporter
        self._bytes: bytes | None = self._data if isinstance(self._data, bytes) else None
        self._buffer: memoryview | None = None
        self.more = False
        self.tracker: MessageTracker | None = None
        self.tracker_event: SendEvent | None = None
        self._release: _Release | None = None
        self._metadata: Mapping[str, str | bytes] | None = None
        self._group = ""
        self._routing_id = 0
        if track:
            if copy is None:
                copy = len(self) < (COPY_THRESHOLD if copy_threshold is None else copy_threshold)
            if copy:
                self.tracker = FINISHED_TRACKER
            else:
                self._release = _Release()
                self.tracker_event = self._release.event
                self.tracker = MessageTracker(self.tracker_event)

    @classmethod
    def _from_received(cls, data: bytes, more: bool, metadata: Mapping[str, str | bytes] | None) -> Self:
        """Make the Frame of a part that was received; for the engine.

        Args:
            data: the part.
            more: whether a further part follows.
            metadata: the properties of the peer, shared by all its Frames.
        """
        frame = cls(data)
        frame.more = more
        frame._metadata = metadata if metadata is not None else _NO_METADATA
        return frame

    @property
    def bytes(self) -> _Bytes:
        """The content as bytes: one copy at the first call, unless the data are bytes already."""
        if self._bytes is None:
            self._bytes = bytes(self._data)
        return self._bytes

    @property
    def buffer(self) -> memoryview:
        """The content as a memoryview: without a copy of what was given, a writable copy of what was received."""
        if self._buffer is None:
            self._buffer = memoryview(self._data if self._metadata is None else self._received())
        return self._buffer

    def _received(self) -> bytearray:
        """The content as memory that is the application's own: received memory may be written to, as in pyzmq."""
        return bytearray(self._data) if _Exporter is object else self  # type: ignore[return-value]  # see _Exporter

    @property
    def group(self) -> str:
        """The group of a RADIO-DISH message, at most 255 bytes; empty where there is none.

        Raises:
            ZMQError: EINVAL, a group that is too long was assigned.
        """
        return self._group

    @group.setter
    def group(self, group: str | _Bytes) -> None:
        self.set("group", group)

    @property
    def routing_id(self) -> int:
        """The peer of a SERVER or PEER message, 0 where there is none.

        Raises:
            ZMQError: EINVAL, something else than 1..4294967295 was assigned.
        """
        return self._routing_id

    @routing_id.setter
    def routing_id(self, routing_id: int) -> None:
        self.set("routing_id", routing_id)

    def get(self, option: int | str) -> int | str:
        """Read an option or a property of the message.

        Args:
            option: MORE, SHARED or SRCFD; ``"group"``, ``"routing_id"``; or the name of a property: ``Socket-Type``,
                ``Identity``, ``Peer-Address``, ``User-Id``, ``X-...``.

        Returns:
            An int for an option and ``"routing_id"``, else text.

        Raises:
            ZMQError: EINVAL, there is no such option or property.
        """
        if isinstance(option, int):
            return self._get_option(option)
        if option == "group":
            return self._group
        if option == "routing_id":
            return self._routing_id
        return self._get_property(option)

    __getitem__ = get

    def set(self, option: int | str, value: int | str | _Bytes) -> None:
        """Set the group or the routing id.

        Args:
            option: ``"group"`` or ``"routing_id"``; the options by number are read-only.
            value: a group as str or bytes, or a routing id as int.

        Raises:
            TypeError: the value is of a wrong type.
            ZMQError: EINVAL: another option, a group that is too long, or a routing id out of range.
        """
        if option == "group":
            self._group = check_group(value).decode("utf-8", "surrogateescape")
        elif option == "routing_id":
            self._routing_id = check_routing_id(value)
        else:
            raise ZMQError(_EINVAL, f"only 'group' and 'routing_id' of a message can be set, not {option!r}")

    def fast_copy(self) -> Frame:
        """Return another Frame on the same data, properties and tracker."""
        other = type(self).__new__(type(self))
        if _Exporter is not object:
            bytearray.__init__(other, self._data)  # type: ignore[call-overload]  # see _Exporter
        for name in Frame.__slots__[:-1]:
            setattr(other, name, getattr(self, name))
        return other

    __copy__ = fast_copy

    def __len__(self) -> int:
        return len(self._data)

    def __bytes__(self) -> _Bytes:
        return self.bytes

    def __buffer__(self, flags: int) -> memoryview:
        return self.buffer

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Frame):
            return self._data == other._data
        if isinstance(other, bytes | bytearray | memoryview):
            return self._data == other
        return NotImplemented

    def __str__(self) -> str:
        return repr(self)

    def __hash__(self) -> int:
        return hash(self.bytes)

    def __repr__(self) -> str:
        size = len(self)
        shown = self.bytes if size <= 16 else bytes(self.buffer[:12])
        rest = "" if size <= 16 else f"...{_format_size(size)}"
        return f"<purezmq.{type(self).__name__}({shown!r}{rest})>"

    def _get_option(self, option: int) -> int:
        """Read an option by number."""
        if option == _MORE:
            return int(self.more)
        if option == _SHARED:
            return 0
        if option == _SRCFD:
            return int(self._get_property("__fd"))
        raise ZMQError(_EINVAL, f"unknown message option {int(option)}; the known ones are MORE, SHARED and SRCFD")

    def _get_property(self, name: str) -> str:
        """Read a property of the peer that sent the message."""
        metadata = self._metadata or {}
        value = metadata.get(name)
        if value is None and name in {"Identity", "Routing-Id"}:  # the word before and since ZMTP 3.1
            value = metadata.get("Identity") or metadata.get("Routing-Id")
        if value is None:
            cause = "it was not received" if self._metadata is None else f"there are {', '.join(metadata) or 'none'}"
            raise ZMQError(_EINVAL, f"the message has no property {name!r}: {cause}")
        return value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")


def check_group(group: object) -> bytes:
    """Check a group of RADIO and DISH.

    Args:
        group: text or bytes. Bytes that are no UTF-8 stand in a text as lone surrogates (as in ``os.fsdecode``).

    Returns:
        The group as it is on the wire.

    Raises:
        TypeError: the group is neither str nor bytes.
        ZMQError: EINVAL: it is too long.
    """
    if isinstance(group, str):
        group = group.encode("utf-8", "surrogateescape")
    if not isinstance(group, bytes):
        raise TypeError(f"a group is str or bytes, not {type(group).__name__}")
    if len(group) > _GROUP_MAX:
        raise ZMQError(_EINVAL, f"a group must be at most {_GROUP_MAX} bytes, not {len(group)}")
    return group


def check_routing_id(routing_id: object) -> int:
    """Check the number by which SERVER and PEER know a peer.

    Returns:
        The number.

    Raises:
        TypeError: it is no integer.
        ZMQError: EINVAL: it is out of range.
    """
    if not isinstance(routing_id, int):
        raise TypeError(f"a routing id is an integer, not {type(routing_id).__name__}")
    if not 0 < routing_id <= _ROUTING_ID_MAX:
        raise ZMQError(_EINVAL, f"a routing id must be an integer from 1 to {_ROUTING_ID_MAX}, not {routing_id}")
    return routing_id


def _take_data(data: Buffer | Frame | None, copy: bool | None, threshold: int) -> bytes | memoryview:
    """Turn what the application gave into bytes, or into a flat memoryview when it is not to be copied."""
    if isinstance(data, bytes):
        return data
    if data is None:
        return b""
    if isinstance(data, Frame):
        return data._data
    if isinstance(data, str):
        raise TypeError("a Frame takes bytes-like objects, not str; encode the text")
    view = memoryview(data)
    if not view.c_contiguous:
        raise BufferError("a Frame needs contiguous data; copy them with bytes(data)")
    if copy or (copy is None and view.nbytes < threshold):
        return view.tobytes()
    return view if view.format == "B" and view.ndim == 1 else view.cast("B")


def _format_size(size: int) -> str:
    """Write a size as pyzmq does: ``"70kB"``."""
    if size < 1000:
        return f"{size}B"
    if size < 2**20:
        return f"{size // 1000}kB"
    return f"{size // 10**6}MB" if size < 10**9 else f"{size // 10**9}GB"
