"""Streams, listeners and pending connects over the sockets of this machine."""

from __future__ import annotations

import errno
import socket

import pytest

from purezmq.transports import base
from purezmq.transports.base import (
    Address,
    PendingConnect,
    SocketStream,
    StreamListener,
    begin_connect,
    close_quietly,
    set_options_quietly,
)


class RefusingSocket:
    """A socket whose calls fail with one error."""

    def __init__(self, error):
        self.error = error
        self.closed = False

    def setblocking(self, flag):
        pass

    def fileno(self):
        return -1

    def accept(self):
        raise self.error

    def getsockopt(self, *arguments):
        raise self.error

    def close(self):
        self.closed = True
        raise self.error


@pytest.fixture
def streams(harness):
    """Return two connected streams."""
    ours, theirs = socket.socketpair()
    return harness.keep(SocketStream(ours, "ours")), harness.keep(SocketStream(theirs, "theirs"))


def test_try_read_nothing_there_returns_none(streams):
    """A read that would block is None, so is a read into a buffer."""
    assert streams[0].try_read(10) is None
    assert streams[0].try_read_into(bytearray(4)) is None


def test_try_read_data_returns_at_most_size_bytes(streams):
    """A read gives what is there, up to its size; the rest stays."""
    streams[1].try_write([b"abcdef"])
    assert b"abcd" == streams[0].try_read(4)
    buffer = bytearray(4)
    assert 2 == streams[0].try_read_into(buffer)
    assert b"ef\0\0" == buffer


def test_try_read_closed_peer_returns_end_of_stream(streams):
    """The end of a stream is b'' and 0."""
    streams[1].close()
    assert b"" == streams[0].try_read(4)
    assert 0 == streams[0].try_read_into(bytearray(4))


def test_try_read_closed_stream_raises_oserror(streams):
    """A stream closed here is an error, not silence."""
    streams[0].close()
    streams[0].close()
    assert -1 == streams[0].fileno()
    for call in (
        lambda: streams[0].try_read(1),
        lambda: streams[0].try_read_into(bytearray(1)),
        lambda: streams[0].try_write([b"a"]),
    ):
        with pytest.raises(OSError, match="Bad file descriptor") as caught:
            call()
        assert errno.EBADF == caught.value.errno


@pytest.mark.parametrize("chunks", [[], [b"ab"], [b"ab", bytearray(b"c"), memoryview(b"de")], [b"x"] * 1500])
def test_try_write_chunks_arrive_in_order(streams, chunks):
    """Chunks are written in order; more than one call takes goes with the next call."""
    total = b"".join(chunks)
    taken = streams[0].try_write(chunks)
    assert min(len(total), 1024) == taken
    assert (total[:taken] or None) == streams[1].try_read(10_000)


def test_try_write_full_buffer_returns_zero(streams):
    """A peer that does not read is 0 bytes taken, not an error."""
    while streams[0].try_write([bytes(65536)]):
        pass
    assert 0 == streams[0].try_write([b"a", b"b"])


def test_try_write_closed_peer_raises_and_sends_no_signal(streams):
    """A broken pipe is an OSError."""
    streams[1].close()
    with pytest.raises(OSError, match="Broken pipe"):
        streams[0].try_write([b"a"])


def test_shutdown_write_ends_the_peers_stream_after_the_data(streams):
    """What was written arrives, then the end; the other direction stays open."""
    streams[0].try_write([b"last"])
    streams[0].shutdown_write()
    assert b"last" == streams[1].try_read(10)
    assert b"" == streams[1].try_read(10)
    streams[1].try_write([b"answer"])
    assert b"answer" == streams[0].try_read(10)
    streams[0].close()
    streams[0].shutdown_write()


def test_stream_without_family_has_no_names(streams):
    """The plain stream knows no addresses."""
    assert ("", "") == (streams[0].local, streams[0].peer_address)
    assert "ours" in repr(streams[0])


def test_stream_is_non_blocking_and_not_inherited(streams):
    """Descriptors never block and do not survive exec."""
    assert streams[0].sock.getblocking() is False
    assert streams[0].sock.get_inheritable() is False


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_try_accept_no_descriptor_left_raises(number):
    """What prevents any accept is the caller's business."""
    listener = StreamListener(RefusingSocket(OSError(number, "no")), "x")
    with pytest.raises(OSError, match="no") as caught:
        listener.try_accept()
    assert number == caught.value.errno


@pytest.mark.parametrize("number", [errno.ECONNABORTED, errno.EPROTO, errno.ENETDOWN])
def test_try_accept_peer_gone_is_skipped_and_bounded(number):
    """A peer that went before it was accepted is no error, and a flood of them ends the turn."""
    listener = StreamListener(RefusingSocket(OSError(number, "gone")), "x")
    assert listener.try_accept() is None


