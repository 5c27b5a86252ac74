"""pyzmq's authenticators: who comes in by which configuration. The same tests run on pyzmq itself."""

from __future__ import annotations

import asyncio
import importlib
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import LIBRARY, Call, bind, eventually, library_module, purezmq_only, zmq
from tests.support.zap import CLIENT_PUBLIC, SERVER_PUBLIC, secure

auth = library_module("auth")
ThreadAuthenticator = library_module("auth.thread").ThreadAuthenticator
AsyncioAuthenticator = library_module("auth.asyncio").AsyncioAuthenticator

PASSWORDS = {"joe": "secret"}
#: How long to wait for a message that shall not come (milliseconds).
NOTHING_MS = 150


class Gate:
    """A server whose context has an authenticator, and clients that try it."""

    def __init__(self, make_context: Callable[[], Any], kind: Any = ThreadAuthenticator) -> None:
        self.context, self.other = make_context(), make_context()
        self.authenticator = kind(self.context)
        self.authenticator.start()

    def knock(self, mechanism: str, *, domain: bytes = b"", password: bytes = b"secret") -> Any:
        """Let a client connect and send; the frame that arrives, or None."""
        server, client = self.context.socket(zmq.PULL), self.other.socket(zmq.PUSH)
        server.linger = client.linger = 0
        try:
            secure(mechanism, server, client)
            if mechanism == "PLAIN":
                client.plain_password = password
            if domain:
                server.zap_domain = domain
            client.connect(bind(server, "tcp"))
            client.send(b"x")
            return server.recv(copy=False) if server.poll(self.patience) else None
        finally:
            server.close()
            client.close()

    patience = 5000

    def is_shut(self, mechanism: str, **details: Any) -> bool:
        """Whether the client is not let in."""
        self.patience = NOTHING_MS
        try:
            return self.knock(mechanism, **details) is None
        finally:
            self.patience = 5000


@pytest.fixture
def gate(make_context: Callable[[], Any]) -> Iterator[Gate]:
    """See `Gate`."""
    gate = Gate(make_context)
    yield gate
    gate.authenticator.stop()
    assert not gate.authenticator.is_alive()


def certificates(folder: Path, *keys: bytes) -> Path:
    """A directory with the certificates of these keys."""
    folder.mkdir(exist_ok=True)
    for number, key in enumerate(keys):
        (folder / f"{number}.key").write_bytes(b'curve\n    public-key = "%b"\n' % key)
    return folder


# -- by what peers may come in ---------------------------------------------------------------------------------------


def test_unconfigured_authenticator_lets_null_in_and_nobody_else(gate: Gate) -> None:
    """As pyzmq; NULL is asked about where there is a domain."""
    frame = gate.knock("NULL", domain=b"dom")
    assert "anonymous" == frame["User-Id"]
    assert gate.is_shut("PLAIN")
    assert gate.is_shut("CURVE")


def test_allowed_addresses_are_the_only_ones(gate: Gate) -> None:
    """Credentials count all the same."""
    gate.authenticator.allow("127.0.0.1")
    assert gate.knock("NULL", domain=b"dom")
    assert gate.is_shut("PLAIN")
    gate.authenticator.configure_plain("*", PASSWORDS)
    assert gate.knock("PLAIN")


@pytest.mark.parametrize("mechanism", ["NULL", "PLAIN", "CURVE"])
def test_other_addresses_and_denied_ones_are_refused(gate: Gate, mechanism: str) -> None:
    """Whatever they know."""
    gate.authenticator.configure_plain("*", PASSWORDS)
    gate.authenticator.configure_curve("*", auth.CURVE_ALLOW_ANY)
    gate.authenticator.allow("10.0.0.1")
    assert gate.is_shut(mechanism)


def test_denied_address_is_refused(gate: Gate) -> None:
    """All others are as before."""
    gate.authenticator.deny("10.0.0.1")
    assert gate.knock("NULL", domain=b"dom")
    gate.authenticator.deny("127.0.0.1")
    assert gate.is_shut("NULL", domain=b"dom")


