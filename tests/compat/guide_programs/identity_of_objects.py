"""Contexts and sockets as Python objects: repr, shadows, copies, weak references, pickles."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import zmq

context = zmq.Context()
socket = context.socket(zmq.REP)


socket.close()
print(repr(socket).endswith("closed>"), "closed" in repr(context))
for what in (context, socket):
    try:
        pickle.dumps(what)
    except TypeError:
        print("TypeError")
shadow = zmq.Context.shadow(context.underlying)
print(shadow == context, shadow is context, isinstance(context.underlying, int))
other = zmq.Context(context)
socket = other.socket(zmq.PAIR)
print(copy.copy(context) is context, copy.copy(socket).closed)
reference = weakref.ref(socket)
socket.close()
del socket
gc.collect()
print(reference())
del shadow, other
gc.collect()
print(context.closed)
context.term()
context.term()
context.destroy()
print(
    "closed" in repr(context),
    hash(context) == hash(context),
    context == zmq.Context.shadow(context.underlying) if not context.closed else None,
    {context: 1}[context],
)
print(
    zmq.zmq_version_info() >= (4, 2),
    zmq.pyzmq_version_info()[0] >= 25,
    type(zmq.__version__).__name__,
    zmq.has("ipc"),
    zmq.has("nothing"),
)
print(zmq.IPC_PATH_MAX_LEN)
