"""`bind_identity`: a routing id belongs to an authenticated user (P13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, eventually, purezmq_only, zmq
from tests.support.raw_peer import COMMAND, RawPeer, greeting, ready_command
from tests.support.zap import next_of, zap_handler

from purezmq.engine import id_owners
from purezmq.engine.id_owners import IdOwners

__all__ = ["zap_handler"]

MakeSocket = Callable[..., Any]

pytestmark = purezmq_only("it gives a routing id to whoever comes with it")

#: In each of the four situations: a thousand in all.
ATTEMPTS = 250
PASSWORDS = {"alice": "a", "mallory": "m"}


@pytest.fixture
def make_user(make_socket: MakeSocket, make_context: Callable[[], Any]) -> MakeSocket:
    """Make DEALER sockets of a user with a routing id, in a context of their own."""
    context = make_context()

    def make(user: str, routing_id: bytes, endpoint: str, **options: Any) -> Any:
        dealer = make_socket(zmq.DEALER, within=context, routing_id=routing_id, reconnect_ivl=-1, **options)
        dealer.plain(user, PASSWORDS[user])
        if endpoint:
            dealer.connect(endpoint)
        return dealer

    return make


def make_router(make_socket: MakeSocket, owners: Any = True, **options: Any) -> tuple[Any, str]:
    """A ROUTER that knows the users, and its endpoint."""
    router = make_socket(zmq.ROUTER, router_mandatory=1, **options)
    router.plain(PASSWORDS, bind_identity=owners)
    return router, bind(router, "tcp")


@pytest.mark.parametrize("handover", [0, 1])
@pytest.mark.parametrize("is_there", [True, False], ids=["owner is there", "owner is away"])
def test_p13_attacker_with_another_valid_key_gets_nothing(
    make_socket: MakeSocket, make_context: Callable[[], Any], handover: int, is_there: bool
) -> None:
    """A thousand attempts over all, by CURVE: no message reaches the attacker, and none of its own is delivered."""
    server_public, server_secret = zmq.curve_keypair()
    victim_keys, attacker_keys = zmq.curve_keypair(), zmq.curve_keypair()
    router = make_socket(zmq.ROUTER, router_handover=handover)
    allowed = {victim_keys[0]: "victim", attacker_keys[0]: "attacker"}
    router.curve(server_secret, allow=allowed, bind_identity=True)
    endpoint, context = bind(router, "tcp"), make_context()

    def connect(keys: tuple[bytes, bytes]) -> Any:
        dealer = make_socket(zmq.DEALER, within=context, routing_id=b"victim", reconnect_ivl=-1)
        dealer.curve(server_public, keys=keys)
        dealer.connect(endpoint)
        dealer.send(b"from " + (b"victim" if keys is victim_keys else b"attacker"))
        return dealer

    victim = connect(victim_keys)
    assert [b"victim", b"from victim"] == router.recv_multipart()
    if not is_there:
        victim.close()
        eventually(lambda: not router.peers())
    events = router.events(max_events=10 * ATTEMPTS)
    for number in range(ATTEMPTS):
        attacker = connect(attacker_keys)
        refused = next_of(events, "peer_denied")
        router.send_multipart([b"victim", b"%d" % number])
        assert ("routing-id", "the routing id is another user's") == (refused.reason, refused.error)
        next_of(events, "disconnected")
        assert 0 == attacker.poll(0)
        attacker.close(0)
    assert 0 == router.poll(0)
    if is_there:
        assert [b"%d" % number for number in range(ATTEMPTS)] == [victim.recv() for _ in range(ATTEMPTS)]
    else:
        assert ATTEMPTS == router.stats().dropped_by_reason["unroutable"]


def test_owner_comes_again_and_takes_over_its_own_connection(make_socket: MakeSocket, make_user: MakeSocket) -> None:
    """ROUTER_HANDOVER is for the same user; so is coming again after having been away."""
    router, endpoint = make_router(make_socket, router_handover=1)
    first = make_user("alice", b"id", endpoint)
    first.send(b"1")
    assert [b"id", b"1"] == router.recv_multipart()
    second = make_user("alice", b"id", endpoint)
    second.send(b"2")
    assert [b"id", b"2"] == router.recv_multipart()
    router.send_multipart([b"id", b"reply"])
    assert b"reply" == second.recv()
    second.close()
    eventually(lambda: not router.peers())
    make_user("alice", b"id", endpoint).send(b"3")
    assert [b"id", b"3"] == router.recv_multipart()


def test_refused_peer_is_told_why(make_socket: MakeSocket, make_user: MakeSocket) -> None:
    """Both sides have an event; a peer without an id of its own is served."""
    router, endpoint = make_router(make_socket)
    make_user("alice", b"id", endpoint).send(b"1")
    router.recv_multipart()
    thief = make_user("mallory", b"id", "")
    events = thief.events()
    thief.connect(endpoint)
    assert "another user's" in next_of(events, "peer_refused").error
    nameless = make_socket(zmq.DEALER)
    nameless.plain("mallory", "m")
    nameless.connect(endpoint)
    nameless.send(b"2")
    assert b"2" == router.recv_multipart()[1]


def test_fixed_owners_are_the_only_ones(make_socket: MakeSocket, make_user: MakeSocket) -> None:
    """With a dictionary an id is its owner's before it ever came, and no other id may be used."""
    owners = {b"worker": "alice"}
    router, endpoint = make_router(make_socket, owners)
    events = router.events()
    assert owners == router.bind_identity
    for user, routing_id in (("mallory", b"worker"), ("mallory", b"other"), ("alice", b"other")):
        make_user(user, routing_id, endpoint).send(b"no")
        assert "not this user's" in next_of(events, "peer_denied").error
    assert 3 == router.stats().handshake_failures
    make_user("alice", b"worker", endpoint).send(b"yes")
    assert [b"worker", b"yes"] == router.recv_multipart()


