"""`Socket.curve` and `Socket.plain`: a secure socket in one line, in both fronts and without a ZAP handler."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import bind, eventually, purezmq_only, zmq
from tests.support.fronts import Front
from tests.support.raw_peer import RawPeer
from tests.support.zap import next_of

from purezmq.auth import create_certificates, load_certificate
from purezmq.error import SecurityWarning
from purezmq.sockets import admission
from purezmq.utils.z85 import decode

pytestmark = purezmq_only("it needs several options and a ZAP handler")

SERVER, SERVER_SECRET = zmq.curve_keypair()
ALICE, BOB = zmq.curve_keypair(), zmq.curve_keypair()


class Pair:
    """A server and clients of one front, each client in a context of its own."""

    def __init__(self, front: Front, other: Front) -> None:
        self.front, self.other = front, other
        self.server = front.socket(zmq.PULL)
        self.server.rcvtimeo = 5000
        self.events = zmq.Socket.shadow(self.server).events(max_events=1000)
        self.endpoint = ""

    def try_client(self, set_up: Callable[[Any], None]) -> str | None:
        """Let a client connect and send; the User-Id that its message has, None when it was not let in."""
        if not self.endpoint:
            self.endpoint = bind(self.server, "tcp")
        client = self.other.socket(zmq.PUSH, reconnect_ivl=-1)
        set_up(client)
        client.connect(self.endpoint)
        self.other.call(client.send, b"x")
        kinds = {"handshake_succeeded", "peer_denied"}
        while (event := self.events.get(timeout=5)).kind not in kinds:
            pass
        if event.kind == "peer_denied":
            return None
        frame = self.front.call(self.server.recv, copy=False)
        client.close(0)
        user: str = frame["User-Id"]
        return user


def next_kinds(events: Any, *wanted: str) -> list[str]:
    """The kinds of events up to the first of the wanted ones."""
    kinds: list[str] = []
    while not set(wanted) & set(kinds):
        kinds.append(events.get(timeout=5).kind)
    return kinds


@pytest.fixture
def pair(front: Front) -> Iterator[Pair]:
    """See `Pair`."""
    other = Front(front.name)
    yield Pair(front, other)
    other.close()


def with_keys(keys: tuple[bytes, bytes]) -> Callable[[Any], None]:
    """A client that has these keys."""
    return lambda client: client.curve(SERVER, keys=keys)


def with_fresh_keys(client: Any) -> None:
    """A client that nobody knows."""
    client.curve(SERVER)


def test_listed_keys_come_in_and_others_do_not(pair: Pair) -> None:
    """The User-Id of a message is the client's key."""
    pair.server.curve(SERVER_SECRET, allow=[ALICE[0]])
    assert ALICE[0].decode() == pair.try_client(with_keys(ALICE))
    assert pair.try_client(with_keys(BOB)) is None
    assert pair.try_client(with_fresh_keys) is None
    assert 2 == pair.server.stats().handshake_failures


def test_dictionary_gives_users_names(pair: Pair) -> None:
    """Keys may be text or raw bytes."""
    pair.server.curve(SERVER_SECRET.decode(), allow={ALICE[0].decode(): "alice", decode(BOB[0]): "bob"})
    assert ["alice", "bob"] == [pair.try_client(with_keys(keys)) for keys in (ALICE, BOB)]
    assert pair.try_client(with_fresh_keys) is None


def test_any_lets_in_who_knows_the_servers_key(pair: Pair) -> None:
    """Each with the key that it has; who takes another server for this one doesn't get in."""
    pair.server.curve(SERVER_SECRET, allow="any")
    assert ALICE[0].decode() == pair.try_client(with_keys(ALICE))
    fresh = pair.try_client(with_fresh_keys)
    assert fresh
    assert fresh != pair.try_client(with_fresh_keys)
    client = pair.other.socket(zmq.PUSH, reconnect_ivl=-1)
    client.curve(zmq.curve_keypair()[0])
    client.connect(pair.endpoint)
    next_of(pair.events, "handshake_failed_protocol")


@pytest.mark.parametrize("allow", [None, [], {}], ids=str)
def test_server_without_a_list_lets_nobody_in(pair: Pair, allow: Any) -> None:
    """The default is the secure one."""
    pair.server.curve(SERVER_SECRET, allow=allow)
    assert pair.try_client(with_keys(ALICE)) is None
    assert pair.try_client(with_fresh_keys) is None
    assert [] == pair.server.peers()


