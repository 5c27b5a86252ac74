"""Devices: what they pass, where they run, how they end."""

from __future__ import annotations

import multiprocessing
import pickle
import struct

import pytest
from tests.support import TIMEOUT_S, eventually, library_module, purezmq_only, run_in_thread, zmq

devices = library_module("devices")

LOOPBACK = "tcp://127.0.0.1"


@pytest.fixture
def client(make_socket):
    """A REQ socket."""
    return make_socket(zmq.REQ)


def echo_device(kind):
    """A device whose one socket answers its peers with what they send."""
    device = kind(zmq.QUEUE, zmq.REP, -1)
    device.setsockopt_in(zmq.LINGER, 0)
    return device, device.bind_in_to_random_port(LOOPBACK)


@pytest.mark.parametrize("kind", [devices.ThreadDevice, devices.ProcessDevice])
def test_background_device_passes_messages_beside_the_caller(kind, client):
    """`start` returns at once, and the device runs in a thread or a process."""
    device, port = echo_device(kind)
    device.start()
    client.connect(f"{LOOPBACK}:{port}")
    client.send(b"hello")
    assert b"hello" == client.recv()
    assert device.launcher.is_alive()
    assert device.launcher.daemon
    if kind is devices.ProcessDevice:
        device.launcher.terminate()
        device.join(TIMEOUT_S)
        assert not device.launcher.is_alive()


def test_device_ends_with_its_context(make_context, make_socket):
    """Terminating the context ends the device in good order: done, its sockets closed."""
    context = make_context()
    device, port = echo_device(devices.ThreadDevice)
    device.context_factory = lambda: context
    device.start()
    client = make_socket(zmq.REQ)
    client.connect(f"{LOOPBACK}:{port}")
    client.send(b"x")
    assert b"x" == client.recv()
    assert not device.done
    run_in_thread(context.term).result()
    device.join(TIMEOUT_S)
    assert device.done


def test_device_start_in_the_foreground_returns_at_the_end(make_context, make_socket):
    """`Device.start` runs in the thread that calls it; `join` of another thread waits for its end."""
    context = make_context()
    device, port = echo_device(devices.Device)
    device.context_factory = lambda: context
    run = run_in_thread(device.start)
    client = make_socket(zmq.REQ)
    client.connect(f"{LOOPBACK}:{port}")
    client.send(b"x")
    assert b"x" == client.recv()
    assert run.running
    context.term()
    device.join(TIMEOUT_S)
    run.result()


def test_device_without_types_is_refused():
    """Both types have to be named."""
    with pytest.raises(TypeError):
        devices.Device(zmq.QUEUE)


def test_device_random_ports_are_different():
    """No port is given twice to one device."""
    device = devices.ThreadProxy(zmq.PULL, zmq.PUSH, zmq.PUB)
    ports = {device.bind_in_to_random_port(LOOPBACK), device.bind_out_to_random_port(LOOPBACK)}
    assert 3 == len(ports | {device.bind_mon_to_random_port(LOOPBACK)})


def test_device_random_port_obeys_its_range():
    """min_port and max_port are handed on."""
    port = devices.ThreadDevice(zmq.QUEUE, zmq.PULL, zmq.PUSH).bind_in_to_random_port(LOOPBACK, 49200, 49400)
    assert 49200 <= port < 49400


def test_device_options_are_set_before_it_binds(context, make_socket):
    """setsockopt_in acts on the socket that the device makes."""
    device = devices.ThreadDevice(zmq.QUEUE, zmq.ROUTER, zmq.DEALER)
    device.context_factory = lambda: context
    device.setsockopt_out(zmq.IDENTITY, b"device")
    port = device.bind_in_to_random_port(LOOPBACK)
    out_port = device.bind_out_to_random_port(LOOPBACK)
    device.start()
    client, server = make_socket(zmq.DEALER), make_socket(zmq.ROUTER)
    client.connect(f"{LOOPBACK}:{port}")
    server.connect(f"{LOOPBACK}:{out_port}")
    client.send(b"x")
    assert b"device" == server.recv_multipart()[0]


@pytest.fixture
def linked(context, make_socket):
    """Start a device of PULL, PUSH and PUB, and return its pusher, puller and subscriber."""

    def start(device):
        device.context_factory = lambda: context
        ports = [device.bind_in_to_random_port(LOOPBACK), device.bind_out_to_random_port(LOOPBACK)]
        ports.append(device.bind_mon_to_random_port(LOOPBACK))
        pusher, puller, subscriber = (make_socket(kind) for kind in (zmq.PUSH, zmq.PULL, zmq.SUB))
        subscriber.subscribe(b"")
        subscriber_events = subscriber.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        for socket, port in zip((pusher, puller, subscriber), ports, strict=True):
            socket.connect(f"{LOOPBACK}:{port}")
        device.start()
        assert subscriber_events.poll(int(TIMEOUT_S * 1000))
        subscriber.disable_monitor()
        subscriber_events.close()
        return pusher, puller, subscriber

    return start


def first_seen(pusher, puller, subscriber):
    """Send until a message's copy was seen (the subscription has arrived then); return both."""

    def attempt():
        pusher.send_multipart([b"a", b"b"])
        message = puller.recv_multipart()
        return subscriber.poll(50) and (message, subscriber.recv_multipart())

    return eventually(attempt)


