"""Text, JSON, pickles and own formats as messages: the serializing half of a Socket, as a mixin.

The functions ``encode_x`` and ``decode_x`` do the work and know no socket. The mixin calls them around ``send``,
``recv``, ``send_multipart`` and ``recv_multipart``; a front whose ``recv`` returns a future overrides
:meth:`Serialization._deserialize` alone. Nothing here does I/O; json and pickle are imported when first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    from purezmq.message import MessageTracker

    _T = TypeVar("_T")
    _R = TypeVar("_R")

__all__ = [
    "PICKLE_PROTOCOL",
    "Serialization",
    "decode_json",
    "decode_pyobj",
    "decode_string",
    "encode_json",
    "encode_pyobj",
    "encode_string",
]

PICKLE_PROTOCOL = 4
"""Protocol of ``send_pyobj`` unless told otherwise: pickle.DEFAULT_PROTOCOL of every Python before 3.14."""


def _with_timeout(timeout: float | None, kwargs: dict[str, Any] | None = None) -> dict[str, Any]:
    """Arguments for ``send`` and ``recv``: those of a subclass may know no timeout, unless one is given."""
    given = {} if kwargs is None else kwargs
    return given if timeout is None else {**given, "timeout": timeout}


def encode_string(text: str, encoding: str = "utf-8") -> bytes:
    """Encode text.

    Args:
        text: a str; bytes are refused, for they are encoded already.
        encoding: as for ``str.encode``.

    Returns:
        The message.

    Raises:
        TypeError: not a str.
        UnicodeEncodeError: the encoding lacks a character.
    """
    if not isinstance(text, str):
        raise TypeError(f"send_string takes str, not {type(text).__name__}; use send for bytes")
    return text.encode(encoding)


def decode_string(data: bytes, encoding: str = "utf-8") -> str:
    """Decode text.

    Args:
        data: the message.
        encoding: as for ``bytes.decode``.

    Returns:
        The text.

    Raises:
        UnicodeDecodeError: the message is not text in that encoding.
    """
    return data.decode(encoding)


def encode_json(obj: object, **kwargs: Any) -> bytes:
    """Encode an object as JSON in UTF-8.

    Args:
        obj: what ``json.dumps`` takes.
        **kwargs: handed to ``json.dumps``.

    Returns:
        The message.

    Raises:
        TypeError: JSON can't express the object.
    """
    import json

    return json.dumps(obj, **kwargs).encode("utf-8")


def decode_json(data: bytes, **kwargs: Any) -> Any:
    """Decode JSON in UTF-8.

    Args:
        data: the message.
        **kwargs: handed to ``json.loads``.

    Returns:
        The object.

    Raises:
        ValueError: the message is not JSON, or not UTF-8.
    """
    import json

    return json.loads(data.decode("utf-8"), **kwargs)


def encode_pyobj(obj: object, protocol: int = PICKLE_PROTOCOL) -> bytes:
    """Encode an object as a pickle.

    Args:
        obj: what ``pickle.dumps`` takes.
        protocol: version of the pickle format, -1 for the newest.

    Returns:
        The message.

    Raises:
        pickle.PicklingError: the object can't be pickled (some objects raise TypeError or AttributeError).
    """
    import pickle

    return pickle.dumps(obj, protocol)


def decode_pyobj(data: bytes) -> Any:
    """Decode a pickle. A pickle can run any code: only decode what comes from somebody you trust.

    Args:
        data: the message.

    Returns:
        The object.

    Raises:
        pickle.UnpicklingError: the message is no pickle (bad data may raise other errors as well).
    """
    import pickle

    return pickle.loads(data)


class Serialization:
    """Mixin of a socket: send and receive text, JSON, pickles and own formats.

    The class beside it gives ``send``, ``recv``, ``send_multipart`` and ``recv_multipart``. All methods raise what
    these raise (ZMQError, Again, ContextTerminated), besides what is named at each.
    """

    __slots__ = ()

    if TYPE_CHECKING:  # given by the class beside it
        send: Callable[..., Any]
        recv: Callable[..., Any]
        send_multipart: Callable[..., Any]
        recv_multipart: Callable[..., Any]

    def _deserialize(self, recvd: _T, load: Callable[[_T], _R]) -> _R:
        """Apply a function to what ``recv`` returned; overridden where that is a future.

        Args:
            recvd: the result of ``recv`` or ``recv_multipart``.
            load: makes the object of it.

        Returns:
            The object (or, when overridden, a future of it).
        """
        return load(recvd)

    def send_string(
        self,
        u: str,
        flags: int = 0,
        copy: bool = True,
        encoding: str = "utf-8",
        *,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> MessageTracker | None:
        """Send text.

        Args:
            u: the text.
            flags: as for ``send``.
            copy: as for ``send``.
            encoding: how to encode the text.
            timeout: seconds to wait, instead of SNDTIMEO.
            **kwargs: handed to ``send``.

        Returns:
            What ``send`` returns: None, or a tracker with ``track=True``.

        Raises:
            TypeError: not a str.
        """
        tracker: MessageTracker | None = self.send(
            encode_string(u, encoding), flags=flags, copy=copy, **_with_timeout(timeout, kwargs)
        )
        return tracker

    send_unicode = send_string

    def recv_string(self, flags: int = 0, encoding: str = "utf-8", *, timeout: float | None = None) -> str:
        """Receive text.

        Args:
            flags: as for ``recv``.
            encoding: how to decode the message.
            timeout: seconds to wait, instead of RCVTIMEO.

        Returns:
            The text.

        Raises:
            UnicodeDecodeError: the message, which is consumed, is not text in that encoding.
        """
        data = self.recv(flags=flags, **_with_timeout(timeout))
        return self._deserialize(data, lambda data: decode_string(data, encoding))

    recv_unicode = recv_string

    def send_json(self, obj: object, flags: int = 0, *, timeout: float | None = None, **kwargs: Any) -> None:
        """Send an object as JSON in UTF-8.

        Args:
            obj: what ``json.dumps`` takes.
            flags: as for ``send``.
            timeout: seconds to wait, instead of SNDTIMEO.
            **kwargs: ``routing_id`` and ``group`` are handed to ``send``, all others to ``json.dumps``.

        Returns:
            What ``send`` returns: None.

        Raises:
            TypeError: JSON can't express the object; nothing is sent.
        """
        send_kwargs: dict[str, Any] = {key: kwargs.pop(key) for key in ("routing_id", "group") if key in kwargs}
        result: None = self.send(encode_json(obj, **kwargs), flags=flags, **_with_timeout(timeout, send_kwargs))
        return result

    def recv_json(self, flags: int = 0, *, timeout: float | None = None, **kwargs: Any) -> Any:
        """Receive an object that was sent as JSON.

        Args:
            flags: as for ``recv``.
            timeout: seconds to wait, instead of RCVTIMEO.
            **kwargs: handed to ``json.loads``.

        Returns:
            The object.

        Raises:
            ValueError: the message, which is consumed, is not JSON.
        """
        return self._deserialize(self.recv(flags, **_with_timeout(timeout)), lambda data: decode_json(data, **kwargs))

    def send_pyobj(
        self,
        obj: object,
        flags: int = 0,
        protocol: int = PICKLE_PROTOCOL,
        *,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> MessageTracker | None:
        """Send an object as a pickle.

        Args:
            obj: what ``pickle.dumps`` takes.
            flags: as for ``send``.
            protocol: version of the pickle format, -1 for the newest.
            timeout: seconds to wait, instead of SNDTIMEO.
            **kwargs: handed to ``send``.

        Returns:
            What ``send`` returns: None, or a tracker with ``track=True``.

        Raises:
            pickle.PicklingError: the object can't be pickled; nothing is sent.
        """
        tracker: MessageTracker | None = self.send(
            encode_pyobj(obj, protocol), flags=flags, **_with_timeout(timeout, kwargs)
        )
        return tracker

    def recv_pyobj(self, flags: int = 0, *, timeout: float | None = None) -> Any:
        """Receive an object that was sent as a pickle. A pickle can run any code: only from peers that you trust.

        A SecurityWarning, once per socket, tells that a peer is connected, or was, which is neither local nor
        authenticated.

        Args:
            flags: as for ``recv``.
            timeout: seconds to wait, instead of RCVTIMEO.

        Returns:
            The object.

        Raises:
            pickle.UnpicklingError: the message, which is consumed, is no pickle.
            ZMQError: EACCES: it may be a stranger's, and the context `refuses_pickles`; it is consumed.
        """
        return self._deserialize(self.recv(flags, **_with_timeout(timeout)), self._load_pyobj)

    def _load_pyobj(self, data: bytes) -> Any:
        self._check_pickle()
        return decode_pyobj(data)

    def _check_pickle(self) -> None:
        """Called before a pickle is looked at; whoever knows the peers may warn or raise."""

    def send_serialized(
        self,
        msg: _T,
        serialize: Callable[[_T], Sequence[Any]],
        flags: int = 0,
        copy: bool = True,
        *,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> MessageTracker | None:
        """Send an object in a format of your own.

        Args:
            msg: the object.
            serialize: makes the parts of the message (bytes-like objects or Frames) of it.
            flags: as for ``send_multipart``.
            copy: as for ``send_multipart``.
            timeout: seconds to wait, instead of SNDTIMEO.
            **kwargs: handed to ``send_multipart``.

        Returns:
            What ``send_multipart`` returns: None, or a tracker with ``track=True``.
        """
        parts = serialize(msg)
        tracker: MessageTracker | None = self.send_multipart(
            parts, flags=flags, copy=copy, **_with_timeout(timeout, kwargs)
        )
        return tracker

    def recv_serialized(
        self,
        deserialize: Callable[[list[Any]], _R],
        flags: int = 0,
        copy: bool = True,
        *,
        timeout: float | None = None,
    ) -> _R:
        """Receive an object in a format of your own.

        Args:
            deserialize: makes the object of the list of the message's parts.
            flags: as for ``recv_multipart``.
            copy: True hands bytes to ``deserialize``, False Frames.
            timeout: seconds to wait, instead of RCVTIMEO.

        Returns:
            What ``deserialize`` returns.
        """
        return self._deserialize(self.recv_multipart(flags=flags, copy=copy, **_with_timeout(timeout)), deserialize)