def test_directory_is_read_again_when_it_changes(pair: Pair, tmp_path: Path, monkeypatch: Any) -> None:
    """A certificate that is put there lets its client in, one that is taken away no more."""
    monkeypatch.setattr(admission, "LOOK_INTERVAL_S", 0)
    create_certificates(tmp_path, "server")
    public, secret = create_certificates(tmp_path, "alice")
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    pair.server.curve(tmp_path / "server.key_secret", allow=allowed)
    alice = load_certificate(public)[0].decode()

    def try_alice() -> str | None:
        return pair.try_client(lambda client: client.curve(tmp_path / "server.key", keys=Path(secret)))

    assert try_alice() is None
    for _ in range(3):
        os.link(public, allowed / "alice.key")
        assert alice == try_alice()
        (allowed / "alice.key").unlink()
        assert try_alice() is None


def test_directory_that_is_gone_lets_nobody_in(pair: Pair, tmp_path: Path, monkeypatch: Any) -> None:
    """An error of the system is a refusal, with the status 500; when it's back, so are its clients."""
    monkeypatch.setattr(admission, "LOOK_INTERVAL_S", 0)
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "alice.key").write_bytes(b'curve\n    public-key = "%b"\n' % ALICE[0])
    pair.server.curve(SERVER_SECRET, allow=str(allowed))
    assert ALICE[0].decode() == pair.try_client(with_keys(ALICE))
    allowed.rename(tmp_path / "away")
    assert pair.try_client(with_keys(ALICE)) is None
    (tmp_path / "away").rename(allowed)
    assert ALICE[0].decode() == pair.try_client(with_keys(ALICE))


def test_file_that_is_no_certificate_harms_nobody(pair: Pair, tmp_path: Path) -> None:
    """The others are let in as before."""
    (tmp_path / "broken.key").write_text("nothing")
    (tmp_path / "short.key").write_text('public-key = "abc"')
    (tmp_path / "alice.key").write_bytes(b'curve\n    public-key = "%b"\n' % ALICE[0])
    pair.server.curve(SERVER_SECRET, allow=tmp_path)
    assert ALICE[0].decode() == pair.try_client(with_keys(ALICE))


def put_certificate(folder: Path, key: bytes) -> None:
    """Write a certificate in place, with the name and the size that the former one had."""
    (folder / "x.key").write_bytes(b'curve\n    public-key = "%b"\n' % key)


def is_let_in(allowed: admission.AllowedDirectory, key: bytes) -> bool:
    """Ask the list."""
    return allowed.decide("CURVE", (decode(key),)).status == 200


@pytest.mark.parametrize("age_s", [10, 0, -3600])
def test_unchanged_directory_is_read_twice_at_most(tmp_path: Path, monkeypatch: Any, age_s: int) -> None:
    """Whatever time stamps it has: after a change it is read, and once more for what changed in the same moment."""
    put_certificate(tmp_path, ALICE[0])
    stamp = os.stat(tmp_path).st_mtime_ns - age_s * 1_000_000_000
    os.utime(tmp_path, ns=(stamp, stamp))
    os.utime(tmp_path / "x.key", ns=(stamp, stamp))
    monkeypatch.setattr(admission, "LOOK_INTERVAL_S", 0)
    reads: list[Path] = []
    read = admission.read_certificate
    monkeypatch.setattr(admission, "read_certificate", lambda path: reads.append(path) or read(path))
    allowed = admission.AllowedDirectory(tmp_path)
    assert all(is_let_in(allowed, ALICE[0]) for _ in range(5))
    assert 2 == len(reads)


def test_directory_is_looked_at_twice_a_second_at_most(tmp_path: Path, monkeypatch: Any) -> None:
    """Many peers cost no more than one."""
    put_certificate(tmp_path, ALICE[0])
    now = 100.0
    monkeypatch.setattr(admission, "monotonic", lambda: now)
    allowed = admission.AllowedDirectory(tmp_path)
    (tmp_path / "x.key").unlink()
    assert is_let_in(allowed, ALICE[0])
    now += admission.LOOK_INTERVAL_S
    assert not is_let_in(allowed, ALICE[0])


@pytest.mark.parametrize("keeps_stamp", [False, True])
def test_certificate_that_is_changed_in_place_is_read_again(
    tmp_path: Path, monkeypatch: Any, keeps_stamp: bool
) -> None:
    """The directory itself has not changed, nor have name and size; perhaps not even the time of the last change."""
    monkeypatch.setattr(admission, "LOOK_INTERVAL_S", 0)
    put_certificate(tmp_path, ALICE[0])
    allowed = admission.AllowedDirectory(tmp_path)
    stamp = os.stat(tmp_path / "x.key").st_mtime_ns
    assert all(is_let_in(allowed, ALICE[0]) for _ in range(3))
    put_certificate(tmp_path, BOB[0])
    if keeps_stamp:
        os.utime(tmp_path / "x.key", ns=(stamp, stamp))
    assert not is_let_in(allowed, ALICE[0])
    assert is_let_in(allowed, BOB[0])


