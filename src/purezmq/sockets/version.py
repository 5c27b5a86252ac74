"""Which versions there are, and what this build can do."""

from __future__ import annotations

__all__ = [
    "DRAFT_API",
    "IPC_PATH_MAX_LEN",
    "PYZMQ_DRAFT_API",
    "get_includes",
    "get_library_dirs",
    "has",
    "pyzmq_version",
    "pyzmq_version_info",
    "zmq_errno",
    "zmq_version",
    "zmq_version_info",
]

#: The draft socket types and options of libzmq are simply there.
DRAFT_API = True
PYZMQ_DRAFT_API = True
#: The longest path of an ipc endpoint, in bytes (sun_path of Linux without its end).
IPC_PATH_MAX_LEN = 107


#: The libzmq whose behaviour is matched; programs branch on it.
LIBZMQ_VERSION = (4, 3, 5)
#: The pyzmq whose API is matched.
PYZMQ_VERSION = (27, 3, 0)
#: Capabilities that exist now.
_CAPABILITIES = frozenset({"draft", "ipc"})


def zmq_version_info() -> tuple[int, int, int]:
    """The version of libzmq whose behaviour is matched."""
    return LIBZMQ_VERSION


def zmq_version() -> str:
    """The version of libzmq whose behaviour is matched, as text."""
    return ".".join(map(str, LIBZMQ_VERSION))


def pyzmq_version_info() -> tuple[int, int, int]:
    """The version of pyzmq whose API is matched."""
    return PYZMQ_VERSION


def pyzmq_version() -> str:
    """The version of pyzmq whose API is matched, as text. purezmq's own is `purezmq.__version__`."""
    return ".".join(map(str, PYZMQ_VERSION))


def zmq_errno() -> int:
    """libzmq's errno of the calling thread; always 0 here, because errors are exceptions that carry theirs."""
    return 0


def has(capability: str) -> bool:
    """Whether a capability (a transport or a mechanism: "ipc", "curve", "pgm" ...) is there.

    Args:
        capability: libzmq's name of it.
    """
    import socket

    if capability == "curve":
        return _has_sodium()
    return capability in _CAPABILITIES and (capability != "ipc" or hasattr(socket, "AF_UNIX"))


def _has_sodium() -> bool:
    """Whether PyNaCl, which has CURVE's cryptography, can be imported."""
    try:
        import purezmq.wire.mechanisms.sodium  # noqa: F401
    except ImportError:
        return False
    return True


def get_includes() -> list[str]:
    """pyzmq's folders of C headers; there is no C here.

    Raises:
        NotImplementedError: always; an extension module that calls libzmq has to be built with pyzmq.
    """
    raise NotImplementedError("purezmq has no C headers: an extension module that calls libzmq is built with pyzmq")


def get_library_dirs() -> list[str]:
    """pyzmq's folders of libzmq; there is no libzmq here.

    Raises:
        NotImplementedError: always; an extension module that calls libzmq has to be built with pyzmq.
    """
    raise NotImplementedError("purezmq has no libzmq: an extension module that calls it is built with pyzmq")
