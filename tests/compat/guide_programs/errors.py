"""What goes wrong, and which error numbers and classes tell."""

from __future__ import annotations

import errno

import zmq

context = zmq.Context()
rep = context.socket(zmq.REP)


def attempt(function, *args):
    try:
        function(*args)
    except zmq.ZMQError as error:
        print(f"{type(error).__name__} {errno.errorcode.get(error.errno, error.errno)} {isinstance(error, OSError)}")
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, zmq.error.ZMQBaseError) as error:
        print(type(error).__name__)
    else:
        print("fine")


port = rep.bind_to_random_port("tcp://127.0.0.1")
other = context.socket(zmq.REP)
attempt(other.bind, f"tcp://127.0.0.1:{port}")
attempt(other.bind, "foo://127.0.0.1:1")
attempt(other.bind, "tcp://127.0.0.1")
attempt(other.bind, "nonsense")
attempt(other.connect, "tcp://127.0.0.1")
attempt(other.connect, "tcp://*:5555")
attempt(other.connect, "inproc://nobody-yet")
attempt(other.bind, "ipc:///no/such/folder/x")
attempt(other.unbind, "tcp://127.0.0.1:1")
attempt(other.disconnect, "tcp://127.0.0.1:1")
attempt(other.bind, 5)
attempt(other.bind, b"inproc://bytes")
attempt(other.bind, "inproc://bytes")
attempt(rep.send, b"x")
attempt(rep.recv, zmq.DONTWAIT)
attempt(rep.setsockopt, zmq.SUBSCRIBE, b"x")
attempt(rep.setsockopt, 9999, 1)
attempt(rep.getsockopt, 9999)
attempt(rep.setsockopt, zmq.LINGER, b"bytes")
attempt(rep.setsockopt, zmq.IDENTITY, 5)
attempt(rep.setsockopt, zmq.IDENTITY, "text")
attempt(rep.setsockopt, zmq.SNDHWM, -1)
attempt(rep.setsockopt, zmq.TYPE, 1)
attempt(context.socket, 999)
attempt(context.set, 999, 1)
attempt(context.get, 999)
attempt(zmq.Context, -1)
attempt(rep.bind_to_random_port, "tcp://127.0.0.1", port, port + 1)
attempt(setattr, rep, "no_such_option", 1)
attempt(getattr, rep, "no_such_option")
attempt(getattr, rep, "subscribe_")
attempt(rep.poll, "x")
attempt(zmq.zmq_poll, [(rep, zmq.POLLIN)], 1)
attempt(rep.set_hwm, 5)
attempt(rep.monitor, "tcp://127.0.0.1:*")
attempt(rep.recv, zmq.DONTWAIT, False)
attempt(rep.send_multipart, b"bytes")
attempt(rep.send_multipart, 5)
attempt(rep.close)
attempt(rep.close)
attempt(rep.send, b"x")
attempt(rep.bind, "tcp://127.0.0.1:*")
print(rep.closed, zmq.strerror(zmq.EAGAIN), zmq.strerror(zmq.EFSM), zmq.strerror(zmq.ETERM), zmq.strerror(zmq.EINVAL))
print(
    zmq.Again().errno == zmq.EAGAIN, str(zmq.ZMQError(zmq.EINVAL)), repr(zmq.ZMQError(zmq.EINVAL)), zmq.ZMQError().errno
)
print([cls.__name__ for cls in zmq.Again.__mro__], [cls.__name__ for cls in zmq.ContextTerminated.__mro__])
print([cls.__name__ for cls in zmq.NotDone.__mro__], [cls.__name__ for cls in zmq.ZMQBindError.__mro__])
print(issubclass(zmq.ZMQVersionError, NotImplementedError), str(zmq.ZMQVersionError("9.9")))
context.destroy(0)
