"""Ctrl-C while recv blocks: KeyboardInterrupt comes out of it, and the program cleans up."""

from __future__ import annotations

import os
import signal
import threading

import zmq

context = zmq.Context()
socket = context.socket(zmq.REP)
socket.bind_to_random_port("tcp://127.0.0.1")
main = threading.get_ident()


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


for wait in (socket.recv, socket.recv_multipart, socket.poll, lambda: zmq.select([socket], [], [])):
    timer = threading.Timer(0.2, interrupt)
    timer.start()
    try:
        wait()
    except KeyboardInterrupt:
        print("W: interrupt received, stopping...")
    timer.join()

poller = zmq.Poller()
poller.register(socket, zmq.POLLIN)
handled = []
signal.signal(signal.SIGINT, lambda number, frame: handled.append(number))
timer = threading.Timer(0.1, interrupt)
timer.start()
print(poller.poll(400), [signal.Signals(number).name for number in handled])
timer.join()
socket.rcvtimeo = 400
timer = threading.Timer(0.1, interrupt)
timer.start()
try:
    socket.recv()
except zmq.Again:
    print("Again", len(handled))
timer.join()
socket.close()
context.term()
