"""Which versions there are, and what this build can do."""

from __future__ import annotations


__all__ = ["has", "pyzmq_version", "pyzmq_version_info", "zmq_version", "zmq_version_info"]

#: The libzmq whose behaviour is matched; programs branch on it.
LIBZMQ_VERSION = (4, 3, 5)
#: The pyzmq whose API is matched.
PYZMQ_VERSION = (27, 3, 0)
#: Capabilities that exist now.
_CAPABILITIES = frozenset({"ipc"})


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


def has(capability: str) -> bool:
    """Whether a capability (a transport or a mechanism: "ipc", "curve", "pgm" ...) is there.

    Args:
        capability: libzmq's name of it.
    """
    import socket  # noqa: PLC0415 - only this question needs it here

    return capability in _CAPABILITIES and (capability != "ipc" or hasattr(socket, "AF_UNIX"))