def test_ids_that_a_router_makes_are_not_to_be_chosen(make_socket: MakeSocket) -> None:
    """They begin with a zero byte: who could choose one would get another's messages."""
    router, endpoint = make_router(make_socket)
    events = router.events()
    with RawPeer.connect(endpoint) as peer:
        peer.send(greeting(mechanism=b"PLAIN"))
        assert b"\xff" == peer.receive(64)[:1]
        peer.send_frame(b"\x05HELLO\x07mallory\x01m", COMMAND)
        assert (COMMAND, b"\x07WELCOME") == peer.receive_frame()
        ready = ready_command("DEALER", {"Identity": b"\0\0\0\0\1"})
        peer.send_frame(ready[2:].replace(b"\x05READY", b"\x08INITIATE"), COMMAND)
        assert "router's to give" in next_of(events, "peer_denied").error
    assert [] == router.peers()


def test_peers_without_a_user_have_no_id(make_socket: MakeSocket) -> None:
    """Where nobody authenticates, an id is nobody's; peers without one are served."""
    router = make_socket(zmq.ROUTER)
    router.bind_identity = True
    events, endpoint = router.events(), bind(router, "tcp")
    with RawPeer.connect(endpoint) as peer:
        peer.shake_hands("DEALER", {"Identity": b"id"})
        peer.send_frame(b"no")
        assert "authenticated" in next_of(events, "peer_denied").error
    with RawPeer.connect(endpoint) as peer:
        peer.shake_hands("DEALER")
        peer.send_frame(b"yes")
        assert b"yes" == router.recv_multipart()[1]


def test_setting_is_checked_and_can_be_unset(make_socket: MakeSocket) -> None:
    """True, False or a dictionary."""
    router = make_socket(zmq.ROUTER)
    assert router.bind_identity is False
    router.bind_identity = True
    assert router.bind_identity is True
    router.bind_identity = False
    assert router.bind_identity is False
    with pytest.raises(TypeError):
        router.bind_identity = "yes"


def test_durable_subscription_is_for_its_user_only(make_socket: MakeSocket, make_context: Callable[[], Any]) -> None:
    """What waits for a subscriber that is away is not given to another user that comes with its routing id."""
    publisher, context = make_socket(zmq.XPUB), make_context()
    publisher.plain(PASSWORDS)
    publisher.durable = (1 << 20, 60)
    publisher.xpub_verbose = 1
    endpoint = bind(publisher, "tcp")

    def subscribe(user: str) -> Any:
        subscriber = make_socket(zmq.SUB, within=context, routing_id=b"id", subscribe=b"")
        subscriber.plain(user, PASSWORDS[user])
        subscriber.connect(endpoint)
        return subscriber

    first = subscribe("alice")
    assert b"\1" == publisher.recv()
    first.close()
    eventually(lambda: not publisher.peers())
    publisher.send(b"for alice")
    thief = subscribe("mallory")
    assert b"\1" == publisher.recv()
    publisher.send(b"for all")
    assert b"for all" == thief.recv()
    thief.close()
    owner = subscribe("alice")
    assert [b"for alice", b"for all"] == [owner.recv(), owner.recv()]


