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
    from purezmq import backend as backend
    from purezmq import sugar as sugar
    from purezmq import utils as utils
    from purezmq.engine.socket_event import SocketEvent as SocketEvent
    from purezmq.sockets.event_stream import EventStream as EventStream
    from purezmq.sockets.statistics import ContextStats as ContextStats
    from purezmq.sockets.statistics import Peer as Peer
    from purezmq.sockets.statistics import PeerStats as PeerStats
    from purezmq.sockets.statistics import SocketStats as SocketStats
else:
    #: Types for annotations, which cost more to import than the rest. Not in `__all__`: ``import *`` would do so.
    _LAZY = {
        "SocketEvent": "purezmq.engine.socket_event",
        "EventStream": "purezmq.sockets.event_stream",
        "ContextStats": "purezmq.sockets.statistics",
        "Peer": "purezmq.sockets.statistics",
        "PeerStats": "purezmq.sockets.statistics",
        "SocketStats": "purezmq.sockets.statistics",
    }

    def __getattr__(name: str) -> object:
        """Import what ``import zmq`` alone makes reachable in pyzmq, and our own types."""
        if name in _LAZY:
            from importlib import import_module

            return getattr(import_module(_LAZY[name]), name)
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
