"""Subclasses of Socket and Context as programs write them: own attributes, overridden methods, factories."""

from __future__ import annotations

import asyncio
import functools

import zmq
import zmq.asyncio


class Counting(zmq.Socket):
    """Counts what it sends, and has a timeout for each call."""

    def __init__(self, context, socket_type, **kwargs):
        super().__init__(context, socket_type, **kwargs)
        self.__dict__["count"] = 0
        self.__dict__["fd_at_start"] = self.getsockopt(zmq.FD)

    def send(self, data, flags=0, copy=True, track=False, **kwargs):
        self.__dict__["count"] += 1
        return super().send(data, flags, copy, track, **kwargs)

    def recv(self, *args, timeout=1.0, **kwargs):
        if not self.poll(int(timeout * 1000)):
            return self.on_timeout()
        return super().recv(*args, **kwargs)

    def on_timeout(self):
        return None


class Service(zmq.Context):
    _socket_class = Counting

    def bind(self, endpoint, socket_type, **kwargs):
        socket = self.socket(socket_type, **kwargs)
        socket.bind(endpoint)
        return socket

    def connect(self, endpoint, socket_type):
        socket = self.socket(socket_type)
        socket.connect(endpoint)
        return socket


class Declared(zmq.Socket):
    prefix = None
    _private = 0

    def __setattr__(self, name, value):
        if name == "level":
            value += 1
        super().__setattr__(name, value)


context = Service()
a = context.bind("inproc://sub", zmq.PAIR)
b = context.connect("inproc://sub", zmq.PAIR)
a.send(b"one")
a.send_string("two")
a.send_json(3)
print(a.count)
a.send_multipart([b"four", b"five"])
print(b.recv(), b.recv_string(), b.recv_json(), b.recv_multipart(), b.recv(timeout=0.02))
print(
    a.fd_at_start == a.fileno(),
    type(a).__mro__[1] is zmq.Socket,
    type(context.socket(zmq.PUB, socket_class=zmq.Socket)).__name__,
)
declared = context.socket(zmq.PUSH, Declared)
declared.prefix = "p"
declared._private = 5
declared.linger = 0
print(declared.prefix, declared._private, declared.linger)
try:
    declared.level = 1
except AttributeError:  # only what the class declares can be set
    pass
direct = zmq.Socket(context, zmq.REQ)
print(direct.context is context, direct.type == zmq.REQ)
partial = functools.partial(context.socket, zmq.SUB)
print(partial().type.name)
direct.close()


class AsyncEcho(zmq.asyncio.Socket):
    async def send_loud(self, text):
        await self.send_string(text.upper())

    async def recv_soft(self):
        return (await self.recv_string()).lower()


class AsyncContext(zmq.asyncio.Context):
    _socket_class = AsyncEcho


async def main():
    context = AsyncContext()
    x, y = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    x.bind("inproc://loud")
    y.connect("inproc://loud")
    await x.send_loud("Hello")
    print(await y.recv_soft(), type(x).__name__)
    monitored = context.socket(zmq.REQ)
    monitor = monitored.get_monitor_socket()
    print(isinstance(monitor, zmq.asyncio.Socket))
    server = context.socket(zmq.REP)
    port = server.bind_to_random_port("tcp://127.0.0.1")
    monitored.connect(f"tcp://127.0.0.1:{port}")
    from zmq.utils.monitor import recv_monitor_message

    while (await recv_monitor_message(monitor))["event"] != zmq.EVENT_CONNECTED:
        pass
    print("connected")
    monitored.disable_monitor()
    context.destroy(linger=0)


asyncio.run(main())
context.destroy(linger=0)
