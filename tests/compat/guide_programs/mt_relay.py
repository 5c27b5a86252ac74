"""Threads that signal each other over PAIR sockets (mtrelay)."""

from __future__ import annotations

import threading

import zmq


def step1(context):
    sender = context.socket(zmq.PAIR)
    sender.connect("inproc://step2")
    sender.send(b"")


def step2(context):
    receiver = context.socket(zmq.PAIR)
    receiver.bind("inproc://step2")
    thread = threading.Thread(target=step1, args=(context,))
    thread.start()
    print(receiver.recv())
    sender = context.socket(zmq.PAIR)
    sender.connect("inproc://step3")
    sender.send(b"READY", copy=False)
    thread.join()


context = zmq.Context(io_threads=1)
receiver = context.socket(zmq.PAIR)
receiver.bind("inproc://step3")
thread = threading.Thread(target=step2, args=(context,))
thread.start()
string = receiver.recv()
print("Test successful!", string)
thread.join()
receiver.close()
context.destroy()
