"""with statements around contexts, sockets, binds and connects."""

from __future__ import annotations

import zmq

with zmq.Context() as context:
    with context.socket(zmq.PUSH) as push, context.socket(zmq.PULL) as pull:
        with pull.bind("tcp://127.0.0.1:*"):
            endpoint = pull.last_endpoint
            with push.connect(endpoint.decode()):
                push.send(b"x")
                print(pull.recv())
        print(endpoint[:16], pull.closed)
        with push.bind("inproc://x"):
            pass
        push.bind("inproc://x")
    print(push.closed, pull.closed, context.closed)
print(context.closed)
with zmq.Context.instance() as context:
    print(context is zmq.Context.instance())
print(zmq.Context.instance() is context)
try:
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.send(b"out of turn")
except zmq.ZMQError as error:
    print(error.errno == zmq.EFSM, socket.closed, context.closed)
try:
    socket.recv()
except zmq.ZMQError as error:
    print(error.errno == zmq.ENOTSOCK)
try:
    context.socket(zmq.REP)
except zmq.ZMQError as error:
    print(error.errno in (zmq.EFAULT, zmq.ENOTSUP, zmq.ETERM, zmq.EINVAL))
