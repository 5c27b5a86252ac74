"""What a ZAP handler is asked, when, and how many at a time; what messages tell of the user."""

from __future__ import annotations

import logging
import re
import select
from collections.abc import Callable
from errno import EBUSY, EFAULT, EINVAL
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from tests.support import bind, eventually, purezmq_only, zmq
from tests.support.effects import effect_of
from tests.support.raw_peer import COMMAND, RawPeer, greeting, ready_command
from tests.support.zap import (
    CLIENT_PUBLIC,
    ENDPOINT,
    HANDLERS,
    MECHANISMS,
    ScriptedHandler,
    good_reply,
    next_of,
    secure,
    zap_handler,
)

from purezmq.engine import id_owners, zap
from purezmq.utils.z85 import decode
from purezmq.wire.verdict import Verdict

__all__ = ["zap_handler"]

MakeSocket = Callable[..., Any]
TRANSPORTS = ("tcp", "ipc")
CREDENTIALS = {"NULL": [], "PLAIN": [b"joe", b"secret"], "CURVE": [decode(CLIENT_PUBLIC)]}

pytestmark = purezmq_only("it has no typed events")


@pytest.fixture
def make_client(make_socket: MakeSocket, make_context: Callable[[], Any]) -> MakeSocket:
    """Make sockets that live in a context without a handler, and try once."""
    context = make_context()

    def make(kind: int, **options: Any) -> Any:
        return make_socket(kind, within=context, reconnect_ivl=-1, **options)

    return make


@effect_of("ZAP_DOMAIN", "PLAIN_SERVER", "PLAIN_USERNAME", "PLAIN_PASSWORD")
@effect_of("CURVE_SERVER", "CURVE_PUBLICKEY", "CURVE_SECRETKEY", "CURVE_SERVERKEY")
@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_question_has_the_parts_of_rfc_27(
    make_socket: MakeSocket, make_client: MakeSocket, zap_handler: Any, mechanism: str, transport: str
) -> None:
    """Version, request id, domain, address, the socket's own routing id, mechanism, credentials."""
    handler = zap_handler()
    server, client = make_socket(zmq.PULL, routing_id=b"server", zap_domain=b"dom"), make_client(zmq.PUSH)
    secure(mechanism, server, client)
    server.zap_domain = b"dom"
    client.connect(bind(server, transport))
    client.send(b"x")
    frame = server.recv(copy=False)
    [request] = handler.requests
    version, request_id, domain, address, routing_id, asked, *credentials = request
    assert (b"1.0", b"dom", b"server", mechanism.encode()) == (version, domain, routing_id, asked)
    assert request_id
    assert CREDENTIALS[mechanism] == credentials
    assert frame["Peer-Address"] == address.decode()
    assert transport != "tcp" or address == b"127.0.0.1"


def test_null_without_a_domain_asks_nobody(make_socket: MakeSocket, make_client: MakeSocket, zap_handler: Any) -> None:
    """A socket without security is as ever, whatever handler there is."""
    handler = zap_handler(lambda request: [*good_reply(request)[:2], b"400", b"no", b"", b""])
    server, client = make_socket(zmq.PULL), make_client(zmq.PUSH)
    client.connect(bind(server, "tcp"))
    client.send(b"x")
    assert b"x" == server.recv()
    assert [] == handler.requests


@effect_of("ZAP_ENFORCE_DOMAIN")
@pytest.mark.parametrize("mechanism", ["PLAIN", "CURVE"])
def test_enforced_domain_refuses_a_server_without_domain(
    make_socket: MakeSocket, make_client: MakeSocket, zap_handler: Any, mechanism: str
) -> None:
    """ZAP_ENFORCE_DOMAIN: a mechanism that authenticates needs a ZAP_DOMAIN, or nobody comes in."""
    handler = zap_handler()
    server, client = make_socket(zmq.PULL, zap_enforce_domain=1), make_client(zmq.PUSH)
    secure(mechanism, server, client)
    events = server.events()
    client.connect(bind(server, "tcp"))
    assert EFAULT == next_of(events, "handshake_failed_no_detail").value
    assert "no-domain" == next_of(events, "peer_denied").reason
    assert [] == handler.requests


