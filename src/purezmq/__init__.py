"""purezmq: 0MQ in pure Python, with pyzmq's API: ``import purezmq as zmq``."""

from __future__ import annotations

from purezmq import constants, error
from purezmq._version import __version__
from purezmq.constants import *  # noqa: F403 - the flat names are the API
from purezmq.error import (
    Again,
    ContextTerminated,
    DraftFDWarning,
    InterruptedSystemCall,
    NotDone,
    ZMQBaseError,
    ZMQBindError,
    ZMQError,
    ZMQVersionError,
    strerror,
)
from purezmq.install import install_as_zmq, is_installed_as_zmq
from purezmq.message import COPY_THRESHOLD, FINISHED_TRACKER, Frame, MessageTracker
from purezmq.sockets.context import Context
from purezmq.sockets.curve import curve_keypair, curve_public
from purezmq.sockets.poller import Poller, select, zmq_poll
from purezmq.sockets.proxy import device, proxy, proxy_steerable
from purezmq.sockets.socket import Socket
from purezmq.sockets.stopwatch import Stopwatch
from purezmq.sockets.version import (
    DRAFT_API,
    IPC_PATH_MAX_LEN,
    PYZMQ_DRAFT_API,
    get_includes,
    get_library_dirs,
    has,
    pyzmq_version,
    pyzmq_version_info,
    zmq_errno,
    zmq_version,
    zmq_version_info,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from purezmq import backend as backend
    from purezmq import sugar as sugar
    from purezmq import utils as utils
else:

    def __getattr__(name: str) -> ModuleType:
        """Import what ``import zmq`` alone makes reachable in pyzmq."""
        if name in {"_typing", "backend", "sugar", "utils"}:
            from importlib import import_module

            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


#: pyzmq's other names of the same things.
Message = Frame
_FINISHED_TRACKER = FINISHED_TRACKER
SyncContext = Context[Socket]
SyncSocket = Socket
__revision__ = ""
if is_installed_as_zmq():  # the module is being reloaded
    __version__ = pyzmq_version()

__all__ = [
    "COPY_THRESHOLD",
    "DRAFT_API",
    "IPC_PATH_MAX_LEN",
    "PYZMQ_DRAFT_API",
    "Again",
    "Context",
    "ContextTerminated",
    "DraftFDWarning",
    "Frame",
    "InterruptedSystemCall",
    "Message",
    "MessageTracker",
    "NotDone",
    "Poller",
    "Socket",
    "Stopwatch",
    "SyncContext",
    "SyncSocket",
    "ZMQBaseError",
    "ZMQBindError",
    "ZMQError",
    "ZMQVersionError",
    "__revision__",
    "__version__",
    "constants",
    "curve_keypair",
    "curve_public",
    "device",
    "error",
    "get_includes",
    "get_library_dirs",
    "has",
    "install_as_zmq",
    "proxy",
    "proxy_steerable",
    "pyzmq_version",
    "pyzmq_version_info",
    "select",
    "strerror",
    "zmq_errno",
    "zmq_poll",
    "zmq_version",
    "zmq_version_info",
]
__all__ += constants.__all__
