"""A process that gevent patches, before or after the import of the library: the engine stays native, green stays green.

Each test is a process of its own, for patching can't be undone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import LIBRARY, TRANSPORTS, free_endpoint, purezmq_only

ROOT = Path(__file__).parents[3]
TIMEOUT_S = 40

PATCH = "from gevent import monkey; monkey.patch_all()"
IMPORT = f"import {LIBRARY}, {LIBRARY}.green"
PRELUDES = {"before": [PATCH, IMPORT], "after": [IMPORT, PATCH]}

both_orders = pytest.mark.parametrize("prelude", PRELUDES.values(), ids=PRELUDES.keys())


def run(prelude: list[str], program: str, *args: str) -> str:
    """Run a program in an interpreter of its own and return what it prints; `zmq` and `green` are imported."""
    lines = [*prelude, f"import {LIBRARY} as zmq", f"import {LIBRARY}.green as green", "import sys, gevent", program]
    done = subprocess.run(
        # From Python 3.12 on, a fork of a process with threads is warned of; gevent's subprocess forks.
        [sys.executable, "-X", "dev", "-W", "ignore:This process:DeprecationWarning", "-c", "\n".join(lines), *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        timeout=TIMEOUT_S,
        check=False,
        text=True,
    )
    assert 0 == done.returncode, done.stdout
    return done.stdout


@both_orders
def test_green_tests_pass_in_a_patched_process(prelude: list[str]) -> None:
    """The tests of this folder state the same behaviour where gevent has patched everything."""
    files = [str(Path(__file__).parent / name) for name in ("test_waiting.py", "test_green_poller.py")]
    program = (
        "import pytest\n"
        "sys.exit(pytest.main(['-q', '-x', '-p', 'no:cacheprovider', '-p', 'no:timeout', '-p', 'no:faulthandler',"
        " '-o', 'addopts=--import-mode=importlib', '-W', 'ignore::pytest.PytestConfigWarning', *sys.argv[1:]]))"
    )
    assert " passed" in run(prelude, program, *files)


PLAIN = """
endpoint = sys.argv[1]
context = zmq.Context()
push, pull = context.socket(zmq.PUSH), context.socket(zmq.PULL)
pull.bind(endpoint)
push.connect(pull.LAST_ENDPOINT if endpoint.startswith("tcp") else endpoint)
for number in range(1500):
    push.send(b"%d" % number)
assert list(range(1500)) == [int(pull.recv()) for _ in range(1500)]
pull.rcvtimeo = 10
try:
    pull.recv()
    sys.exit("a message from nowhere")
except zmq.Again:
    pass
poller = zmq.Poller()
poller.register(pull, zmq.POLLIN)
assert [] == poller.poll(10)
push.send(b"x")
assert [(pull, zmq.POLLIN)] == poller.poll(5000)
tracker = push.send(b"y" * 100_000, copy=False, track=True)
assert b"x" == pull.recv() and 100_000 == len(pull.recv())
tracker.wait(5)
push.close()
pull.close()
context.term()
print("done")
"""


@both_orders
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_plain_sockets_work_in_a_patched_process(prelude: list[str], transport: str) -> None:
    """Sockets that are not green block their thread, as ever, and the engine serves them from a native thread."""
    endpoint = "inproc://plain" if transport == "inproc" else free_endpoint(transport)
    assert "done\n" == run(prelude, PLAIN, endpoint)


@both_orders
def test_host_names_resolve_in_a_patched_process(prelude: list[str]) -> None:
    """A name is resolved by the system's resolver in a native thread, not by gevent's in a hub of its own."""
    program = """
context = green.Context()
rep, req = context.socket(green.REP), context.socket(green.REQ)
port = rep.bind_to_random_port("tcp://127.0.0.1")
req.connect(f"tcp://localhost:{port}")
server = gevent.spawn(lambda: rep.send(rep.recv()))
req.send(b"hello")
assert b"hello" == req.recv()
rep.close()
req.close()
context.term()
print("done")
"""
    assert "done\n" == run(prelude, program)


@purezmq_only("the engine of libzmq is not Python")
@both_orders
def test_engine_of_a_patched_process_is_native(prelude: list[str]) -> None:
    """Locks, threads, selectors and sockets of the engine are the interpreter's own."""
    program = """
import threading
from gevent.monkey import get_original
from purezmq import native
from purezmq.transports.native_socket import NativeSocket
assert native.allocate_lock is get_original("_thread", "allocate_lock")
assert native.epoll is get_original("select", "epoll")
assert native.sleep is get_original("time", "sleep")
assert issubclass(NativeSocket, get_original("socket", "socket"))
context = zmq.Context()
pull = context.socket(zmq.PULL)
pull.bind("tcp://127.0.0.1:*")
idents = []
done = native.allocate_lock()
done.acquire()
pull._engine.loop.call(lambda: (idents.append(native.get_ident()), done.release()))
done.acquire()
assert idents and idents[0] != native.get_ident()
pull.close()
context.term()
print("done")
"""
    assert "done\n" == run(prelude, program)


@both_orders
def test_engine_works_while_a_greenlet_computes(prelude: list[str]) -> None:
    """A greenlet that never gives way doesn't keep a peer in another process waiting for what was sent."""
    program = """
context = green.Context()
push = context.socket(green.PUSH)
port = push.bind_to_random_port("tcp://127.0.0.1")
text = (
    f"import {sys.argv[1]} as zmq; s = zmq.Context().socket(zmq.PULL); s.connect('tcp://127.0.0.1:{port}');"
    "s.rcvtimeo = 10000; assert s.recv() == b'sent'; print('got', flush=True); s.close()"
)
peer = gevent.subprocess.Popen([sys.executable, "-c", text], stdout=gevent.subprocess.PIPE)
push.send(b"sent")
import gevent.monkey
poll = gevent.monkey.get_original("select", "poll")()
poll.register(peer.stdout.fileno(), 1)
# The whole thread sleeps here, natively: no greenlet runs, and gevent's loop neither.
assert poll.poll(20000), "the engine didn't send"
push.close(0)
context.term()
peer.stdout.close()
peer.wait()
print("done")
"""
    assert "done\n" == run(prelude, program, LIBRARY)


@purezmq_only("it is about purezmq's own imports")
def test_plain_import_does_not_import_gevent() -> None:
    """`import purezmq` looks whether gevent is there, and never loads it."""
    program = f"import {LIBRARY}; import sys; sys.exit('gevent' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, timeout=TIMEOUT_S)


@purezmq_only("it is about purezmq's own extras")
def test_missing_gevent_names_the_extra() -> None:
    """Without gevent the import of green says what to install."""
    program = f"import sys; sys.modules['gevent'] = None; import {LIBRARY}.green"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, env=environment, timeout=TIMEOUT_S, capture_output=True, text=True
    )
    assert "pip install purezmq[green]" in done.stderr


@purezmq_only("it is about purezmq's own selectors")
@both_orders
def test_portable_selector_of_a_patched_process_is_native(prelude: list[str]) -> None:
    """Systems without epoll: the selector of the I/O thread needs nothing that gevent took away."""
    program = """
import os
from purezmq.engine.portable_selector import PortableSelector
reader, writer = os.pipe()
selector = PortableSelector(lambda: None)
selector.register(reader, 1)
assert selector.poll(0) == []
os.write(writer, b"x")
assert selector.poll(5) == [(reader, 1)]
selector.close()
print("done")
"""
    assert "done\n" == run(prelude, program)