@purezmq_only("no address means all, and texts are compared")
@pytest.mark.parametrize(
    ("rule", "addresses", "asked", "status"),
    [
        ("allow", [], b"127.0.0.1", b"400"),
        ("allow", ["0:0::1"], b"::1", b"200"),
        ("allow", ["::1"], b"::2", b"400"),
        ("allow", ["localhost:0:0:1"], b"localhost:0:0:1", b"200"),
        ("deny", ["10.0.0.1"], b"::ffff:10.0.0.1", b"400"),
        ("deny", ["::FFFF:A00:1"], b"10.0.0.1", b"400"),
        ("deny", ["10.0.0.1"], b"", b"200"),
        ("deny", [], b"10.0.0.1", b"200"),
    ],
)
def test_addresses_are_compared_and_not_their_texts(
    by_hand: Any, make_socket: Callable[..., Any], rule: str, addresses: list[str], asked: bytes, status: bytes
) -> None:
    """IPv6 has many texts for one address, and those of IPv4 besides; no allowed address is none."""
    getattr(by_hand, rule)(*addresses)
    assert status == ask(make_socket, by_hand, [*QUESTION[:3], asked, *QUESTION[4:]])[2]


def test_allow_and_deny_exclude_each_other() -> None:
    """One or the other."""
    one, other = auth.Authenticator(), auth.Authenticator()
    one.allow("127.0.0.1")
    other.deny("127.0.0.1")
    with pytest.raises(ValueError, match="not both"):
        one.deny("127.0.0.2")
    with pytest.raises(ValueError, match="not both"):
        other.allow("127.0.0.2")


def test_password_lets_its_user_in(gate: Gate) -> None:
    """The User-Id is the name."""
    gate.authenticator.configure_plain("*", PASSWORDS)
    assert "joe" == gate.knock("PLAIN")["User-Id"]
    for wrong in (b"Secret", b"secret.", b"secre", b"\xff"):
        assert gate.is_shut("PLAIN", password=wrong), wrong
    gate.authenticator.configure_plain("*", {"other": "secret"})
    assert gate.is_shut("PLAIN")


def test_passwords_are_of_a_domain(gate: Gate) -> None:
    """The domain of servers without one is "*"."""
    gate.authenticator.configure_plain("dom", PASSWORDS)
    assert gate.knock("PLAIN", domain=b"dom")
    assert gate.is_shut("PLAIN", domain=b"other")
    assert gate.is_shut("PLAIN")


def test_any_key_is_let_in_when_asked_for(gate: Gate) -> None:
    """CURVE_ALLOW_ANY; the User-Id is the key. A directory ends that."""
    gate.authenticator.configure_curve("*", auth.CURVE_ALLOW_ANY)
    assert CLIENT_PUBLIC.decode() == gate.knock("CURVE")["User-Id"]


@purezmq_only("there it's of all domains, whatever the first argument says")
def test_any_key_is_let_in_by_that_domain_only(gate: Gate, tmp_path: Path) -> None:
    """Another domain keeps its list, whichever is configured first; "*" opens all, until a list is configured."""
    for _ in range(2):
        gate.authenticator.configure_curve("dev", auth.CURVE_ALLOW_ANY)
        gate.authenticator.configure_curve("live", certificates(tmp_path / "keys", SERVER_PUBLIC))
    assert not gate.authenticator.allow_any
    assert gate.knock("CURVE", domain=b"dev")
    assert gate.is_shut("CURVE", domain=b"live")
    assert gate.is_shut("CURVE")
    gate.authenticator.allow_any = True
    assert gate.knock("CURVE", domain=b"live")
    gate.authenticator.configure_curve("live", tmp_path / "keys")
    assert not gate.authenticator.allow_any
    assert gate.is_shut("CURVE", domain=b"live")
    gate.authenticator.configure_curve("dev", tmp_path / "keys")
    assert gate.is_shut("CURVE", domain=b"dev")


def test_keys_of_a_directory_are_let_in(gate: Gate, tmp_path: Path) -> None:
    """It is read when it is configured."""
    folder = certificates(tmp_path / "keys", SERVER_PUBLIC)
    gate.authenticator.configure_curve("*", folder)
    assert gate.is_shut("CURVE")
    gate.authenticator.configure_curve("*", certificates(folder, SERVER_PUBLIC, CLIENT_PUBLIC))
    assert CLIENT_PUBLIC.decode() == gate.knock("CURVE")["User-Id"]
    assert gate.is_shut("CURVE", domain=b"other")


def test_directory_that_can_not_be_read_lets_nobody_in(gate: Gate, tmp_path: Path) -> None:
    """It is logged."""
    gate.authenticator.configure_curve("*", auth.CURVE_ALLOW_ANY)
    gate.authenticator.configure_curve("*", tmp_path / "nothing")
    assert gate.is_shut("CURVE")