def test_enforced_domain_refuses_curve_clients_without_a_handler(
    make_socket: MakeSocket, make_client: MakeSocket
) -> None:
    """To know the server's key is not enough then."""
    server, client = make_socket(zmq.PULL, zap_enforce_domain=1, zap_domain=b"dom"), make_client(zmq.PUSH)
    secure("CURVE", server, client)
    events = server.events()
    client.connect(bind(server, "tcp"))
    assert "no-handler" == next_of(events, "peer_denied").reason
    assert [] == server.peers()


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_pending_question_holds_up_nobody_else(
    make_socket: MakeSocket, make_client: MakeSocket, mechanism: str
) -> None:
    """While the handler thinks about one peer, those that are in go on, on the same socket and I/O thread."""
    handler = make_socket(zmq.ROUTER)
    handler.bind(ENDPOINT)
    server, first, second = make_socket(zmq.REP), make_client(zmq.REQ), make_client(zmq.REQ)
    secure(mechanism, server, first)
    secure(mechanism, server, second)
    endpoint = bind(server, "tcp")

    def answer(question: list[bytes]) -> None:
        handler.send_multipart([*question[:2], *good_reply(question[2:])])

    first.connect(endpoint)
    answer(handler.recv_multipart())
    second.connect(endpoint)
    second.send(b"second")
    pending = handler.recv_multipart()
    for number in range(100):
        first.send(b"%d" % number)
        assert b"%d" % number == server.recv()
        server.send(b"ok")
        assert b"ok" == first.recv()
    assert 1 == len(server.peers())
    answer(pending)
    assert b"second" == server.recv()


def test_questions_may_be_answered_in_any_order(make_socket: MakeSocket, make_client: MakeSocket) -> None:
    """A ROUTER answers the last one first; each verdict is about its own peer."""
    handler, server = make_socket(zmq.ROUTER), make_socket(zmq.PULL)
    handler.bind(ENDPOINT)
    server.plain_server = 1
    endpoint = bind(server, "tcp")
    for number in range(20):
        client = make_client(zmq.PUSH)
        client.plain_username, client.plain_password = b"user %d" % number, b"x"
        client.connect(endpoint)
        client.send(b"%d" % number)
    questions = [handler.recv_multipart() for _ in range(20)]
    for question in reversed(questions):
        user = question[-2]
        status = b"200" if int(user.split()[1]) % 2 else b"400"
        handler.send_multipart([*question[:2], b"1.0", question[3], status, b"", user, b""])
    got = {frame["User-Id"]: bytes(frame) for frame in (server.recv(copy=False) for _ in range(10))}
    assert {f"user {number}": b"%d" % number for number in range(1, 20, 2)} == got
    eventually(lambda: server.stats().handshake_failures == 10)
    assert 0 == server.poll(0)


