"""The ipc transport in a temporary directory."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading

import pytest

from purezmq.endpoint import parse_endpoint
from purezmq.error import ZMQError
from purezmq.transports import ipc
from purezmq.transports.registry import get_transport

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="abstract names and peer credentials are Linux'")

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this Python has no Unix domain sockets")


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    """Work in a directory of its own: relative paths are short enough on every system."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _make_stale(path):
    """Leave the file of a socket that nobody listens behind."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.bind(path)


def _bind_error(harness, endpoint, **options):
    with pytest.raises(ZMQError) as caught:
        harness.listen(endpoint, **options)
    assert endpoint in str(caught.value)
    return caught.value


@pytest.mark.parametrize("endpoint", ["ipc://name", "ipc://*", pytest.param("ipc://@purezmq-test-{}", marks=LINUX)])
def test_listen_names_accept_a_connection(harness, endpoint):
    """A path, a wildcard and an abstract name carry bytes, and both ends carry the listener's name."""
    listener, client, server = harness.pair(endpoint.format(os.getpid()))
    client.try_write([b"ping"])
    harness.wait(server)
    assert b"ping" == server.try_read(10)
    assert {listener.endpoint} == {client.local, client.remote, server.local, server.remote}


def test_close_removes_own_file(harness, directory):
    """The file goes with the listener, even after the process changed its directory."""
    listener = harness.listen("ipc://name")
    assert (directory / "name").exists()
    (directory / "sub").mkdir()
    os.chdir("sub")
    listener.close()
    listener.close()
    assert not (directory / "name").exists()


def test_close_leaves_a_file_that_is_another_listeners(harness, directory):
    """A file that somebody put in place of ours is not ours to remove."""
    listener = harness.listen("ipc://name")
    (directory / "name").unlink()
    _make_stale("name")
    listener.close()
    assert (directory / "name").exists()


def test_forget_leaves_the_file(harness, directory):
    """A forked child closes its copy only."""
    listener = harness.listen("ipc://name")
    listener.forget()
    listener.close()
    assert (directory / "name").exists()


def test_listen_wildcard_makes_and_removes_a_private_directory(harness, directory, monkeypatch):
    """'*' is a socket in a new directory under $TMPDIR, for this user only; both go at close."""
    monkeypatch.setenv("TMPDIR", ".")
    listener = harness.listen("ipc://*")
    path = listener.endpoint.removeprefix("ipc://")
    assert "socket" == os.path.basename(path)
    assert str(directory) == os.path.dirname(os.path.dirname(os.path.abspath(path)))
    assert 0o700 == os.stat(os.path.dirname(path)).st_mode & 0o777
    listener.close()
    assert [] == list(directory.iterdir())


def test_listen_wildcard_path_too_long_raises_and_leaves_nothing(harness, directory, monkeypatch):
    """A deep $TMPDIR is told as such, and the directory made is removed."""
    deep = directory / ("d" * 100)
    deep.mkdir()
    monkeypatch.setenv("TMPDIR", str(deep))
    with pytest.raises(ZMQError, match=str(ipc.IPC_PATH_MAX_LEN)) as caught:
        harness.listen("ipc://*")
    assert errno.ENAMETOOLONG == caught.value.errno
    assert [] == list(deep.iterdir())


def test_listen_wildcard_without_temporary_directory_raises(harness, monkeypatch):
    """A $TMPDIR that does not exist is ENOENT."""
    monkeypatch.setenv("TMPDIR", "missing")
    assert errno.ENOENT == _bind_error(harness, "ipc://*").errno


def test_listen_stale_file_is_replaced(harness):
    """A file that refuses connections belonged to a process that died: it is replaced."""
    _make_stale("name")
    harness.pair("ipc://name")


def test_listen_live_socket_raises_eaddrinuse(harness):
    """A live listener is never taken over; it goes on working."""
    first = harness.listen("ipc://name")
    error = _bind_error(harness, "ipc://name")
    assert errno.EADDRINUSE == error.errno
    assert "live socket" in str(error)
    harness.connect("ipc://name")
    harness.accept(first)


