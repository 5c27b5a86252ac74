"""Options of a socket: stored ones go to the table, computed ones are answered or acted upon here."""

from __future__ import annotations

from errno import EMFILE

from purezmq.constants import EINVAL, SocketOption
from purezmq.error import make_error
from purezmq.sockets.option_attributes import OptionAttributes, TopicMethod
from purezmq.sockets.socket_recv import SocketRecv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["SocketOptionsApi"]

_SUBSCRIBE = int(SocketOption.SUBSCRIBE)
_UNSUBSCRIBE = int(SocketOption.UNSUBSCRIBE)
_CONNECT_ROUTING_ID = int(SocketOption.CONNECT_ROUTING_ID)
_LIMITS = frozenset({int(SocketOption.HWM), int(SocketOption.SNDHWM), int(SocketOption.RCVHWM)})


class SocketOptionsApi(SocketRecv, OptionAttributes):
    """getsockopt, setsockopt and their kin."""

    __slots__ = ()

    def setsockopt(self, option: int, optval: Any) -> None:
        """Set an option. Most take effect on later bind and connect calls; HWM, LINGER and pattern options at once.

        Args:
            option: a SocketOption or its number.
            optval: int or bytes, in libzmq's units.

        Raises:
            TypeError: the value is of the wrong type.
            ZMQError: EINVAL (unknown, read-only or out of range), ENOTSOCK, ETERM.
        """
        if isinstance(optval, str):
            text = "unicode not allowed, use setsockopt_string"
            raise TypeError(text)
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            number = int(option)
            checked = self._options.check(number, optval)
            if number == _CONNECT_ROUTING_ID:
                self._shared.connect_routing_id = bytes(checked) if isinstance(checked, bytes) else b""
                return
            self._options.set(number, optval)
            if number in _LIMITS:
                self._apply_limits()
            if not self._pattern.option_changed(number, checked) and number in {_SUBSCRIBE, _UNSUBSCRIBE}:
                name = SocketOption(number).name
                text = f"{name} is for SUB sockets (and XPUB with XPUB_MANUAL), not {self._type_name()}"
                raise make_error(EINVAL, text)
            self._shared.refresh_send_paths()
            self._engine.leadership.wake()  # with XPUB_MANUAL it made subscriptions, which somebody may wait for

    def getsockopt(self, option: int) -> Any:
        """Read an option.

        Args:
            option: a SocketOption or its number.

        Returns:
            int or bytes, in libzmq's units.

        Raises:
            ZMQError: EINVAL (unknown or write-only), ENOTSOCK, ETERM.
        """
        number = int(option)
        self._check_open()
        if number == SocketOption.RCVMORE:
            return int(self._shared.rest is not None)
        if number == SocketOption.EVENTS:
            return self._current_events()
        if number == SocketOption.FD:
            return self._exported_fd()
        if number == SocketOption.LAST_ENDPOINT:
            return self._shared.endpoints.last.encode()
        if number == SocketOption.TYPE:
            return self._shared.type
        if number == SocketOption.THREAD_SAFE:
            return 1  # any thread may use any socket
        if number == SocketOption.TOPICS_COUNT and hasattr(self._pattern, "topics_count"):
            return self._pattern.topics_count
        return self._options.get(number)

    def _type_name(self) -> str:
        return self._pattern.type_name

    def _apply_limits(self) -> None:
        """SNDHWM and RCVHWM are live: peers that are connected get the new marks (lease held)."""
        self._engine.queues.apply()

    def _exported_fd(self) -> int:
        """FD: a descriptor that becomes readable when EVENTS may have changed; read EVENTS then, until nothing is left.

        It is the same descriptor for the life of the socket, and works in select, poll, epoll and asyncio.

        Raises:
            ZMQError: EMFILE, ENFILE, ENOMEM: the system has none left. ENOTSOCK, ETERM.
        """
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            if self._shared.wake_fd is None:
                from purezmq.engine.exported_fd import ExportedFd, attach_exported

                leadership = self._engine.leadership
                try:
                    self._shared.wake_fd = ExportedFd(leadership)
                except OSError as error:
                    raise make_error(error.errno or EMFILE, f"FD: {error.strerror}; close descriptors") from error
                attach_exported(leadership, self._shared.wake_fd)
            return int(self._shared.wake_fd.fileno())

    # -- pyzmq's other spellings ---------------------------------------------------------------------------------

    def set(self, option: int, optval: Any) -> None:
        """`setsockopt`, or `setsockopt_string` for text."""
        if isinstance(optval, str):
            self.setsockopt_string(option, optval)
        else:
            self.setsockopt(option, optval)

    def get(self, option: int) -> Any:
        """`getsockopt`."""
        return self.getsockopt(option)

    def setsockopt_string(self, option: int, optval: str, encoding: str = "utf-8") -> None:
        """Set a bytes option to encoded text.

        Raises:
            TypeError: the value is no str, or the option takes no bytes.
            ZMQError: as `setsockopt`.
        """
        given: object = optval
        if not isinstance(given, str):
            text = f"setsockopt_string takes a str, not {type(given).__name__}; use setsockopt"
            raise TypeError(text)
        self.setsockopt(option, given.encode(encoding))

    setsockopt_unicode = set_string = setsockopt_string

    def getsockopt_string(self, option: int, encoding: str = "utf-8") -> str:
        """Read a bytes option as text.

        Raises:
            TypeError: the option's value is no bytes.
            ZMQError: as `getsockopt`.
        """
        value = self.getsockopt(option)
        if not isinstance(value, bytes):
            text = f"option {int(option)} is no bytes option"
            raise TypeError(text)
        return value.decode(encoding)

    getsockopt_unicode = get_string = getsockopt_string

    subscribe = TopicMethod(SocketOption.SUBSCRIBE)
    unsubscribe = TopicMethod(SocketOption.UNSUBSCRIBE)

    def get_hwm(self) -> int:
        """The high-water mark of both directions (of the sending one, where they differ)."""
        return int(self._options.sndhwm)

    def set_hwm(self, value: int) -> None:
        """Set SNDHWM and RCVHWM."""
        self.setsockopt(SocketOption.SNDHWM, value)
        self.setsockopt(SocketOption.RCVHWM, value)

    hwm = property(get_hwm, set_hwm, doc="SNDHWM and RCVHWM together, in messages (0: no limit).")
    HWM = hwm