def test_proxy_copies_every_message(linked):
    """The monitor socket gets what is passed on."""
    assert ([b"a", b"b"], [b"a", b"b"]) == first_seen(*linked(devices.ThreadProxy(zmq.PULL, zmq.PUSH, zmq.PUB)))


def test_monitored_queue_puts_its_prefix_in_front_of_copies(linked):
    """Copies of what came in begin with the prefix of that side."""
    device = devices.ThreadMonitoredQueue(zmq.PULL, zmq.PUSH, zmq.PUB, b"IN", b"OUT")
    assert ([b"a", b"b"], [b"IN", b"a", b"b"]) == first_seen(*linked(device))


def test_monitored_queue_of_two_routers_makes_their_peers_meet(make_socket):
    """From ROUTER to ROUTER the first two parts change places: who writes the receiver's id gets the sender's."""
    left, right, monitor = make_socket(zmq.ROUTER), make_socket(zmq.ROUTER), make_socket(zmq.PAIR)
    monitor.bind("inproc://monitored")
    watch = make_socket(zmq.PAIR)
    watch.connect("inproc://monitored")
    ends = []
    # The last one has the sender's name on the other side: it must not get what isn't for it.
    for socket, name in ((left, b"A"), (right, b"B"), (right, b"A")):
        port = socket.bind_to_random_port(LOOPBACK)
        end = make_socket(zmq.DEALER, identity=name)
        end.connect(f"{LOOPBACK}:{port}")
        end.send(b"ready")
        assert [name, b"ready"] == socket.recv_multipart()
        ends.append(end)
    queue = run_in_thread(devices.monitored_queue, left, right, monitor, b"in", b"out")
    ends[0].send_multipart([b"B", b"to b"])
    assert [b"A", b"to b"] == ends[1].recv_multipart()
    ends[1].send_multipart([b"A", b"to a", b"2"])
    assert [b"B", b"to a", b"2"] == ends[0].recv_multipart()
    assert [b"in", b"B", b"A", b"to b"] == watch.recv_multipart()
    assert [b"out", b"A", b"B", b"to a", b"2"] == watch.recv_multipart()
    assert 0 == ends[2].poll(0)
    assert queue.running


def test_monitored_queue_prefix_of_text_is_refused(make_socket):
    """Prefixes are bytes."""
    sockets = [make_socket(zmq.PAIR) for _ in range(3)]
    with pytest.raises(TypeError):
        devices.monitored_queue(*sockets, "in", b"out")


@pytest.mark.parametrize("kind", [devices.ThreadProxySteerable, devices.ProcessProxySteerable])
def test_steerable_proxy_obeys_its_control_socket(kind, make_socket):
    """STATISTICS counts what was passed, TERMINATE ends the device."""
    device = kind(zmq.PULL, zmq.PUSH, zmq.PUB, zmq.PAIR)
    ports = [device.bind_in_to_random_port(LOOPBACK), device.bind_out_to_random_port(LOOPBACK)]
    device.bind_mon_to_random_port(LOOPBACK)
    ports.append(device.bind_ctrl_to_random_port(LOOPBACK))
    pusher, puller, control = (make_socket(socket) for socket in (zmq.PUSH, zmq.PULL, zmq.PAIR))
    for socket, port in zip((pusher, puller, control), ports, strict=True):
        socket.connect(f"{LOOPBACK}:{port}")
    device.start()
    pusher.send(b"12345")
    assert b"12345" == puller.recv()
    control.send(b"STATISTICS")
    assert (1, 5) == struct.unpack("=QQ", b"".join(control.recv_multipart()[:2]))
    control.send(b"TERMINATE")
    device.join(TIMEOUT_S)
    assert not device.launcher.is_alive()


@purezmq_only("its launcher goes along and can't be sent")
def test_process_device_after_start_is_still_plain_data():
    """What a device shall be goes to a spawned process: after a round trip through pickle it binds the same."""
    device, port = echo_device(devices.ProcessDevice)
    device.launcher = multiprocessing.get_context("spawn").Process(target=device.run)
    again = pickle.loads(pickle.dumps(device))
    assert [f"{LOOPBACK}:{port}"] == again._in.binds
    assert again.launcher is None


@pytest.mark.parametrize("kind", [devices.ThreadProxy, devices.ThreadMonitoredQueue])
def test_device_context_factory_makes_one_context(kind, make_context, make_socket):
    """All sockets of a device are in one context, also when the factory makes a new one at each call."""
    made = []

    def factory():
        made.append(make_context())
        return made[-1]

    device = kind(zmq.PULL, zmq.PUSH, zmq.PUB)
    device.context_factory = factory
    ports = device.bind_in_to_random_port(LOOPBACK), device.bind_out_to_random_port(LOOPBACK)
    device.start()
    pusher, puller = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    pusher.connect(f"{LOOPBACK}:{ports[0]}")
    puller.connect(f"{LOOPBACK}:{ports[1]}")
    pusher.send(b"x")
    assert b"x" == puller.recv()
    run_in_thread(made[0].term).result()
    device.join(TIMEOUT_S)
    assert device.done
    assert 1 == len(made)


def test_device_bad_endpoint_raises_where_it_runs(make_context):
    """An endpoint that can't be bound is an error of `run`, after which the device is done."""
    context = make_context()
    device = devices.Device(zmq.QUEUE, zmq.PULL, zmq.PUSH)
    device.context_factory = lambda: context
    device.bind_in("tcp://127.0.0.1:notaport")
    with pytest.raises(zmq.ZMQError):
        device.start()
    assert device.done