@pytest.mark.parametrize("outcome", [None, OSError(errno.ENOTCONN, "gone")])
def test_try_accept_refused_peer_is_closed_and_the_next_tried(harness, outcome):
    """A peer that is not admitted is closed; the loop goes on to the next."""

    class Picky(StreamListener):
        seen = 0

        def admit(self, sock, peer):
            Picky.seen += 1
            if Picky.seen > 1:
                return SocketStream(sock, "second")
            if outcome is not None:
                raise outcome
            return None

    server = socket.create_server(("127.0.0.1", 0))
    listener = harness.keep(Picky(server, "x"))
    first = harness.keep(socket.create_connection(server.getsockname()))
    second = harness.keep(socket.create_connection(server.getsockname()))
    stream = harness.accept(listener)
    assert "second" == stream.remote
    assert b"" == first.recv(1)
    stream.try_write([b"hello"])
    assert b"hello" == second.recv(5)


def test_try_accept_failing_admission_closes_the_peer(harness):
    """A mistake while admitting reaches the caller, and the peer is not left open."""

    class Broken(StreamListener):
        def admit(self, sock, peer):
            raise ZeroDivisionError

    server = socket.create_server(("127.0.0.1", 0))
    listener = harness.keep(Broken(server, "x"))
    peer = harness.keep(socket.create_connection(server.getsockname()))
    harness.wait(listener)
    with pytest.raises(ZeroDivisionError):
        listener.try_accept()
    assert b"" == peer.recv(1)


def test_listener_close_frees_the_address_while_a_copy_of_the_descriptor_lives(harness):
    """A child that is being started holds a copy; closing frees the address all the same."""
    server = socket.create_server(("127.0.0.1", 0))
    where = server.getsockname()
    harness.keep(server.dup())
    StreamListener(server, "x").close()
    harness.keep(socket.create_server(where))


def test_listener_forget_leaves_the_shared_socket_listening(harness):
    """What a forked child closes goes on in the parent; an adopted descriptor alike."""
    server = harness.keep(socket.create_server(("127.0.0.1", 0)))
    StreamListener(server.dup(), "x").forget()
    adopted = StreamListener(server.dup(), "x", adopted=True)
    adopted.close()
    assert "fd=-1" in repr(adopted)
    harness.keep(socket.create_connection(server.getsockname()))


def test_close_quietly_failing_close_is_swallowed():
    """close never raises."""
    sock = RefusingSocket(OSError(errno.ECONNRESET, "reset"))
    close_quietly(sock)
    assert sock.closed


def test_set_options_quietly_refused_option_is_left_out(streams):
    """Options that the system refuses do not stop the others."""
    settings = [(socket.SOL_SOCKET, 987654, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    set_options_quietly(streams[0].sock, settings)
    assert 1 == streams[0].sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_begin_connect_immediate_failure_raises_and_closes():
    """A connect that fails at once is an OSError that names the endpoint, and leaves nothing open."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with pytest.raises(OSError, match=r"cannot connect to 'ipc:///no/such': No such file") as caught:
        begin_connect(sock, Address(socket.AF_UNIX, "/no/such", None, "ipc:///no/such"))
    assert errno.ENOENT == caught.value.errno
    assert -1 == sock.fileno()


def test_begin_connect_unusable_address_raises_and_closes():
    """Whatever is wrong with an address, the socket is closed."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with pytest.raises(TypeError):
        begin_connect(sock, Address(socket.AF_INET, "nonsense", None, "tcp://x"))
    assert -1 == sock.fileno()


def test_pending_connect_not_connected_yet_is_none_and_close_gives_up(harness):
    """As long as nothing is decided finish says None; after close it is an error."""
    pending = PendingConnect(socket.socket(), Address(socket.AF_INET, ("127.0.0.1", 1), None, "tcp://x"))
    assert pending.finish() is None
    assert "tcp://x" in repr(pending)
    pending.close()
    pending.close()
    assert -1 == pending.fileno()
    with pytest.raises(OSError, match="already finished") as caught:
        pending.finish()
    assert errno.EBADF == caught.value.errno


def test_pending_connect_broken_descriptor_raises_and_closes():
    """An error while asking for the outcome closes the descriptor."""
    sock = RefusingSocket(OSError(errno.EBADF, "broken"))
    with pytest.raises(OSError, match="broken"):
        PendingConnect(sock, Address(0, None, None, "tcp://x")).finish()
    assert sock.closed


def test_address_repr_tells_text_and_source():
    """The repr shows what a reader needs."""
    assert "Address('tcp://x', source=None)" == repr(Address(0, None, None, "tcp://x"))


def test_hooks_of_the_base_are_left_to_the_transports():
    """Who is admitted and what a stream is, only a transport knows."""
    with pytest.raises(NotImplementedError):
        StreamListener(RefusingSocket(OSError()), "x").admit(None, None)
    with pytest.raises(NotImplementedError):
        PendingConnect(None, Address(0, None, None, "x")).open_stream(None, None)


def test_export_names_all_exist():
    """Every name in __all__ is defined."""
    assert [] == [name for name in base.__all__ if not hasattr(base, name)]
