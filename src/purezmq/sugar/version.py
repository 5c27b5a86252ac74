"""pyzmq's import path of the versions; all of them are those of the pyzmq and the libzmq that are matched."""

from __future__ import annotations

from purezmq.sockets.version import pyzmq_version, pyzmq_version_info, zmq_version, zmq_version_info

__all__ = [
    "VERSION_EXTRA",
    "VERSION_MAJOR",
    "VERSION_MINOR",
    "VERSION_PATCH",
    "__revision__",
    "__version__",
    "pyzmq_version",
    "pyzmq_version_info",
    "version_info",
    "zmq_version",
    "zmq_version_info",
]

version_info = pyzmq_version_info()
VERSION_MAJOR, VERSION_MINOR, VERSION_PATCH = version_info
VERSION_EXTRA = ""
__version__ = pyzmq_version()
__revision__ = ""