def test_listen_live_socket_with_full_backlog_raises_eaddrinuse(harness):
    """A listener that is too busy to answer is alive."""
    sock = harness.keep(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    sock.bind("name")
    sock.listen(0)
    address = harness.resolve("ipc://name")[0]
    with pytest.raises(OSError, match="cannot connect to 'ipc://name'"):
        for _ in range(100):
            harness.keep(get_transport("ipc").start_connect(address, harness.options()))
    assert errno.EADDRINUSE == _bind_error(harness, "ipc://name").errno


@pytest.mark.parametrize("kind", ["file", "directory", "dangling link"])
def test_listen_path_that_is_no_socket_raises_and_is_kept(harness, directory, kind):
    """What is no socket is never deleted."""
    path = directory / "name"
    if kind == "file":
        path.write_text("precious")
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("nowhere")
    error = _bind_error(harness, "ipc://name")
    assert errno.EADDRINUSE == error.errno
    assert "no socket" in str(error)
    assert os.path.lexists(path)


def test_listen_datagram_socket_raises_eaddrinuse(harness):
    """A live socket of another kind is kept, and the text tells its answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("name")
        error = _bind_error(harness, "ipc://name")
    assert errno.EADDRINUSE == error.errno
    assert "it answers" in str(error)


def test_listen_missing_directory_raises_enoent(harness):
    """A directory that does not exist is named."""
    error = _bind_error(harness, "ipc://missing/name")
    assert errno.ENOENT == error.errno
    assert "'missing' does not exist" in str(error)


def test_listen_file_as_directory_raises_enotdir(harness, directory):
    """A part of the path that is a file is told."""
    (directory / "file").touch()
    error = _bind_error(harness, "ipc://file/name")
    assert errno.ENOTDIR == error.errno
    assert "no directory" in str(error)


def test_long_path_raises_enametoolong_with_length_and_limit(harness):
    """The text gives the length in bytes and the limit, when binding and when connecting."""
    limit = ipc.IPC_PATH_MAX_LEN
    harness.listen("ipc://" + "x" * limit)
    endpoint = "ipc://" + "x" * (limit - 1) + "\u00fc"
    assert errno.ENAMETOOLONG == _bind_error(harness, endpoint).errno
    with pytest.raises(ZMQError, match=f"has {limit + 1} bytes, the system allows {limit}") as caught:
        harness.resolve(endpoint)
    assert errno.ENAMETOOLONG == caught.value.errno


@LINUX
def test_abstract_name_in_use_or_empty_raises(harness):
    """Abstract names clash like paths, and must not be empty."""
    name = f"ipc://@purezmq-test-{os.getpid()}"
    harness.listen(name)
    error = _bind_error(harness, name)
    assert errno.EADDRINUSE == error.errno
    assert "live socket" in str(error)
    error = _bind_error(harness, "ipc://@")
    assert errno.EINVAL == error.errno
    assert "abstract name" in str(error)


def test_check_connect_wildcard_raises_einval(harness):
    """'*' is made when binding; nobody can connect to it."""
    with pytest.raises(ZMQError, match="LAST_ENDPOINT") as caught:
        harness.resolve("ipc://*")
    assert errno.EINVAL == caught.value.errno


def test_needs_resolver_is_false():
    """A path needs no name server."""
    assert get_transport("ipc").needs_resolver(parse_endpoint("ipc://x")) is False


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ECONNREFUSED])
def test_connect_nobody_there_raises_oserror(harness, number):
    """A path that is missing or stale may be bound later: an OSError, worth a retry."""
    if number == errno.ECONNREFUSED:
        _make_stale("name")
    with pytest.raises(OSError, match="cannot connect to 'ipc://name'") as caught:
        harness.connect("ipc://name")
    assert number == caught.value.errno


def test_platform_without_unix_sockets_raises_eprotonosupport(harness, monkeypatch):
    """Where there are no Unix sockets the text says so and offers tcp."""
    monkeypatch.delattr(ipc.socket, "AF_UNIX")
    for call in (harness.listen, harness.resolve):
        with pytest.raises(ZMQError, match=r"no Unix domain sockets; use tcp://127\.0\.0\.1") as caught:
            call("ipc://name")
        assert errno.EPROTONOSUPPORT == caught.value.errno


def test_two_threads_racing_for_a_stale_file_one_wins(harness):
    """Whoever loses the race knows it: exactly one listens, the others get EADDRINUSE."""
    transport, endpoint, options = get_transport("ipc"), parse_endpoint("ipc://name"), harness.options()
    for _ in range(20):
        _make_stale("name")
        start, outcomes = threading.Barrier(4), []

        def bind(start=start, outcomes=outcomes):
            start.wait()
            try:
                outcomes.append(transport.listen(endpoint, options))
            except ZMQError as error:
                outcomes.append(error.errno)

        threads = [threading.Thread(target=bind) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [outcome for outcome in outcomes if not isinstance(outcome, int)]
        assert 1 == len(winners)
        assert [errno.EADDRINUSE] * 3 == [outcome for outcome in outcomes if isinstance(outcome, int)]
        harness.connect("ipc://name")
        winners[0].close()


def test_file_of_a_killed_process_is_replaced(harness):
    """kill -9 leaves the file; the next bind takes the name."""
    code = (
        "import os, signal; from purezmq.endpoint import parse_endpoint; from purezmq.options import SocketOptions;"
        "from purezmq.transports.ipc import IpcTransport;"
        "l = IpcTransport().listen(parse_endpoint('ipc://name'), SocketOptions()); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert os.path.exists("name")
    harness.pair("ipc://name")


def test_listen_lock_held_by_a_stranger_binds_all_the_same(harness, monkeypatch):
    """A stranger who holds the directory's lock for ever delays a bind, and does not prevent it."""
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(ipc, "_LOCK_TRIES", 2)
    monkeypatch.setattr(ipc, "_LOCK_PAUSE", 0.0)
    descriptor = os.open(".", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        harness.pair("ipc://name")
    finally:
        os.close(descriptor)


def test_listen_filesystem_without_locks_binds_all_the_same(harness, monkeypatch):
    """A filesystem that knows no flock is no obstacle."""
    fcntl = pytest.importorskip("fcntl")

    def flock(descriptor, operation):
        raise OSError(errno.ENOTSUP, "no locks here")

    monkeypatch.setattr(fcntl, "flock", flock)
    harness.pair("ipc://name")


def test_listen_path_taken_over_meanwhile_raises_eaddrinuse(harness, monkeypatch):
    """A foreign program that steals the path while it is bound is noticed."""
    answers = iter([(1, 1), (1, 2)])
    monkeypatch.setattr(ipc, "_inode_of", lambda path: next(answers))
    error = _bind_error(harness, "ipc://name")
    assert errno.EADDRINUSE == error.errno
    assert "took the path over" in str(error)


@pytest.mark.parametrize("vanishes", [True, False])
def test_remove_stale_file_that_changed_meanwhile_is_not_removed(harness, monkeypatch, vanishes):
    """Only the very inode that was tested is removed; one that vanished is as good."""
    _make_stale("name")
    if vanishes:
        monkeypatch.setattr(ipc.os, "lstat", lambda path: (_ for _ in ()).throw(FileNotFoundError))
        ipc._remove_stale("name")
    else:
        monkeypatch.setattr(ipc, "_inode_of", lambda path: (0, 0))
        with pytest.raises(OSError, match="bound it meanwhile"):
            ipc._remove_stale("name")
    assert os.path.exists("name")


@LINUX
def test_peer_address_tells_user_group_and_process(harness):
    """Metadata of an ipc peer ends in uid, gid and pid; nothing is told after close."""
    _, client, server = harness.pair("ipc://name")
    expected = f"localhost:{os.getuid()}:{os.getgid()}:{os.getpid()}"
    assert expected == client.peer_address == server.peer_address
    client.close()
    assert "" == client.peer_address


def test_peer_address_elsewhere_is_empty(harness, monkeypatch):
    """Where the system does not tell who the peer is, nobody is guessed."""
    monkeypatch.delattr(ipc.socket, "SO_PEERCRED", raising=False)
    _, client, _ = harness.pair("ipc://name")
    assert "" == client.peer_address


@LINUX
@pytest.mark.parametrize(
    ("options", "admitted"),
    [
        ({"ipc_filter_uid": (-2, os.getuid())}, True),
        ({"ipc_filter_gid": (os.getgid(),)}, True),
        ({"ipc_filter_pid": (os.getpid(),)}, True),
        ({"ipc_filter_pid": (-2,), "ipc_filter_uid": (os.getuid(),)}, True),
        ({"ipc_filter_pid": (-2,)}, False),
        ({"ipc_filter_uid": (-2,), "ipc_filter_gid": (-3,)}, False),
    ],
)
def test_filters_admit_a_peer_that_any_of_them_names(harness, options, admitted):
    """With filters set a peer must match one of them; the refused one is closed."""
    listener = harness.listen("ipc://name", **options)
    client = harness.connect("ipc://name")
    harness.wait(listener)
    stream = listener.try_accept()
    assert admitted is (stream is not None)
    if stream is not None:
        harness.keep(stream)
        return
    harness.wait(client)
    assert b"" == client.try_read(1)


@LINUX
def test_filter_gid_admits_members_of_the_group(monkeypatch):
    """A supplementary group counts: the user is looked up in the group's members; unknown numbers are nobody's."""
    import grp
    import pwd

    names = {1: "ann", 2: "bob"}
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: pwd.struct_passwd((names[uid], "", uid, 0, "", "", "")))
    groups = {70: ["ann"]}
    monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group(("g", "", gid, groups[gid])))
    assert ipc._is_member(1, frozenset((69, 70)))
    assert not ipc._is_member(2, frozenset((70,)))
    assert not ipc._is_member(3, frozenset((70,)))


