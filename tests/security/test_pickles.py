"""V21: who can send a pickle owns the process. Here that is said, once, and can be refused."""

from __future__ import annotations

import ast
import errno
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import Call, bind, link, zmq
from tests.support.fronts import Front
from tests.support.zap import SERVER_PUBLIC, SERVER_SECRET

from purezmq.auth import CURVE_ALLOW_ANY, Authenticator
from purezmq.auth.thread import ThreadAuthenticator
from purezmq.engine import stranger
from purezmq.engine.stranger import find_sender, find_stranger
from purezmq.error import SecurityWarning

PACKAGE = Path(__file__).parents[2] / "src" / "purezmq"
DANGEROUS_NAMES = {"eval", "exec", "compile", "__import__"}
DANGEROUS_MODULES = {"pickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "yaml", "jsonpickle"}

MakeSocket = Callable[..., Any]


class Payload:
    """An object whose unpickling leaves a trace."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (self.path,)


@pytest.fixture
def loopback_is_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tcp peer counts as one of another machine, for there is only this one."""
    monkeypatch.setattr(stranger, "_LOOPBACK", ("never",))


@pytest.fixture
def pipeline(loopback_is_foreign: None, make_socket: MakeSocket) -> tuple[Any, Any]:
    """A PUSH of a stranger, and the PULL that it sends to."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push, transport="tcp")
    return push, pull


def test_v21_pickle_of_stranger_warns_once_per_socket(pipeline: tuple[Any, Any], make_socket: MakeSocket) -> None:
    """The object is there as in pyzmq; the first one of each socket comes with a warning that names cause and cure."""
    push, pull = pipeline
    other = make_socket(zmq.PULL)
    for number in range(3):
        push.send_pyobj({"number": number})
    with pytest.warns(SecurityWarning, match=r"127.0.0.1 by tcp://.* is not authenticated.*CURVE") as caught:
        received = [pull.recv_pyobj() for _ in range(3)]
    assert [{"number": number} for number in range(3)] == received
    assert [__file__] == [warning.filename for warning in caught]
    second = make_socket(zmq.PUSH)
    link(other, second, transport="tcp")
    second.send_pyobj(1)
    with pytest.warns(SecurityWarning):
        assert 1 == other.recv_pyobj()


def test_v21_stranger_that_left_is_not_forgotten(pipeline: tuple[Any, Any]) -> None:
    """What it sent may still be read."""
    push, pull = pipeline
    push.send_pyobj("bye")
    assert pull.poll(5000)
    push.close(0)
    with pytest.warns(SecurityWarning):
        assert "bye" == pull.recv_pyobj()


@pytest.mark.parametrize("transport", ["tcp", "ipc", "inproc"])
def test_v21_pickle_of_local_peer_does_not_warn(make_socket: MakeSocket, transport: str) -> None:
    """Processes of this machine, and this one itself."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push, transport=transport)
    push.send_pyobj([1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [1] == pull.recv_pyobj()


def test_v21_datagrams_come_from_anybody(make_socket: MakeSocket) -> None:
    """A DISH that listens on every interface knows none of its senders."""
    dish, radio = make_socket(zmq.DISH), make_socket(zmq.RADIO)
    dish.bind("udp://*:*")
    dish.join("g")
    radio.connect(dish.getsockopt(zmq.LAST_ENDPOINT).decode().rstrip("\0").replace("0.0.0.0", "127.0.0.1"))
    radio.send_pyobj("x", group="g")
    with pytest.warns(SecurityWarning):
        assert "x" == dish.recv_pyobj()
    assert find_sender("udp://127.0.0.1:5555") is None


def test_v21_context_refuses_and_payload_never_runs(pipeline: tuple[Any, Any], tmp_path: Path) -> None:
    """`refuses_pickles`: EACCES instead of the object, and what would have run has not."""
    push, pull = pipeline
    pull.context.refuses_pickles = True
    push.send_pyobj(Payload(str(tmp_path / "trace")))
    with pytest.raises(zmq.ZMQError, match=r"refused a pickle.*recv_json") as caught:
        pull.recv_pyobj()
    assert errno.EACCES == caught.value.errno
    assert not (tmp_path / "trace").exists()
    push.send_string("the socket goes on")
    assert "the socket goes on" == pull.recv_string()


def test_v21_warning_as_error_keeps_payload_from_running(pipeline: tuple[Any, Any], tmp_path: Path) -> None:
    """The warning comes first: ``-W error::purezmq.error.SecurityWarning`` is as good as the context's word."""
    push, pull = pipeline
    push.send_pyobj(Payload(str(tmp_path / "trace")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SecurityWarning):
            pull.recv_pyobj()
    assert not (tmp_path / "trace").exists()


def test_v21_payload_would_run_without_refusal(make_socket: MakeSocket, tmp_path: Path) -> None:
    """The same payload of a local peer does run: the tests above would notice."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push, transport="inproc")
    push.send_pyobj(Payload(str(tmp_path / "trace")))
    pull.recv_pyobj()
    assert (tmp_path / "trace").is_dir()


def test_v21_refusal_holds_for_shadows_of_context(pipeline: tuple[Any, Any]) -> None:
    """Every handle of a context is the context."""
    push, pull = pipeline
    zmq.Context.shadow(pull.context).refuses_pickles = True
    assert pull.context.refuses_pickles
    push.send_pyobj(1)
    with pytest.raises(zmq.ZMQError):
        pull.recv_pyobj()


@pytest.mark.parametrize("early", [False, True])
def test_v21_both_fronts_warn_and_refuse(front: Front, loopback_is_foreign: None, early: bool) -> None:
    """Awaited or not; whether the message is there or comes later."""
    pull, push = front.socket(zmq.PULL), front.plain(zmq.PUSH)
    push.connect(bind(pull, "tcp"))
    if early:
        push.send_pyobj("first")
        assert front.call(pull.poll, 5000)
    else:
        Call(push.send_pyobj, "first").result(5)
    with pytest.warns(SecurityWarning):
        assert "first" == front.call(pull.recv_pyobj)
    front.context.refuses_pickles = True
    push.send_pyobj("second")
    with pytest.raises(zmq.ZMQError):
        front.call(pull.recv_pyobj)


class FakeSession:
    """What is looked at of a session."""

    def __init__(self, endpoint: str, address: str, *, as_server: bool = False, proxy: bytes = b"") -> None:
        self.endpoint = endpoint
        self.stream = type("Stream", (), {"peer_address": address})()
        self.connection = type("Connection", (), {"config": type("Config", (), {"as_server": as_server})})()
        self.engine = type("Engine", (), {"options": type("Options", (), {"socks_proxy": proxy})})()


class FakePeer:
    """What is looked at of a peer."""

    def __init__(self, mechanism: str = "NULL", user_id: str = "", *, is_vouched: bool = True) -> None:
        self.mechanism = mechanism
        self.user_id = user_id
        self.is_vouched = is_vouched


STRANGERS = {
    "elsewhere": (FakeSession("tcp://*:1", "10.0.0.9"), FakePeer(), True),
    "loopback": (FakeSession("tcp://*:1", "127.0.0.1"), FakePeer(), False),
    "loopback of IPv6": (FakeSession("tcp://*:1", "::1"), FakePeer(), False),
    "not loopback, though it looks so": (FakeSession("tcp://*:1", "::1f00:1"), FakePeer(), True),
    "loopback, mapped": (FakeSession("tcp://*:1", "::ffff:127.0.0.1"), FakePeer(), False),
    "behind a proxy": (FakeSession("tcp://far:1", "127.0.0.1", proxy=b"127.0.0.1:1080"), FakePeer(), True),
    "ipc": (FakeSession("ipc:///tmp/x", ""), FakePeer(), False),
    "known": (FakeSession("tcp://*:1", "10.0.0.9"), FakePeer("PLAIN", "admin"), False),
    "any key": (FakeSession("tcp://*:1", "10.0.0.9", as_server=True), FakePeer("CURVE"), True),
    "named by a key that anybody has": (
        FakeSession("tcp://*:1", "10.0.0.9", as_server=True),
        FakePeer("CURVE", "key", is_vouched=False),
        True,
    ),
    "anonymous": (FakeSession("tcp://*:1", "10.0.0.9"), FakePeer("NULL", "anonymous"), True),
    "server of known key": (FakeSession("tcp://far:1", "10.0.0.9"), FakePeer("CURVE"), False),
    "server of PLAIN": (FakeSession("tcp://far:1", "10.0.0.9"), FakePeer("PLAIN"), True),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_v21_stranger_is_neither_local_nor_known(name: str) -> None:
    """Who is one, and who isn't."""
    session, peer, expected = STRANGERS[name]
    assert expected == (find_stranger(session, peer) is not None)  # type: ignore[arg-type]


def open_by_null(server: Any, authenticator: Authenticator) -> None:
    """Everybody has the User-Id "anonymous"."""
    server.zap_domain = b"test"


def open_by_list(server: Any, authenticator: Authenticator) -> None:
    """The socket's own list is of any key."""
    server.curve(SERVER_SECRET, allow="any")


def open_by_handler(server: Any, authenticator: Authenticator) -> None:
    """The authenticator lets any key in."""
    server.curve_server, server.curve_secretkey = True, SERVER_SECRET
    authenticator.configure_curve("*", CURVE_ALLOW_ANY)


@pytest.mark.parametrize("open_up", [open_by_null, open_by_list, open_by_handler])
def test_v21_user_that_nobody_vouches_for_is_a_stranger(
    loopback_is_foreign: None,
    make_context: Callable[[], Any],
    make_socket: MakeSocket,
    open_up: Callable[[Any, Authenticator], None],
) -> None:
    """A User-Id alone is no proof: where everybody is let in, it's the peer's own choice."""
    context = make_context()
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    server, client = make_socket(zmq.PULL, within=context), make_socket(zmq.PUSH)
    context.refuses_pickles = True
    open_up(server, authenticator)
    if server.mechanism == zmq.CURVE:
        client.curve(SERVER_PUBLIC)
    client.connect(bind(server, "tcp"))
    client.send(b"who")
    assert server.recv(copy=False)["User-Id"]
    client.send_pyobj(1)
    with pytest.raises(zmq.ZMQError, match="refused a pickle"):
        server.recv_pyobj()
    authenticator.stop()


def uses_of(tree: ast.AST, function: str = "") -> Iterator[tuple[str, str]]:
    """The functions, and what each calls or imports that can run code."""
    for node in ast.iter_child_nodes(tree):
        inside = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DANGEROUS_NAMES:
            yield inside, node.func.id
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = ast.unparse(node.func)
            if name.split(".")[0] in DANGEROUS_MODULES and node.func.attr.startswith("load"):
                yield inside, name
        elif isinstance(node, ast.Import):
            yield from ((inside, f"import {alias.name}") for alias in node.names if root(alias.name))
        elif isinstance(node, ast.ImportFrom) and root(node.module or ""):
            yield inside, f"import {node.module}"
        yield from uses_of(node, inside)


def root(module: str) -> bool:
    """Whether a module is a dangerous one."""
    return module.split(".", maxsplit=1)[0] in DANGEROUS_MODULES


#: The one function that reads pickles; what writes them; and two uses that no message reaches.
KNOWN_USES = {
    ("sockets/serialization.py", "decode_pyobj", "import pickle"),
    ("sockets/serialization.py", "decode_pyobj", "pickle.loads"),
    ("sockets/serialization.py", "encode_pyobj", "import pickle"),
    ("eventloop/zmqstream.py", "", "import pickle"),  # send_pyobj
    ("cli/bench/profiler.py", "", "import marshal"),  # writes a profile
    ("native.py", "find_original", "__import__"),  # of a module of the standard library, by a fixed name
}


def test_v21_package_can_run_code_of_a_message_in_one_function_only() -> None:
    """No pickle, marshal, eval, exec or yaml.load anywhere else."""
    found = {
        (path.relative_to(PACKAGE).as_posix(), function, use)
        for path in PACKAGE.rglob("*.py")
        for function, use in uses_of(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert KNOWN_USES == found


def test_v21_gate_sees_what_it_forbids() -> None:
    """The gate would notice each of them."""
    source = """
import marshal
from pickle import loads
def f(x):
    eval(x); exec(x); pickle.loads(x); yaml.load(x)
"""
    uses = {use for _, use in uses_of(ast.parse(source))}
    assert {"import marshal", "import pickle", "eval", "exec", "pickle.loads", "yaml.load"} == uses
