"""Several threads with a context each, ROUTER to ROUTER by CONNECT_ROUTING_ID, and a HANDOVER."""

from __future__ import annotations

import zmq

context = zmq.Context()
a, b = context.socket(zmq.ROUTER), context.socket(zmq.ROUTER)
a.identity = b"A"
b.identity = b"B"
port = a.bind_to_random_port("tcp://127.0.0.1")
b.setsockopt(zmq.CONNECT_ROUTING_ID, b"server")
b.connect(f"tcp://127.0.0.1:{port}")
b.router_mandatory = 1
b.send_multipart([b"server", b"hello"])
print(a.recv_multipart())
a.send_multipart([b"B", b"hello yourself"])
print(b.recv_multipart())
try:
    b.send_multipart([b"unknown", b"x"])
except zmq.ZMQError as error:
    print(error.errno == zmq.EHOSTUNREACH)
router = context.socket(zmq.ROUTER)
router.router_handover = 1
router.bind("inproc://handover")
dealers = []
for number in range(2):
    dealer = context.socket(zmq.DEALER)
    dealer.identity = b"same"
    dealer.connect("inproc://handover")
    dealer.send(b"%d" % number)
    print(router.recv_multipart())
    dealers.append(dealer)
router.send_multipart([b"same", b"to the newer"])
print(dealers[1].recv(), dealers[0].poll(20))
context.destroy(0)