class Provider:
    """Says yes to one key, and notes what it was asked."""

    def __init__(self, key: bytes, *, is_async: bool = False, error: Exception | None = None) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.key, self.is_async, self.error = key, is_async, error

    def callback(self, domain: str, key: bytes) -> Any:
        self.asked.append((domain, key))
        if self.error is not None:
            raise self.error
        return self._later(key) if self.is_async else key == self.key

    async def _later(self, key: bytes) -> bool:
        await asyncio.sleep(0)
        return key == self.key


@pytest.mark.parametrize("is_async", [False, True])
def test_callback_decides_about_keys(gate: Gate, is_async: bool) -> None:
    """It gets domain and key as Z85, and may be a coroutine function."""
    provider = Provider(CLIENT_PUBLIC, is_async=is_async)
    gate.authenticator.configure_curve_callback("dom", provider)
    assert CLIENT_PUBLIC.decode() == gate.knock("CURVE", domain=b"dom")["User-Id"]
    assert ("dom", CLIENT_PUBLIC) == provider.asked[0]
    gate.authenticator.configure_curve_callback("dom", Provider(SERVER_PUBLIC, is_async=is_async))
    assert gate.is_shut("CURVE", domain=b"dom")
    assert gate.is_shut("CURVE", domain=b"other")


def test_callback_of_none_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """And changes no provider."""
    authenticator = auth.Authenticator()
    authenticator.configure_curve_callback("dom", None)
    assert "dom" in caplog.text
    assert {} == authenticator.credentials_providers


@purezmq_only("its thread ends, and nobody comes in any more")
def test_callback_that_raises_refuses_this_peer_only(gate: Gate) -> None:
    """The authenticator lives on."""
    gate.authenticator.configure_curve_callback("*", Provider(CLIENT_PUBLIC, error=RuntimeError("database is away")))
    assert gate.is_shut("CURVE")
    assert gate.authenticator.is_alive()
    gate.authenticator.configure_curve_callback("*", Provider(CLIENT_PUBLIC))
    assert gate.knock("CURVE")


def test_user_id_may_be_mapped_in_a_subclass(make_context: Callable[[], Any], make_socket: Callable[..., Any]) -> None:
    """curve_user_id is for overriding; so are pyzmq's private methods, which programs override, too."""

    class Mine(ThreadAuthenticator):
        def curve_user_id(self, client_public_key: bytes) -> str:
            return f"user with {len(client_public_key)} bytes"

        def _authenticate_plain(self, domain: str, username: str, password: str) -> tuple[bool, bytes]:
            return (username, password) == ("joe", "secret"), b"no"

    context = make_context()
    authenticator = Mine(context)
    authenticator.start()
    authenticator.configure_curve("*", auth.CURVE_ALLOW_ANY)
    for mechanism, user in (("CURVE", "user with 32 bytes"), ("PLAIN", "joe")):
        server, client = make_socket(zmq.PULL, within=context), make_socket(zmq.PUSH)
        secure(mechanism, server, client)
        client.connect(bind(server, "tcp"))
        client.send(b"x")
        assert user == server.recv(copy=False)["User-Id"]
        server.close()
    authenticator.stop()


class Strange(ThreadAuthenticator):
    """Has User-Ids that are no text, and commands that fail."""

    user: Any = 5

    def curve_user_id(self, client_public_key: bytes) -> Any:
        return self.user

    async def handle_zap_message(self, msg: list[bytes]) -> None:
        if self.user is None:
            raise RuntimeError("broken")
        await super().handle_zap_message(msg)