def test_durable_subscription_is_its_keys_where_nobody_names_users(
    make_socket: MakeSocket, make_context: Callable[[], Any], zap_handler: Callable[..., Any]
) -> None:
    """A ZAP handler lets every key in and gives no User-Id: who has another key is another one."""
    publisher, context = make_socket(zmq.XPUB), make_context()
    zap_handler(lambda request: [b"1.0", request[1], b"200", b"", b"", b""])
    server_public, server_secret = zmq.curve_keypair()
    publisher.curve_server, publisher.curve_secretkey = 1, server_secret
    publisher.durable = (1 << 20, 60)
    publisher.xpub_verbose = 1
    endpoint = bind(publisher, "tcp")

    def subscribe(keys: tuple[bytes, bytes]) -> Any:
        subscriber = make_socket(zmq.SUB, within=context, routing_id=b"id", subscribe=b"")
        subscriber.curve(server_public, keys=keys)
        subscriber.connect(endpoint)
        return subscriber

    owner_keys = zmq.curve_keypair()
    first = subscribe(owner_keys)
    assert b"\1" == publisher.recv()
    assert "" == publisher.peers()[0].user_id
    first.close()
    eventually(lambda: not publisher.peers())
    publisher.send(b"for the owner")
    thief = subscribe(zmq.curve_keypair())
    assert b"\1" == publisher.recv()
    publisher.send(b"for all")
    assert b"for all" == thief.recv()
    thief.close()
    owner = subscribe(owner_keys)
    assert [b"for the owner", b"for all"] == [owner.recv(), owner.recv()]


def test_ids_of_all_users_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """New ones are refused then; those that have an owner are as before, and a user may exchange its own."""
    monkeypatch.setattr(id_owners, "MAX_IDS_PER_USER", 2)
    monkeypatch.setattr(id_owners, "MAX_IDS", 3)
    owners = IdOwners()
    for routing_id, user in ((b"1", "alice"), (b"2", "bob"), (b"3", "bob")):
        assert "" == owners.claim(routing_id, user)
    for user in ("alice", "mallory"):
        assert "too many routing ids" in owners.claim(b"4", user)
    assert "" == owners.claim(b"1", "alice")
    assert "" == owners.claim(b"4", "bob")
    assert "" != owners.claim(b"2", "mallory")
    assert 3 == len(owners._owners)


def test_ids_of_a_user_are_limited_and_nobody_loses_another_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was used longest ago is forgotten."""
    monkeypatch.setattr(id_owners, "MAX_IDS_PER_USER", 3)
    owners = IdOwners()
    assert "" == owners.claim(b"alice's", "alice")
    for number in (0, 1, 2, 0, 3):
        assert "" == owners.claim(b"%d" % number, "mallory")
    assert "" == owners.claim(b"1", "alice")
    assert owners.claim(b"0", "alice")
    assert owners.claim(b"alice's", "mallory")


def test_id_of_a_connected_peer_stays_its_users(
    make_socket: MakeSocket, make_user: MakeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many others the user comes with; of those that no peer has now the oldest is forgotten."""
    monkeypatch.setattr(id_owners, "MAX_IDS_PER_USER", 2)
    router, endpoint = make_router(make_socket)
    events = router.events()
    workers = {}
    for name in (b"1", b"2", b"3"):
        workers[name] = make_user("alice", name, endpoint)
        workers[name].send(b"here")
        assert [name, b"here"] == router.recv_multipart()
    workers[b"2"].close()
    eventually(lambda: len(router.peers()) == 2)
    make_user("alice", b"4", endpoint).send(b"here")
    assert [b"4", b"here"] == router.recv_multipart()
    thief = make_user("mallory", b"1", endpoint)
    assert "another user's" in next_of(events, "peer_denied").error
    thief.close()
    router.send_multipart([b"1", b"x"])
    assert b"x" == workers[b"1"].recv()
    make_user("mallory", b"2", endpoint).send(b"free again")
    assert [b"2", b"free again"] == router.recv_multipart()


def test_refused_users_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user costs memory for as long as it owns an id, and not by asking for one."""
    monkeypatch.setattr(id_owners, "MAX_IDS", 2)
    owners = IdOwners()
    connection = object()
    assert "" == owners.claim(b"1", "alice", connection)
    assert "" == owners.claim(b"2", "bob")
    for number in range(10):
        assert owners.claim(b"new %d" % number, f"user {number}")
        assert owners.claim(b"1", f"user {number}")
    assert {"bob"} == set(owners._idle)
    assert {"alice", "bob"} == set(owners._totals)
    owners.release(connection)
    assert {"alice", "bob"} == set(owners._idle)
    assert "" == owners.claim(b"1", "alice", connection)
    assert {"bob"} == set(owners._idle)