def test_questions_beyond_the_limit_are_refused_with_an_event(
    make_socket: MakeSocket, make_client: MakeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handler is asked about so many peers at a time; the next one is sent away, and may come again."""
    monkeypatch.setattr(zap, "MAX_QUESTIONS", 3)
    handler, server = make_socket(zmq.ROUTER), make_socket(zmq.PULL)
    handler.bind(ENDPOINT)
    server.zap_domain = b"dom"
    events, endpoint = server.events(), bind(server, "tcp")
    questions = []
    for _ in range(3):
        make_client(zmq.PUSH).connect(endpoint)
        questions.append(handler.recv_multipart())
    late = make_client(zmq.PUSH)
    late.connect(endpoint)
    assert EBUSY == next_of(events, "handshake_failed_no_detail").value
    assert "busy" == next_of(events, "peer_denied").reason
    for question in questions:
        handler.send_multipart([*question[:2], *good_reply(question[2:])])
    eventually(lambda: len(server.peers()) == 3)
    assert not server._engine.questions


@pytest.mark.parametrize("kind", HANDLERS)
def test_context_with_pending_questions_ends(make_context: Callable[[], Any], kind: str) -> None:
    """Neither sockets nor context wait for an answer."""
    context, other = make_context(), make_context()
    handler = ScriptedHandler(context, lambda request: None, kind)
    server, client = context.socket(zmq.PULL), other.socket(zmq.PUSH)
    server.zap_domain = b"dom"
    client.connect(bind(server, "tcp"))
    eventually(lambda: handler.requests)
    server.close(0)
    handler.close()
    context.term(5)
    client.close(0)


def test_questions_of_peers_that_left_count_until_they_are_read(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Peers that come and go without end must not fill the handler's queue."""
    monkeypatch.setattr(zap, "MAX_QUESTIONS", 3)
    handler, server = make_socket(zmq.ROUTER), make_socket(zmq.PULL)
    handler.bind(ENDPOINT)
    server.zap_domain = b"dom"
    events, endpoint = server.events(), bind(server, "tcp")
    for _ in range(3):
        with RawPeer.connect(endpoint) as peer:
            peer.send(greeting())
            eventually(lambda: [session for session in server._engine.sessions.values() if session.question])
        next_of(events, "disconnected")
    with RawPeer.connect(endpoint) as peer:
        peer.send(greeting())
        assert "busy" == next_of(events, "peer_denied").reason
    for _ in range(3):
        handler.recv_multipart()
    with RawPeer.connect(endpoint) as peer:
        peer.send(greeting())
        assert 5 == len(handler.recv_multipart()[3:])


def test_domain_of_an_endpoint_stays_whatever_is_said_later(make_socket: MakeSocket, make_client: MakeSocket) -> None:
    """As all options of security: who may come to an endpoint is settled when it is bound."""
    handler, server = make_socket(zmq.ROUTER), make_socket(zmq.PULL)
    handler.bind(ENDPOINT)
    server.zap_domain = b"admin"
    endpoint = bind(server, "tcp")
    server.zap_domain = b"public"
    make_client(zmq.PUSH).connect(endpoint)
    assert b"admin" == handler.recv_multipart()[4]


def test_fault_while_an_answer_is_applied_ends_the_connection(
    make_socket: MakeSocket, make_client: MakeSocket, zap_handler: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fence is around what an answer leads to, too: no connection without a clock or a pipe is left."""
    server = make_socket(zmq.PULL)
    server.zap_domain = b"dom"
    endpoint = bind(server, "tcp")
    failures = iter([MemoryError("no memory")])
    original = type(server._engine).handle_handshake

    def fail_once(self: Any, *args: Any) -> None:
        for failure in failures:
            raise failure
        original(self, *args)

    monkeypatch.setattr(type(server._engine), "handle_handshake", fail_once)
    zap_handler(good_reply)
    client = make_client(zmq.PUSH)
    client.reconnect_ivl = 10
    client.connect(endpoint)
    client.send(b"x")  # lost with the first connection, which was there for the client
    eventually(lambda: not client.send(b"x") and server.poll(50))
    assert 1 == len(server._engine.sessions)


def test_pages_say_the_limits_that_hold() -> None:
    """Numbers in prose are those of the code."""
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "secure.md").read_text(encoding="utf-8")
    assert f"{zap.HANDLER_TIMEOUT_S:.0f} seconds" in page
    assert f"{zap.MAX_QUESTIONS:,} questions" in page
    assert f"the {id_owners.MAX_IDS_PER_USER:,} latest ids" in page
    assert f"together {id_owners.MAX_IDS:,}" in page
    assert f"the {id_owners.MAX_IDS_PER_USER:,} latest" in (zmq.Socket.bind_identity.__doc__ or "")
    assert {"denied", "no-handler", "handler-timeout", "malformed-reply", "busy", "no-domain", "routing-id"} == set(
        re.findall(r"^\| `([a-z-]+)` \| ", page.partition("| `reason`")[2], re.MULTILINE)
    )


# -- what messages, peers and the log tell ---------------------------------------------------------------------------


def test_peer_can_not_say_where_it_comes_from(make_socket: MakeSocket) -> None:
    """Not even when it has left before its message is received; SRCFD is none that it made up."""
    server = make_socket(zmq.PULL)
    names = ["Peer-Address", "peer-address", "Routing-Id", "ROUTING-ID", "__fd", "__x"]
    with RawPeer.connect(bind(server, "tcp")) as peer:
        peer.shake_hands("PUSH", dict.fromkeys(names, b"7") | {"X-mine": b"1"})
        peer.send_frame(b"x")
        peer.send_frame(b"y")
        first = server.recv(copy=False)
        assert server.poll(5000)
    eventually(lambda: not server.peers())
    second = server.recv(copy=False)
    for frame in (first, second):
        assert "127.0.0.1" == frame["Peer-Address"]
        assert ("", "1") == (frame["Routing-Id"], frame["X-mine"])
        for name in ("peer-address", "ROUTING-ID", "__fd", "__x", zmq.SRCFD):
            with pytest.raises(zmq.ZMQError) as caught:
                frame.get(name)
            assert EINVAL == caught.value.errno


@pytest.mark.parametrize("spoofed", ["User-Id", "user-id", "USER-ID"])
def test_peer_can_not_say_who_it_is(make_socket: MakeSocket, spoofed: str) -> None:
    """A User-Id in its own metadata is dropped, whatever the case, and other words of ours can't be gainsaid."""
    server = make_socket(zmq.PULL)
    with RawPeer.connect(bind(server, "tcp")) as peer:
        peer.shake_hands("PUSH", {spoofed: b"root", "Peer-Address": b"10.0.0.1", "X-mine": b"1"})
        peer.send_frame(b"x")
        frame = server.recv(copy=False)
        assert [""] == [known.user_id for known in server.peers()]
    assert ("127.0.0.1", "1", "PUSH") == (frame["Peer-Address"], frame["X-mine"], frame["Socket-Type"])
    for name in {spoofed, "User-Id"}:
        with pytest.raises(zmq.ZMQError):
            frame.get(name)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_peers_and_frames_tell_the_user(
    make_socket: MakeSocket, make_client: MakeSocket, zap_handler: Any, mechanism: str
) -> None:
    """`Frame.get`, `Frame[...]` and `peers()`; a reply to the user carries nothing of it."""
    zap_handler(lambda request: [*good_reply(request)[:4], "jörg".encode(), b""])
    server, client = make_socket(zmq.REP), make_client(zmq.REQ)
    secure(mechanism, server, client)
    client.connect(bind(server, "tcp"))
    client.send(b"x")
    frame = server.recv(copy=False)
    assert ["jörg", "jörg"] == [frame.get("User-Id"), frame["User-Id"]]
    assert [("jörg", mechanism)] == [(peer.user_id, peer.mechanism) for peer in server.peers()]
    server.send(b"y")
    with pytest.raises(zmq.ZMQError):
        client.recv(copy=False).get("User-Id")


def test_denied_peer_is_told_by_an_error_and_nothing_else(make_socket: MakeSocket, zap_handler: Any) -> None:
    """The status is on the wire, the handler's text isn't; the connection ends in order, though it sent more."""
    zap_handler(lambda request: [*good_reply(request)[:2], b"400", b"your account is locked", b"", b""])
    server = make_socket(zmq.PULL)
    server.zap_domain = b"dom"
    with RawPeer.connect(bind(server, "tcp")) as peer:
        peer.send(greeting() + ready_command("PUSH"))
        assert b"\xff" == peer.receive(64)[:1]
        assert (COMMAND, b"\x05ERROR\x03400") == peer.receive_frame()
        assert b"" == peer.socket.recv(1)


def test_denied_peer_that_sends_on_is_not_reset(make_socket: MakeSocket) -> None:
    """What it sent and nobody read doesn't cost it the ERROR, nor the end in order."""
    handler, server = make_socket(zmq.ROUTER), make_socket(zmq.PULL)
    handler.bind(ENDPOINT)
    server.zap_domain = b"dom"
    engine = server._engine
    with RawPeer.connect(bind(server, "tcp")) as peer:
        peer.send(greeting())
        assert b"\xff" == peer.receive(64)[:1]
        handler.recv_multipart()
        with engine.lease:
            [session] = engine.sessions.values()
            peer.send(ready_command("PUSH"))
            assert select.select([session.fd], [], [], 5)[0]
            session.admit(Verdict(400), monotonic())
        assert (COMMAND, b"\x05ERROR\x03400") == peer.receive_frame()
        assert b"" == peer.socket.recv(1)


def test_denial_with_status_300_says_nothing(make_socket: MakeSocket, zap_handler: Any) -> None:
    """The connection just ends: the client may try again."""
    zap_handler(lambda request: [*good_reply(request)[:2], b"300", b"later", b"", b""])
    server = make_socket(zmq.PULL)
    server.zap_domain = b"dom"
    with RawPeer.connect(bind(server, "tcp")) as peer:
        peer.send(greeting() + ready_command("PUSH"))
        assert b"\xff" == peer.receive(64)[:1]
        assert b"" == peer.socket.recv(1)


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_older_peers_are_refused_where_a_domain_is_set(make_socket: MakeSocket, version: tuple[int, int]) -> None:
    """ZMTP 1.0 and 2.0 have no mechanism to ask about."""
    server = make_socket(zmq.PULL)
    server.zap_domain = b"dom"
    events, endpoint = server.events(), bind(server, "tcp")
    with RawPeer.connect(endpoint) as peer:
        peer.send(b"\x01\0\0\x02\0x" if version == (1, 0) else b"\xff" + bytes(8) + b"\x7f\x01\x08\0\0\0\x02\0x")
        assert "ZAP" in next_of(events, "handshake_failed_protocol").error
    assert 0 == server.poll(0)


def test_denials_are_logged_without_credentials(
    make_socket: MakeSocket, make_client: MakeSocket, zap_handler: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says where and why; the password is in none, nor in an event."""
    zap_handler(lambda request: [*good_reply(request)[:2], b"400", b"wrong password", b"", b""])
    server, client = make_socket(zmq.PULL), make_client(zmq.PUSH)
    server.plain_server = 1
    client.plain_username, client.plain_password = b"joe", b"hunter2"
    events, endpoint = server.events(), bind(server, "tcp")
    with caplog.at_level(logging.DEBUG):
        client.connect(endpoint)
        told = [next_of(events, kind) for kind in ("handshake_failed_auth", "peer_denied", "disconnected")]
        eventually(lambda: "kept 1 peer out of" in caplog.text)
    assert "wrong password" in caplog.text
    assert "hunter2" not in caplog.text + repr(told)


def test_v37_handler_that_comes_and_goes_amid_many_handshakes(
    make_socket: MakeSocket, make_context: Callable[[], Any], context: Any
) -> None:
    """Each message that arrives is of a peer that some handler let in; when it's over nothing is left of the others."""
    server, other = make_socket(zmq.PULL), make_context()
    server.plain_server = 1
    endpoint = bind(server, "tcp")
    clients = []
    for number in range(30):
        client = make_socket(zmq.PUSH, within=other, reconnect_ivl=5, reconnect_ivl_max=20)
        client.plain_username, client.plain_password = b"user %d" % number, b"x"
        client.connect(endpoint)
        client.send(b"user %d" % number)
        clients.append(client)

    def reply(request: list[bytes]) -> list[bytes]:
        return [*good_reply(request)[:4], request[6], b""]

    users = set()
    for kind in ("sync", "async") * 10:
        handler = ScriptedHandler(context, reply, kind)
        eventually(lambda: handler.requests or len(server.peers()) == len(clients))  # noqa: B023 - called at once
        handler.close()
        while server.poll(0):
            frame = server.recv(copy=False)
            assert bytes(frame).decode() == frame["User-Id"]
            users.add(frame["User-Id"])
        if len(users) == len(clients):
            break
    handler = ScriptedHandler(context, reply)
    while len(users) < len(clients):
        users.add(server.recv(copy=False)["User-Id"])
    eventually(lambda: len(server.peers()) == len(clients))
    assert not [question for question in server._engine.questions if question.is_waiting(handler.socket._engine)]
    assert [] == handler.socket.peers()
    handler.close()


@pytest.mark.parametrize("kind", [zmq.PULL, zmq.ROUTER, zmq.DEALER, zmq.REP])
@pytest.mark.parametrize("looks", ["poll", "events", "none"])
def test_each_frame_tells_its_own_sender_though_the_socket_was_polled(
    make_socket: MakeSocket, make_client: MakeSocket, kind: int, looks: str
) -> None:
    """With many peers, and a look before each message: the first one has its User-Id, too."""
    server = make_socket(kind)
    server.plain({f"user {number}": "x" for number in range(5)})
    endpoint = bind(server, "tcp")
    for number in range(5):
        client = make_client({zmq.PULL: zmq.PUSH, zmq.REP: zmq.REQ}.get(kind, zmq.DEALER))
        client.plain(f"user {number}", "x")
        client.connect(endpoint, wait=5.0)
        for _ in range(1 if kind == zmq.REP else 10):
            client.send(b"user %d" % number)
    eventually(lambda: sum(peer.unread for peer in server.stats().peers) == (5 if kind == zmq.REP else 50))
    users = set()
    for _ in range(5 if kind == zmq.REP else 50):
        if looks != "none":
            assert server.poll(1000) if looks == "poll" else server.getsockopt(zmq.EVENTS) & zmq.POLLIN
        before = server.stats()
        frame = server.recv_multipart(copy=False)[-1]
        after = server.stats()
        assert bytes(frame).decode() == frame["User-Id"]
        assert (before.received + 1, before.unread - 1) == (after.received, after.unread)
        users.add(frame["User-Id"])
        if kind == zmq.REP:
            server.send(b"")
    assert 5 == len(users)
    assert 0 == server.poll(0)
