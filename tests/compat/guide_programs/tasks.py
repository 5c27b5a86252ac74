"""Ventilator, workers and sink; a kill signal over PUB ends the workers (taskwork2)."""

from __future__ import annotations

import threading

import zmq

context = zmq.Context()


def worker():
    receiver = context.socket(zmq.PULL)
    receiver.connect("inproc://ventilator")
    sender = context.socket(zmq.PUSH)
    sender.connect("inproc://sink")
    controller = context.socket(zmq.SUB)
    controller.connect("inproc://control")
    controller.setsockopt(zmq.SUBSCRIBE, b"")
    ready.wait()
    poller = zmq.Poller()
    poller.register(receiver, zmq.POLLIN)
    poller.register(controller, zmq.POLLIN)
    while True:
        socks = dict(poller.poll())
        if socks.get(receiver) == zmq.POLLIN:
            message = receiver.recv_string()
            sender.send_string(f"done {message}")
        if socks.get(controller) == zmq.POLLIN:
            break
    receiver.close()
    sender.close()
    controller.close()


ventilator = context.socket(zmq.PUSH)
ventilator.bind("inproc://ventilator")
sink = context.socket(zmq.PULL)
sink.bind("inproc://sink")
control = context.socket(zmq.PUB)
control.bind("inproc://control")
ready = threading.Barrier(4)
threads = [threading.Thread(target=worker) for _ in range(3)]
for thread in threads:
    thread.start()
ready.wait()
for number in range(30):
    ventilator.send_string(str(number))
results = sorted(int(sink.recv().split()[1]) for _ in range(30))
print(results == list(range(30)), len(results))
control.send(b"KILL")
for thread in threads:
    thread.join()
for socket in (ventilator, sink, control):
    socket.close()
context.term()
