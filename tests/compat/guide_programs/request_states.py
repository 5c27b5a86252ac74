"""REQ and REP keep their turns; relaxed and correlated requests may leave them."""

from __future__ import annotations

import zmq

context = zmq.Context()
rep = context.socket(zmq.REP)
router = context.socket(zmq.ROUTER)
rep.bind("inproc://rep")
router.bind("inproc://router")
req = context.socket(zmq.REQ)
req.connect("inproc://rep")


def attempt(function, *args):
    try:
        print(function(*args))
    except zmq.ZMQError as error:
        print(type(error).__name__, error.errno == zmq.EFSM)


attempt(req.recv)
req.send(b"one")
attempt(req.send, b"two")
attempt(req.recv, zmq.DONTWAIT)
attempt(rep.send, b"")
print(rep.recv(), req.poll(0), req.poll(0, zmq.POLLOUT), rep.poll(0, zmq.POLLOUT) == zmq.POLLOUT)
attempt(rep.recv, zmq.DONTWAIT)
rep.send_multipart([b"a", b"b"])
print(req.recv(), req.getsockopt(zmq.RCVMORE), req.recv())
relaxed = context.socket(zmq.REQ)
relaxed.setsockopt(zmq.REQ_RELAXED, 1)
relaxed.setsockopt(zmq.REQ_CORRELATE, 1)
relaxed.connect("inproc://router")
relaxed.send(b"first")
relaxed.send(b"second")
first, second = router.recv_multipart(), router.recv_multipart()
print(len(first), first[2], first[3], second[3], first[1] != second[1])
router.send_multipart([*first[:3], b"late"])
router.send_multipart([*second[:3], b"right"])
print(relaxed.recv())
probing = context.socket(zmq.DEALER)
probing.probe_router = 1
probing.identity = b"prober"
probing.connect("inproc://router")
print(router.recv_multipart())
context.destroy(0)