def test_change_within_the_same_tick_of_the_clock_is_seen(tmp_path: Path, monkeypatch: Any) -> None:
    """A file of which nothing but the content has changed since the first reading is read once more."""
    monkeypatch.setattr(admission, "LOOK_INTERVAL_S", 0)
    monkeypatch.setattr(admission, "_make_stamp", lambda path: (path, 1, 2, 3, 4))
    put_certificate(tmp_path, ALICE[0])
    allowed = admission.AllowedDirectory(tmp_path)
    put_certificate(tmp_path, BOB[0])
    assert is_let_in(allowed, BOB[0])
    assert not is_let_in(allowed, ALICE[0])


def test_passwords_let_users_in(pair: Pair) -> None:
    """The User-Id of a message is the user's name; a wrong password or name is a refusal."""
    pair.server.plain({"jörg": "geheim", "bob": "b"})
    assert "jörg" == pair.try_client(lambda client: client.plain("jörg", "geheim"))
    for user, password in (("jörg", "b"), ("nobody", "geheim"), ("bob", "B"), ("bob", "bb"), ("bo", "b")):
        assert pair.try_client(lambda client, user=user, password=password: client.plain(user, password)) is None


def test_handler_of_the_context_is_not_asked(pair: Pair) -> None:
    """The list decides, whoever else is there."""
    handler = pair.front.plain(zmq.REP)
    handler.bind("inproc://zeromq.zap.01")
    pair.server.curve(SERVER_SECRET, allow=[ALICE[0]])
    assert ALICE[0].decode() == pair.try_client(with_keys(ALICE))
    assert pair.try_client(with_keys(BOB)) is None
    assert 0 == handler.poll(0)


@pytest.mark.parametrize(("option", "value"), [("plain_server", 1), ("plain_server", 0), ("curve_server", 0)])
def test_list_is_for_its_own_mechanism(make_socket: Any, option: str, value: int) -> None:
    """Options that change the mechanism afterwards open no door: with them the socket doesn't even bind."""
    server = make_socket(zmq.PULL)
    server.curve(SERVER_SECRET, allow="any")
    setattr(server, option, value)
    with pytest.raises(zmq.ZMQError, match="whom CURVE lets in"):
        server.bind("tcp://127.0.0.1:*")


@pytest.mark.parametrize("later", ["a client by curve", "a client by plain", "a server for all"])
def test_list_of_an_endpoint_stays_whatever_is_said_later(make_socket: Any, later: str) -> None:
    """Who may come to an endpoint is settled when it is bound."""
    server, stranger = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    server.curve(SERVER_SECRET, allow=[ALICE[0]])
    endpoint = bind(server, "tcp")
    events = server.events()
    if later == "a client by curve":
        server.curve(SERVER, keys=BOB)
    elif later == "a client by plain":
        server.plain("user", "password")
    else:
        server.curve(SERVER_SECRET, allow="any")
    stranger.curve(SERVER)
    stranger.connect(endpoint)
    assert "peer_denied" in next_kinds(events, "handshake_succeeded", "peer_denied")
    friend = make_socket(zmq.PUSH)
    friend.curve(SERVER, keys=ALICE)
    friend.connect(endpoint)
    friend.send(b"x")
    assert ALICE[0].decode() == server.recv(copy=False)["User-Id"]


def test_secure_router_does_not_become_raw(make_socket: Any) -> None:
    """ROUTER_RAW is for endpoints that are made after it."""
    server = make_socket(zmq.ROUTER)
    server.curve(SERVER_SECRET, allow=[ALICE[0]])
    endpoint = bind(server, "tcp")
    server.router_raw = 1
    events = server.events()
    with RawPeer.connect(endpoint) as peer:
        peer.socket.sendall(b"bytes of a stranger, more than a greeting has: " + bytes(64))
        next_kinds(events, "handshake_failed_protocol")
    assert 0 == server.poll(0)


def test_endpoint_that_stays_open_is_warned_of(make_socket: Any) -> None:
    """curve() after bind() secures nothing that is bound already."""
    server = make_socket(zmq.PULL)
    bind(server, "tcp")
    with pytest.warns(SecurityWarning, match="bound to tcp://127.0.0.1"):
        server.curve(SERVER_SECRET, allow="any")


