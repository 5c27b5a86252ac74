"""What purezmq raises, and the texts of error numbers.

::

    ZMQBaseError (Exception)
    ├── ZMQError                     errno, strerror
    │   ├── Again                    EAGAIN: would block, or the time is over
    │   ├── ContextTerminated        ETERM
    │   └── InterruptedSystemCall    EINTR (also an InterruptedError)
    ├── ZMQBindError                 no free port in the range of ``bind_to_random_port``
    └── NotDone                      MessageTracker.wait: the time is over
    ZMQVersionError (NotImplementedError)
    DraftFDWarning (RuntimeWarning)
    SecurityWarning (UserWarning)

Inside the library every ZMQError is made by :func:`make_error`, with a text that names the cause and the cure.
This module does no I/O and knows no option, socket or endpoint.
"""

from __future__ import annotations

import errno as _errno
from errno import EINTR

from purezmq.enums import Errno

__all__ = [
    "Again",
    "ContextTerminated",
    "DraftFDWarning",
    "InterruptedSystemCall",
    "NotDone",
    "SecurityWarning",
    "ZMQBaseError",
    "ZMQBindError",
    "ZMQError",
    "ZMQVersionError",
    "make_error",
    "strerror",
]

# The libzmq whose behaviour this library matches; ZMQVersionError reports it.
_LIBZMQ_VERSION = "4.3.5"

_TEXTS = {
    int(Errno.EFSM): "Operation cannot be accomplished in current state",
    int(Errno.ENOCOMPATPROTO): "The protocol is not compatible with the socket type",
    int(Errno.ETERM): "Context was terminated",
    int(Errno.EMTHREAD): "No thread available",
}

# Texts of the operating system's numbers by name: the same on every platform, and no need of the module os.
_PLATFORM_TEXTS = {
    "EPERM": "Operation not permitted",
    "ENOENT": "No such file or directory",
    "EINTR": "Interrupted system call",
    "EIO": "Input/output error",
    "ENXIO": "No such device or address",
    "EBADF": "Bad file descriptor",
    "EAGAIN": "Resource temporarily unavailable",
    "ENOMEM": "Cannot allocate memory",
    "EACCES": "Permission denied",
    "EFAULT": "Bad address",
    "EEXIST": "File exists",
    "ENODEV": "No such device",
    "ENOTDIR": "Not a directory",
    "EISDIR": "Is a directory",
    "EINVAL": "Invalid argument",
    "ENFILE": "Too many open files in system",
    "EMFILE": "Too many open files",
    "ENOSPC": "No space left on device",
    "EROFS": "Read-only file system",
    "EPIPE": "Broken pipe",
    "ENAMETOOLONG": "File name too long",
    "ENOSYS": "Function not implemented",
    "ELOOP": "Too many levels of symbolic links",
    "EPROTO": "Protocol error",
    "EOVERFLOW": "Value too large for defined data type",
    "ENOTSOCK": "Socket operation on non-socket",
    "EDESTADDRREQ": "Destination address required",
    "EMSGSIZE": "Message too long",
    "EPROTOTYPE": "Protocol wrong type for socket",
    "ENOPROTOOPT": "Protocol not available",
    "EPROTONOSUPPORT": "Protocol not supported",
    "ENOTSUP": "Operation not supported",
    "EOPNOTSUPP": "Operation not supported",
    "EAFNOSUPPORT": "Address family not supported by protocol",
    "EADDRINUSE": "Address already in use",
    "EADDRNOTAVAIL": "Cannot assign requested address",
    "ENETDOWN": "Network is down",
    "ENETUNREACH": "Network is unreachable",
    "ENETRESET": "Network dropped connection on reset",
    "ECONNABORTED": "Software caused connection abort",
    "ECONNRESET": "Connection reset by peer",
    "ENOBUFS": "No buffer space available",
    "EISCONN": "Transport endpoint is already connected",
    "ENOTCONN": "Transport endpoint is not connected",
    "ETIMEDOUT": "Connection timed out",
    "ECONNREFUSED": "Connection refused",
    "EHOSTDOWN": "Host is down",
    "EHOSTUNREACH": "Host unreachable",  # libzmq's own text (src/err.cpp)
    "EALREADY": "Operation already in progress",
    "EINPROGRESS": "Operation now in progress",
    "ESTALE": "Stale file handle",
    "EDQUOT": "Disk quota exceeded",
    "ECANCELED": "Operation canceled",
}

# Where Python's number differs from libzmq's: the WSA numbers on Windows. Empty elsewhere.
_FROM_PLATFORM: dict[int, int] = {
    getattr(_errno, member.name): int(member)
    for member in Errno
    if hasattr(_errno, member.name) and getattr(_errno, member.name) != member
}


# A non-blocking call of the operating system may say EWOULDBLOCK; it is the same number on most platforms.
_AGAIN = frozenset({int(Errno.EAGAIN), _errno.EWOULDBLOCK})
_ETERM = int(Errno.ETERM)