@purezmq_only("its thread ends, and every peer waits")
def test_failure_at_an_answer_is_the_peers_and_not_the_authenticators(
    make_context: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A User-Id of a wrong type is a 500, and the next peer is answered."""
    gate = Gate(make_context, Strange)
    gate.authenticator.configure_curve("*", auth.CURVE_ALLOW_ANY)
    assert gate.is_shut("CURVE")
    assert "a decision about a peer failed" in caplog.text
    gate.authenticator.user = "alice"
    assert "alice" == gate.knock("CURVE")["User-Id"]
    gate.authenticator.stop()


@purezmq_only("its socket stays, and so does whoever waits for it")
def test_thread_that_fails_leaves_no_socket(make_context: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    """It is logged; peers are refused, the authenticator can be started again, and the context can end."""
    gate = Gate(make_context, Strange)
    gate.authenticator.user = None
    assert gate.is_shut("NULL", domain=b"dom")
    gate.authenticator.thread.join(5)
    assert not gate.authenticator.is_alive()
    assert gate.authenticator.zap_socket.closed
    assert "fails" in caplog.text
    gate.authenticator.user = ""
    gate.authenticator.start()
    assert gate.knock("NULL", domain=b"dom")
    gate.authenticator.stop()
    Call(gate.context.term).result()


@purezmq_only("there is no word in its log")
def test_task_that_fails_leaves_no_socket(context: Any, caplog: pytest.LogCaptureFixture) -> None:
    """As a thread."""

    class Broken(AsyncioAuthenticator):
        async def handle_zap_message(self, msg: list[bytes]) -> None:
            raise RuntimeError("broken")

    async def main() -> None:
        authenticator = Broken(context)
        authenticator.start()
        asker = context.socket(zmq.REQ, socket_class=zmq.Socket)
        asker.connect("inproc://zeromq.zap.01")
        asker.send(b"x")
        for _ in range(500):
            await asyncio.sleep(0.01)
            if authenticator.zap_socket.closed:
                break
        assert authenticator.zap_socket.closed
        asker.close(0)
        authenticator.start()
        authenticator.stop()

    asyncio.run(main())
    assert "fails" in caplog.text


# -- questions by hand -----------------------------------------------------------------------------------------------


QUESTION = [b"1.0", b"7", b"", b"127.0.0.1", b"id", b"NULL"]


def ask(make_socket: Callable[..., Any], authenticator: Any, question: list[bytes]) -> list[bytes]:
    """Let an authenticator answer a question that is made by hand."""
    asker = make_socket(zmq.REQ)
    asker.connect("inproc://zeromq.zap.01")
    asker.send_multipart(question)
    asyncio.run(authenticator.handle_zap_message(authenticator.zap_socket.recv_multipart()))
    answer: list[bytes] = asker.recv_multipart()
    asker.close()
    return answer


@pytest.fixture
def by_hand(context: Any) -> Iterator[Any]:
    """An authenticator that answers when it's told to."""
    authenticator = auth.Authenticator(context)
    authenticator.start()
    authenticator.configure_plain("*", PASSWORDS)
    yield authenticator
    authenticator.stop()
    authenticator.stop()
    assert authenticator.zap_socket is None


@pytest.mark.parametrize(
    ("question", "status"),
    [
        (QUESTION, b"200"),
        ([*QUESTION[:5], b"PLAIN", b"joe", b"secret"], b"200"),
        ([*QUESTION[:5], b"GSSAPI", b"joe@REALM"], b"200"),
        ([*QUESTION[:5], b"PLAIN", b"joe", b"Secret"], b"400"),
        ([*QUESTION[:5], b"PLAIN", b"joe"], b"400"),
        ([*QUESTION[:5], b"PLAIN", b"joe", b"secret", b""], b"400"),
        ([*QUESTION[:5], b"CURVE"], b"400"),
        ([*QUESTION[:5], b"CURVE", bytes(32)], b"400"),
        ([*QUESTION[:5], b"GSSAPI"], b"400"),
        ([*QUESTION[:5], b"OTHER"], b"400"),
        ([b"2.0", *QUESTION[1:]], b"400"),
        (QUESTION[:5], b"400"),
        (QUESTION[:2], b"400"),
    ],
)
def test_answer_repeats_the_request_id(
    by_hand: Any, make_socket: Callable[..., Any], question: list[bytes], status: bytes
) -> None:
    """Six parts: version, request id, status, text, user id, metadata; the user id of nobody is empty."""
    version, request_id, code, text, user_id, metadata = ask(make_socket, by_hand, question)
    assert (b"1.0", b"7", status, b"") == (version, request_id, code, metadata)
    assert text
    assert bool(user_id) == (status == b"200")


@purezmq_only("it logs them at the level DEBUG")
def test_passwords_are_in_no_log(
    by_hand: Any, make_socket: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither right ones nor wrong ones, nor those of malformed questions."""
    with caplog.at_level(logging.DEBUG):
        for password in (b"secret", b"secreT"):
            ask(make_socket, by_hand, [*QUESTION[:5], b"PLAIN", b"joe", password])
            ask(make_socket, by_hand, [*QUESTION[:5], b"PLAIN", b"joe", password, b""])
            ask(make_socket, by_hand, [b"9", *QUESTION[1:5], b"PLAIN", b"joe", password])
    assert "PLAIN" in caplog.text
    assert "secre" not in caplog.text.lower()


def test_second_handler_of_a_context_is_refused(context: Any, by_hand: Any) -> None:
    """EADDRINUSE; the first goes on."""
    with pytest.raises(zmq.ZMQError) as caught:
        auth.Authenticator(context).start()
    assert zmq.EADDRINUSE == caught.value.errno


@purezmq_only("the first one loses its socket")
def test_second_start_changes_nothing(by_hand: Any, make_socket: Callable[..., Any]) -> None:
    """EADDRINUSE; it answers as before."""
    with pytest.raises(zmq.ZMQError, match="started already") as caught:
        by_hand.start()
    assert zmq.EADDRINUSE == caught.value.errno
    assert b"200" == ask(make_socket, by_hand, QUESTION)[2]


# -- lives -----------------------------------------------------------------------------------------------------------


@purezmq_only("it keeps the name for a moment")
def test_thread_starts_stops_and_starts_again(context: Any) -> None:
    """`is_alive` tells; the name is free after `stop`."""
    authenticator = ThreadAuthenticator(context)
    for _ in range(3):
        assert not authenticator.is_alive()
        authenticator.start()
        assert authenticator.is_alive()
        authenticator.stop()
    assert not authenticator.is_alive()


def test_forgotten_thread_authenticator_ends_its_thread(context: Any) -> None:
    """Stopped ones leave no thread behind."""
    before = threading.active_count()
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    authenticator.stop()
    del authenticator
    eventually(lambda: threading.active_count() <= before + 1)  # the I/O thread of the context is Python's here


@purezmq_only("the end of its context waits for the authenticator for ever")
@pytest.mark.parametrize("how", ["term", "destroy"])
def test_end_of_the_context_ends_the_thread(make_context: Callable[[], Any], how: str) -> None:
    """It doesn't wait for `stop`; the thread ends without an error (pytest would show it)."""
    context = make_context()
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    thread, pipe = authenticator.thread, authenticator.pipe
    end = Call(getattr(context, how))
    thread.join(5)
    assert not thread.is_alive()
    pipe.close()
    end.result()
    authenticator.stop()


def test_asyncio_authenticator_answers_in_the_running_loop(tmp_path: Path) -> None:
    """With sockets of the asyncio front."""
    front = library_module("asyncio")

    async def main() -> tuple[str, bool]:
        context, other = front.Context(), front.Context()
        authenticator = AsyncioAuthenticator(context)
        authenticator.start()
        authenticator.configure_curve("*", certificates(tmp_path / "keys", CLIENT_PUBLIC))
        server, client = context.socket(zmq.PULL), other.socket(zmq.PUSH)
        secure("CURVE", server, client)
        client.connect(bind(server, "tcp"))
        await client.send(b"x")
        frame = await asyncio.wait_for(server.recv(copy=False), 5)
        authenticator.stop()
        is_stopped = authenticator.zap_socket is None
        context.destroy(0)
        other.destroy(0)
        return frame["User-Id"], is_stopped

    assert (CLIENT_PUBLIC.decode(), True) == asyncio.run(main())


def test_ioloop_authenticator_is_deprecated(context: Any) -> None:
    """pyzmq's old name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = importlib.import_module(f"{LIBRARY}.auth.ioloop")
    assert issubclass(module.IOLoopAuthenticator, AsyncioAuthenticator)
    with pytest.deprecated_call():
        importlib.reload(module)
    assert context is module.IOLoopAuthenticator(context).context


def test_loop_argument_is_deprecated(context: Any) -> None:
    """The running loop is used."""
    with pytest.deprecated_call():
        AsyncioAuthenticator(context, loop=object())


@pytest.mark.parametrize("kind", ["thread", "asyncio"])
def test_program_that_forgets_to_stop_ends_all_the_same(kind: str) -> None:
    """Without a word on stderr, and warnings are errors."""
    start = {"thread": "a = ThreadAuthenticator(); a.start()", "asyncio": "asyncio.run(main())"}[kind]
    program = f"""
import asyncio
from {LIBRARY}.auth.asyncio import AsyncioAuthenticator
from {LIBRARY}.auth.thread import ThreadAuthenticator
async def main():
    AsyncioAuthenticator().start()
    await asyncio.sleep(0)
{start}
print("done")
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, check=False, text=True, timeout=20
    )
    assert (0, "done\n", "") == (done.returncode, done.stdout, done.stderr)
