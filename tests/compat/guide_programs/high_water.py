"""High-water marks and timeouts: when send says Again, and what a PUB drops."""

from __future__ import annotations

import zmq

context = zmq.Context()
push = context.socket(zmq.PUSH)
push.sndhwm = 5
push.sndtimeo = 50
try:
    push.send(b"nobody")
except zmq.Again as error:
    print(error.errno == zmq.EAGAIN)
pull = context.socket(zmq.PULL)
pull.rcvhwm = 5
pull.bind("inproc://hwm")
push.connect("inproc://hwm")
sent = 0
try:
    while True:
        push.send(b"%d" % sent, zmq.DONTWAIT)
        sent += 1
except zmq.Again:
    print(sent, push.poll(0, zmq.POLLOUT), push.getsockopt(zmq.EVENTS))
print([int(pull.recv()) for _ in range(sent)] == list(range(sent)))
print(push.poll(1000, zmq.POLLOUT) == zmq.POLLOUT)
push.close()
lazy = context.socket(zmq.PUSH)
lazy.immediate = 1
lazy.connect("tcp://127.0.0.1:1")
try:
    lazy.send(b"x", zmq.NOBLOCK)
except zmq.Again:
    print("Again")
pub = context.socket(zmq.PUB)
pub.sndhwm = 3
pub.bind("inproc://pub")
sub = context.socket(zmq.SUB)
sub.rcvhwm = 3
sub.subscribe(b"")
sub.connect("inproc://pub")
while not sub.poll(10):
    pub.send(b"warm")
while sub.poll(0):
    sub.recv()
for number in range(100):
    pub.send(b"%d" % number)
got = []
while sub.poll(50):
    got.append(int(sub.recv()))
print(got == list(range(len(got))), 3 <= len(got) < 100)
drop = context.socket(zmq.XPUB)
drop.xpub_nodrop = 1
drop.sndhwm = 2
drop.bind("inproc://nodrop")
slow = context.socket(zmq.SUB)
slow.rcvhwm = 2
slow.subscribe(b"")
slow.connect("inproc://nodrop")
drop.recv()
count = 0
try:
    while count < 100:
        drop.send(b"x", zmq.DONTWAIT)
        count += 1
except zmq.Again:
    print("full after", count)
context.destroy(0)
