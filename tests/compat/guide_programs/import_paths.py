"""The paths by which programs import names from below zmq, and what they find there."""

from __future__ import annotations

import warnings

import zmq
import zmq.utils.jsonapi
import zmq.utils.strtypes
import zmq.utils.win32
from zmq import Context, Frame, Poller, Socket, ZMQError
from zmq.backend import Frame as BackendFrame
from zmq.constants import NULL, SocketType
from zmq.error import Again, NotDone, ZMQBindError
from zmq.eventloop import ioloop, zmqstream
from zmq.eventloop.future import Context as FutureContext
from zmq.sugar import version
from zmq.sugar.context import Context as SugarContext
from zmq.sugar.frame import Frame as SugarFrame
from zmq.sugar.poll import Poller as SugarPoller
from zmq.sugar.socket import Socket as SugarSocket
from zmq.sugar.tracker import MessageTracker
from zmq.utils import z85
from zmq.utils.interop import cast_int_addr
from zmq.utils.monitor import parse_monitor_message
from zmq.utils.strtypes import asbytes, b, bytes, cast_bytes, cast_unicode, u, unicode

print(SugarContext is Context, issubclass(SugarSocket, object), issubclass(Socket, SugarSocket), SugarPoller is Poller)
print(
    issubclass(Frame, SugarFrame),
    MessageTracker is zmq.MessageTracker,
    NULL,
    SocketType.REQ is zmq.REQ,
    isinstance(BackendFrame, type),
)
print(zmq.utils.jsonapi.dumps({"a": "é"}), zmq.utils.jsonapi.loads(b"[1]"))
print(asbytes("x"), cast_bytes("é"), cast_unicode(b"x"), b("x"), u("x"), unicode is str, bytes(3))
print(z85.encode(b"12345678"), z85.decode(z85.encode(b"12345678")), cast_int_addr(7))
with zmq.utils.win32.allow_interrupt(lambda: None):
    print("allowed")
print(version.pyzmq_version() == zmq.pyzmq_version(), version.zmq_version_info() == zmq.zmq_version_info())
print(issubclass(Again, ZMQError), NotDone.__name__, ZMQBindError.__name__, callable(parse_monitor_message))
print(issubclass(FutureContext, Context), hasattr(ioloop, "IOLoop"), zmqstream.ZMQStream.__name__)
for name in ("zmq.core", "zmq.sugar.constants", "zmq.nothing", "zmq.utils.nothing"):
    try:
        __import__(name)
        print(name)
    except ImportError as error:
        print(type(error).__name__, str(error))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import zmq.asyncio

    for function in (zmq.asyncio.install, ioloop.install):
        try:
            function()
        except RuntimeError as error:
            print(type(error).__name__)
    print([warning.category.__name__ for warning in caught])
