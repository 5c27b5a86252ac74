"""Arrays without copies: copy=False, track=True, frames and their buffers (as with numpy)."""

from __future__ import annotations

import array

import zmq

context = zmq.Context()
a, b = context.socket(zmq.PUSH), context.socket(zmq.PULL)
port = b.bind_to_random_port("tcp://127.0.0.1")
a.connect(f"tcp://127.0.0.1:{port}")


def send_array(socket, values, flags=0, copy=True, track=False):
    md = {"dtype": values.typecode, "shape": len(values)}
    socket.send_json(md, flags | zmq.SNDMORE)
    return socket.send(values, flags, copy=copy, track=track)


def recv_array(socket, flags=0, copy=True, track=False):
    md = socket.recv_json(flags=flags)
    msg = socket.recv(flags=flags, copy=copy, track=track)
    values = array.array(md["dtype"])
    values.frombytes(memoryview(msg if copy else msg.buffer))
    return values


values = array.array("d", range(20000))
print(send_array(a, values), recv_array(b) == values)
tracker = send_array(a, values, copy=False, track=True)
print(type(tracker).__name__, recv_array(b, copy=False) == values)
tracker.wait(timeout=5)
print(tracker.done)

a.send(bytearray(b"mutable"))
a.send(memoryview(b"view")[1:], copy=False)
a.send(array.array("i", [1, 2]), copy=False)
print(b.recv(), b.recv(), len(b.recv()))

a.send_multipart([b"one", b"", memoryview(b"three")], copy=False)
frames = b.recv_multipart(copy=False)
print([type(frame).__name__ for frame in frames], [frame.bytes for frame in frames], [frame.more for frame in frames])
frame = frames[2]
print(len(frame), bytes(frame), frame.buffer.tobytes(), frame.buffer is frame.buffer)
print(frame.get(zmq.MORE), frames[0].get(zmq.MORE), frame.tracker is None)

message = zmq.Frame(b"x" * 100000, track=True)
print(message.tracker.done, message.tracker is message.tracker)
a.send(message, copy=False)
received = b.recv(copy=False)
print(len(received.buffer), received.buffer[:3].tobytes())
print(received.get("Peer-Address"), received["Socket-Type"] if hasattr(received, "__getitem__") else None)
frame = zmq.Frame(b"forwarded")
a.send(frame, copy=False)
a.send(frame)
print(b.recv(), b.recv())
second = zmq.MessageTracker()
print(second.done, zmq.MessageTracker(second).done)
try:
    zmq.MessageTracker(5)
except TypeError:
    print("TypeError")
big = zmq.Frame(b"y" * 200000, track=True)
try:
    big.tracker.wait(0.01)
except zmq.NotDone as error:
    print(type(error).__name__)
nothing = zmq.Frame()
print(len(nothing), nothing.bytes, zmq.Message is zmq.Frame, zmq.COPY_THRESHOLD)
buffer = bytearray(10)
a.send(b"into")
if hasattr(b, "recv_into"):
    print(b.recv_into(buffer), bytes(buffer))
context.destroy(0)
