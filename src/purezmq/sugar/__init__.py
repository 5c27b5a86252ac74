"""pyzmq's ``zmq.sugar``: import paths of classes that live elsewhere. Nothing is written here but those paths."""

from __future__ import annotations

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
)
from purezmq.sockets.proxy import device, proxy
from purezmq.sugar import attrsettr, context, frame, poll, socket, stopwatch, tracker, version
from purezmq.sugar.context import Context, SyncContext
from purezmq.sugar.frame import Frame, Message
from purezmq.sugar.poll import Poller, select
from purezmq.sugar.socket import Socket, SyncSocket
from purezmq.sugar.stopwatch import Stopwatch
from purezmq.sugar.tracker import _FINISHED_TRACKER, MessageTracker
from purezmq.sugar.version import (
    __revision__,
    __version__,
    pyzmq_version,
    pyzmq_version_info,
    zmq_version,
    zmq_version_info,
)

__all__ = [
    "_FINISHED_TRACKER",
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
    "attrsettr",
    "context",
    "device",
    "frame",
    "poll",
    "proxy",
    "pyzmq_version",
    "pyzmq_version_info",
    "select",
    "socket",
    "stopwatch",
    "tracker",
    "version",
    "zmq_version",
    "zmq_version_info",
]
