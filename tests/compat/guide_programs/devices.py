"""Devices in threads: ThreadDevice, ThreadProxy, MonitoredQueue, with options set through them."""

from __future__ import annotations

import zmq
from zmq.devices import Device, MonitoredQueue, ProcessDevice, ThreadDevice, ThreadMonitoredQueue, ThreadProxy

context = zmq.Context.instance()
device = ThreadDevice(zmq.QUEUE, zmq.ROUTER, zmq.DEALER)
device.context_factory = lambda *args: context
port_in = device.bind_in_to_random_port("tcp://127.0.0.1")
port_out = device.bind_out_to_random_port("tcp://127.0.0.1")
device.setsockopt_in(zmq.IDENTITY, b"frontend")
device.setsockopt_out(zmq.LINGER, 0)
device.daemon = True
device.start()
req, rep = context.socket(zmq.REQ), context.socket(zmq.REP)
req.connect(f"tcp://127.0.0.1:{port_in}")
rep.connect(f"tcp://127.0.0.1:{port_out}")
req.send(b"through the device")
rep.send(rep.recv()[::-1])
print(req.recv())

proxy = ThreadProxy(zmq.PULL, zmq.PUSH, zmq.PUSH)
proxy.bind_in("inproc://in")
proxy.bind_out("inproc://out")
proxy.bind_mon("inproc://mon")
proxy.context_factory = lambda *args: context
proxy.start()
push, pull, mon = (context.socket(kind) for kind in (zmq.PUSH, zmq.PULL, zmq.PULL))
push.connect("inproc://in")
pull.connect("inproc://out")
mon.connect("inproc://mon")
push.send_multipart([b"x", b"y"])
print(pull.recv_multipart(), mon.recv_multipart())

monitored = ThreadMonitoredQueue(zmq.ROUTER, zmq.DEALER, zmq.PUB, b"in", b"out")
monitored.context_factory = lambda *args: context
monitored.bind_in("inproc://qin")
monitored.bind_out("inproc://qout")
monitored.bind_mon("inproc://qmon")
monitored.start()
watch = context.socket(zmq.SUB)
watch.subscribe(b"")
watch.rcvtimeo = 5000
watch.connect("inproc://qmon")
req2, rep2 = context.socket(zmq.REQ), context.socket(zmq.REP)
req2.identity = b"asker"
req2.connect("inproc://qin")
rep2.connect("inproc://qout")
req2.send(b"q")
rep2.send(rep2.recv() + b"!")
print(req2.recv(), watch.recv_multipart(), watch.recv_multipart())
print(issubclass(ProcessDevice, Device), Device.__init__.__doc__ is None, MonitoredQueue.__mro__[1].__name__)
for socket in (req, rep, push, pull, mon, watch, req2, rep2):
    socket.close(0)
context.term()
for each in (device, proxy, monitored):
    each.join(5)
    print(each.done)