def test_public_certificate_is_no_secret_key(make_socket: Any, tmp_path: Path) -> None:
    public, _ = create_certificates(tmp_path, "server")
    with pytest.raises(ValueError, match="no secret key"):
        make_socket(zmq.PULL).curve(Path(public), allow="any")


def test_bound_client_is_one_where_it_has_keys(make_socket: Any) -> None:
    """Who has which role in CURVE has nothing to do with who binds."""
    server, client = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    server.curve(SERVER_SECRET, allow=[ALICE[0]])
    client.curve(SERVER, keys=ALICE)
    server.connect(bind(client, "tcp"))
    client.send(b"x")
    assert ALICE[0].decode() == server.recv(copy=False)["User-Id"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"key": SERVER_SECRET, "allow": [], "keys": ALICE}, TypeError),
        ({"key": b"short", "allow": []}, ValueError),
        ({"key": "~" * 40, "allow": []}, ValueError),
        ({"key": 5, "allow": []}, TypeError),
        ({"key": SERVER_SECRET, "allow": ["short"]}, ValueError),
        ({"key": SERVER_SECRET, "allow": ALICE[0]}, TypeError),
        ({"key": SERVER_SECRET, "allow": True}, TypeError),
        ({"key": SERVER_SECRET, "allow": ""}, ValueError),
        ({"key": SERVER_SECRET, "allow": "/nothing/here"}, OSError),
        ({"key": SERVER, "keys": (b"x", b"y")}, ValueError),
        ({"key": SERVER_SECRET, "allow": [], "bind_identity": 5}, TypeError),
    ],
)
def test_wrong_arguments_are_refused_and_change_nothing(
    make_socket: Any, arguments: dict[str, Any], error: type[Exception]
) -> None:
    """The text of the error never has the key in it."""
    socket = make_socket(zmq.PULL)
    with pytest.raises(error) as caught:
        socket.curve(**arguments)
    assert SERVER_SECRET.decode() not in str(caught.value)
    assert zmq.NULL == socket.mechanism


@pytest.mark.parametrize("text", ["", "ü" * 128])
@pytest.mark.parametrize("is_name", [True, False])
def test_names_and_passwords_that_no_client_can_send_are_refused(make_socket: Any, text: str, is_name: bool) -> None:
    """EINVAL by either form, and the socket is as before; the longest ones are taken."""
    name, password = (text, "p") if is_name else ("u", text)
    socket = make_socket(zmq.PULL)
    with pytest.raises(zmq.ZMQError) as caught:
        socket.plain({name: password})
    assert zmq.EINVAL == caught.value.errno
    assert zmq.NULL == socket.mechanism
    client = make_socket(zmq.PUSH)
    with pytest.raises(zmq.ZMQError) as caught:
        client.plain(name, password)
    assert zmq.EINVAL == caught.value.errno
    assert (zmq.NULL, b"", b"") == (client.mechanism, client.plain_username, client.plain_password)
    make_socket(zmq.PULL).plain({"u" * 255: "p" * 255})


@pytest.mark.parametrize("arguments", [("user",), ({"u": "p"}, "p"), (5,), ("user", b"bytes"), ({"u": b"p"},)])
def test_plain_takes_two_forms_only(make_socket: Any, arguments: tuple[Any, ...]) -> None:
    """A name and a password, or a dictionary."""
    socket = make_socket(zmq.PULL)
    with pytest.raises(TypeError):
        socket.plain(*arguments)
    with pytest.raises(TypeError):
        socket.plain("user", "password", bind_identity=5)
    assert zmq.NULL == socket.mechanism


def test_secret_that_others_may_read_warns(make_socket: Any, tmp_path: Path) -> None:
    """It works all the same."""
    _, secret = create_certificates(tmp_path, "server")
    os.chmod(secret, 0o640)
    with pytest.warns(SecurityWarning, match="0640"):
        make_socket(zmq.PULL).curve(Path(secret), allow="any")


def test_lists_work_in_a_context_that_is_terminated_amid_handshakes(make_context: Any) -> None:
    """Nothing hangs."""
    context, other = make_context(), make_context()
    server = context.socket(zmq.PULL)
    server.curve(SERVER_SECRET, allow="any")
    endpoint = bind(server, "tcp")
    clients = [other.socket(zmq.PUSH) for _ in range(10)]
    for client in clients:
        client.curve(SERVER)
        client.connect(endpoint)
    eventually(server.peers)
    server.close(0)
    context.term(5)
    for client in clients:
        client.close(0)
