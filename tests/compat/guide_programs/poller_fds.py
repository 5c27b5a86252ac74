"""A poller of sockets and file descriptors together: a pipe, a plain socket, standard input."""

from __future__ import annotations

import os
import socket as plain
import sys

import zmq

context = zmq.Context()
pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
pull.bind("inproc://fds")
push.connect("inproc://fds")
read_end, write_end = os.pipe()
left, right = plain.socketpair()
os.dup2(read_end, 0)

poller = zmq.Poller()
poller.register(pull, zmq.POLLIN)
poller.register(sys.stdin, zmq.POLLIN)
poller.register(left, zmq.POLLIN | zmq.POLLOUT)
names = {pull: "pull", 0: "stdin", left.fileno(): "left"}


def show(events):
    print(sorted((names[socket], int(flags)) for socket, flags in events))


show(poller.poll(0))
poller.modify(left, zmq.POLLIN)
show(poller.poll(20))
os.write(write_end, b"line\n")
show(poller.poll())
print(sys.stdin.readline().strip())
right.send(b"x")
push.send(b"x")
show(poller.poll(1000))
print(pull.recv(), left.recv(1))
poller.unregister(sys.stdin)
print(sys.stdin in poller, pull in poller, len(poller.sockets))
try:
    poller.unregister(sys.stdin)
except KeyError:
    print("KeyError")
poller.register(pull, 0)
print(pull in poller)
poller.register(push)
print([(socket is push, int(flags)) for socket, flags in poller.poll(10)])
push.send(b"y")
readable, writable, errors = zmq.select([pull, read_end], [push, write_end], [pull], timeout=0.5)
print(readable == [pull], len(writable), errors)
print(pull.poll(), pull.poll(0, zmq.POLLOUT), push.poll(0, zmq.POLLIN | zmq.POLLOUT) == zmq.POLLOUT)
try:
    poller.register(object(), zmq.POLLIN)
except TypeError:
    print("TypeError")
print(pull.getsockopt(zmq.FD) == pull.fileno(), pull.getsockopt(zmq.EVENTS) & zmq.POLLIN, pull.EVENTS)
left.close()
right.close()
context.destroy(0)