@LINUX
def test_filter_gid_that_no_group_can_have_admits_nobody():
    """A number out of range is nobody's group, not a crash."""
    assert not ipc._is_member(0, frozenset((-3, 1 << 70)))


def test_filters_without_credentials_refuse(harness):
    """Filters that cannot be checked let nobody in."""
    assert ipc._Filters(harness.options(ipc_filter_uid=(0,))).admits(None) is False


def test_listen_use_fd_adopts_and_keeps_the_file(harness, directory):
    """A bound socket from outside is taken over; its file is not ours to remove."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind("given")
    listener, _, _ = harness.pair("ipc://name", "ipc://given", use_fd=sock.detach())
    assert "ipc://given" == listener.endpoint
    listener.close()
    assert (directory / "given").exists()


@LINUX
def test_listen_use_fd_abstract_and_unnamed_tell_their_endpoint(harness):
    """LAST_ENDPOINT of an adopted abstract socket is @name; without a name it is what was asked for."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    assert "ipc://asked" == ipc._endpoint_of(sock, parse_endpoint("ipc://asked"))
    name = f"purezmq-test-fd-{os.getpid()}"
    sock.bind("\0" + name)
    assert f"ipc://@{name}" == harness.listen("ipc://x", use_fd=sock.detach()).endpoint


def test_buffers_reach_the_system(harness):
    """SNDBUF and RCVBUF are set on what connects."""
    _, client, _ = harness.pair("ipc://name", sndbuf=40000, rcvbuf=50000)
    assert client.sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) >= 40000
    assert client.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 50000