def strerror(errno: int) -> str:
    """Return the text of an error number: libzmq's texts for its own, the usual ones for the platform's.

    Args:
        errno: a number of libzmq or of the platform.

    Returns:
        The text; ``"Unknown error N"`` for a number that has none. Zero is ``"Success"``.
    """
    if errno == 0:
        return "Success"
    text = _TEXTS.get(errno)
    if text is not None:
        return text
    # libzmq's own numbers first: on Windows they differ from those of the module errno.
    try:
        name = Errno(errno).name
    except ValueError:
        name = _errno.errorcode.get(errno, "")
    return _PLATFORM_TEXTS.get(name, f"Unknown error {errno} ({name})" if name else f"Unknown error {errno}")


class ZMQBaseError(Exception):
    """Root of the errors of purezmq."""


class ZMQError(ZMQBaseError):
    """An operation failed; ``errno`` tells programs why, ``strerror`` tells people.

    Args:
        errno: the error number, or (as pyzmq allows) only a text.
        msg: the text; by default the usual text of the number.
    """

    errno: int | None = None
    strerror: str

    def __init__(self, errno: int | str | None = None, msg: str | None = None) -> None:
        Exception.__init__(self, *(value for value in (errno, msg) if value is not None))
        if isinstance(errno, str):
            self.errno = None
            self.strerror = errno if msg is None else msg
            return
        self.errno = 0 if errno is None else errno
        self.strerror = strerror(self.errno) if msg is None else msg

    def __str__(self) -> str:
        return self.strerror

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class Again(ZMQError):
    """The operation would block: nothing to receive, or no peer that can take the message (EAGAIN).

    Raised with the flag DONTWAIT at once, else when RCVTIMEO, SNDTIMEO or ``timeout=`` is over.

    Args:
        errno: ignored, as in pyzmq; it is always EAGAIN.
        msg: the text; by default the usual text of EAGAIN.
    """

    def __init__(self, errno: int | str | None = None, msg: str | None = None) -> None:
        ZMQError.__init__(self, Errno.EAGAIN, msg)


class ContextTerminated(ZMQError):
    """The context was terminated, or is being terminated; the socket can only be closed (ETERM).

    Args:
        errno: ignored, as in pyzmq; it is always ETERM.
        msg: the text; by default the usual text of ETERM.
    """

    def __init__(self, errno: int | str | None = None, msg: str | None = None) -> None:
        ZMQError.__init__(self, Errno.ETERM, msg)


class InterruptedSystemCall(ZMQError, InterruptedError):
    """A signal interrupted the call (EINTR). The library repeats such calls itself (PEP 475).

    Args:
        errno: ignored, as in pyzmq; it is always EINTR.
        msg: the text; by default the usual text of EINTR.
    """

    errno: int | None
    strerror: str

    def __init__(self, errno: int | str | None = None, msg: str | None = None) -> None:
        ZMQError.__init__(self, EINTR, msg)


class ZMQBindError(ZMQBaseError):
    """``bind_to_random_port`` found no free port in its range."""


class NotDone(ZMQBaseError):
    """The time of ``MessageTracker.wait`` is over and the message is not sent yet."""


class ZMQVersionError(NotImplementedError):
    """A feature needs a newer libzmq than the one whose behaviour this library matches.

    Args:
        min_version: the version that has the feature, as text (``"4.4"``).
        msg: the feature's name.
    """

    def __init__(self, min_version: str, msg: str = "Feature") -> None:
        super().__init__(min_version, msg)
        self.min_version = min_version
        self.msg = msg
        self.version = _LIBZMQ_VERSION

    def __str__(self) -> str:
        return f"{self.msg} requires libzmq >= {self.min_version}, have {self.version}"

    def __repr__(self) -> str:
        return f"ZMQVersionError({str(self)!r})"


class DraftFDWarning(RuntimeWarning):
    """Kept so that programs can filter it by name; FD works on every socket here, so it is never raised.

    Args:
        msg: the text.
    """

    def __init__(self, msg: str = "") -> None:
        super().__init__(msg or "FD on a thread-safe socket is experimental in pyzmq; purezmq supports it everywhere")


class SecurityWarning(UserWarning):
    """What works, but gives others more than it should: such as a file with a secret key that others may read."""


def make_error(errno: int, text: str | None = None) -> ZMQError:
    """Make the ZMQError, or its subclass, that belongs to an error number.

    Args:
        errno: a number of libzmq or of the platform; a Windows socket number (WSA) becomes libzmq's.
        text: the cause and the cure; by default the usual text of the number.

    Returns:
        Again for EAGAIN, ContextTerminated for ETERM, InterruptedSystemCall for EINTR, else a ZMQError.
        To be raised by the caller.
    """
    errno = _FROM_PLATFORM.get(errno, errno)
    if errno in _AGAIN:
        return Again(errno, text)
    if errno == _ETERM:
        return ContextTerminated(errno, text)
    if errno == EINTR:
        return InterruptedSystemCall(errno, text)
    return ZMQError(errno, text)
