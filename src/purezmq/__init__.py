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
from purezmq.sockets.socket import Socket

Message = Frame
SyncContext = Context
SyncSocket = Socket
