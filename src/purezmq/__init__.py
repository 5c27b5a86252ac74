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
from purezmq.message import COPY_THRESHOLD, Frame, MessageTracker
from purezmq.sockets.context import Context
from purezmq.sockets.poller import Poller, select, zmq_poll
from purezmq.sockets.proxy import device, proxy, proxy_steerable
from purezmq.sockets.socket import Socket
from purezmq.sockets.stopwatch import Stopwatch
from purezmq.sockets.version import (
    DRAFT_API,
    IPC_PATH_MAX_LEN,
    PYZMQ_DRAFT_API,
    has,
    pyzmq_version,
    pyzmq_version_info,
    zmq_errno,
    zmq_version,
    zmq_version_info,
)

#: pyzmq's other names of the same things.
Message = Frame
SyncContext = Context[Socket]
SyncSocket = Socket
__revision__ = ""

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
    "device",
    "error",
    "has",
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
