"""The ipc transport: Unix domain sockets with a path, a temporary path (``*``) or an abstract name (``@name``, Linux).

Sources of the behaviour: libzmq's ``zmq_ipc(7)``. Deliberately different: a live socket is never taken over, a file
that is no socket is never deleted (libzmq unlinks whatever is there), and a listener removes its own file.

Who owns a path
---------------
A socket file does not die with its process, so a path that exists may be live, stale, or bound by somebody who has not
called ``listen`` yet; the last two look alike to ``connect`` (refused). Therefore bind, the test of what is there, its
removal and ``listen`` happen under an ``flock`` on the *directory*: no lock file is left behind, the kernel releases it
when a process dies, and threads exclude each other too because each opens the directory for itself.

* Two purezmq listeners racing for a stale file: one holds the lock from the test to ``listen``. The other then finds a
  file that answers, and gets EADDRINUSE.
* A foreign program (libzmq) does not take the lock and may unlink a live file: nobody can prevent that. The file is
  removed by us only if it is the very inode that was tested.
* A lock that cannot be had (a directory that may not be read, a filesystem without flock, a stranger who holds it for
  ever) does not stop the bind: after a bounded wait it goes on without. After ``listen`` the path is compared with the
  inode bound; a thief inside that window is seen, and the loser gets EADDRINUSE instead of a silent listener.

Closing compares inodes as well, and unlinks before it closes: an open socket keeps its inode's number from being used
again, so the comparison cannot be fooled by a new file.
"""

from __future__ import annotations

import errno as _errno
import os
import socket
import stat
import sys

from purezmq.error import make_error, strerror
from purezmq.native import close_descriptor, sleep
from purezmq.transports.base import (
    QUIET_SETTINGS,
    Address,
    PendingConnect,
    SocketStream,
    StreamListener,
    Transport,
    adopt_descriptor,
    begin_connect,
    close_quietly,
    set_options_quietly,
)
from purezmq.transports.native_socket import NativeSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.endpoint import Endpoint
    from purezmq.options import SocketOptions

    Inode = tuple[int, int]

__all__ = ["IPC_PATH_MAX_LEN", "IpcListener", "IpcPendingConnect", "IpcStream", "IpcTransport"]

# sockaddr_un.sun_path less its NUL: 108 bytes on Linux and Windows, 104 on macOS and the BSDs.
IPC_PATH_MAX_LEN = 107 if sys.platform in {"linux", "win32"} else 103

# How long a bind waits for others that bind in the same directory: each holds the lock for microseconds.
_LOCK_TRIES = 400
_LOCK_PAUSE = 0.0025  # seconds

# struct ucred: pid, uid, gid, each an int.
_UCRED_SIZE = 12


#: Bytes of send buffer that an ipc connection asks for unless SNDBUF is set.
_SEND_BUFFER = 1 << 20


class IpcStream(SocketStream):
    """A connected Unix stream. Both sides carry the listener's name: the connecting one has none of its own."""

    __slots__ = ()

    @property
    def local(self) -> str:
        """The listener's endpoint."""
        return self.remote

    @property
    def peer_address(self) -> str:
        """``"localhost:uid:gid:pid"`` of the process that connected or bound, as libzmq tells it.

        Empty where the platform does not tell, and once closed.
        """
        credentials = _peer_credentials(self.sock)
        if credentials is None:
            return ""
        pid, uid, gid = credentials
        return f"localhost:{uid}:{gid}:{pid}"


class IpcListener(StreamListener):
    """A listening Unix socket, which owns its file."""

    __slots__ = ("_path", "_inode", "_directory", "_filters")

    def __init__(
        self,
        sock: socket.socket,
        endpoint: str,
        options: SocketOptions,
        *,
        path: str | None = None,
        inode: Inode | None = None,
        directory: str | None = None,
        adopted: bool = False,
    ) -> None:
        super().__init__(sock, endpoint, adopted=adopted)
        # Absolute, because the process may change its directory before it closes.
        self._path = None if path is None else os.path.abspath(path)
        self._inode = inode
        self._directory = None if directory is None else os.path.abspath(directory)
        self._filters = _Filters(options)

    def admit(self, sock: socket.socket, peer: Any) -> SocketStream | None:
        """Make a stream of a peer, unless IPC_FILTER_PID, _UID or _GID are set and none names it."""
        if self._filters.active and not self._filters.admits(_peer_credentials(sock)):
            return None
        set_options_quietly(sock, QUIET_SETTINGS)
        return IpcStream(sock, self.endpoint)

    def close(self) -> None:
        """Remove the file, if it is still the one that was bound, and stop listening. Never raises.

        Once more it does what was left where a signal handler ended it. As long as the socket is open nobody else's
        file gets the number of its own.
        """
        path = self._path
        if path is not None and self.fileno() >= 0 and self._inode is not None and _inode_of(path) == self._inode:
            _unlink_quietly(path)
        super().close()
        if self._directory is not None:
            _rmdir_quietly(self._directory)
        self._path = self._directory = None

    def forget(self) -> None:
        """Close the descriptor in a forked child; the file stays, it is the parent's. Never raises."""
        self._path = self._directory = None
        super().forget()


class IpcPendingConnect(PendingConnect):
    """An ipc connection on its way; the kernel completes it at once."""

    __slots__ = ()
    delayed = False

    def open_stream(self, sock: socket.socket, peer: Any) -> SocketStream:
        """Make the stream."""
        set_options_quietly(sock, QUIET_SETTINGS)
        return IpcStream(sock, self.address.text)


class IpcTransport(Transport):
    """Makes ipc listeners and connections. It has no state."""

    __slots__ = ()

    scheme = "ipc"

    def listen(self, endpoint: Endpoint, options: SocketOptions) -> IpcListener:
        """Bind an endpoint and listen; with USE_FD >= 0, take over that descriptor (its file stays at close).

        Raises:
            ZMQError: EADDRINUSE: a live socket, or a file that is no socket, has that name. ENOENT: the directory does
                not exist. ENAMETOOLONG: the path has more bytes than the system allows. EINVAL: an empty abstract
                name. EPROTONOSUPPORT: no Unix sockets here. Others as the system says.
        """
        _check_platform(endpoint)
        if options.use_fd >= 0:
            sock = adopt_descriptor(endpoint, options, (socket.AF_UNIX,))
            return IpcListener(sock, _endpoint_of(sock, endpoint), options, adopted=True)
        directory = None
        path = endpoint.address
        try:
            if path == "*":
                directory = _make_directory()
                path = os.path.join(directory, "socket")
            return self._listen_at(path, endpoint, options, directory)
        except OSError as error:
            _rmdir_quietly(directory)
            raise make_error(error.errno or _errno.EINVAL, _describe_bind_failure(endpoint, path, error)) from error
        except BaseException:
            _rmdir_quietly(directory)
            raise

    def _listen_at(self, path: str, endpoint: Endpoint, options: SocketOptions, directory: str | None) -> IpcListener:
        """Bind a path or abstract name and listen; the system's errors come as OSError."""
        name = f"ipc://{path}"
        sockaddr = _sockaddr_of(path, name if directory is not None else str(endpoint))
        sock = NativeSocket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _set_buffers(sock, options)
            if _is_abstract(path):
                sock.bind(sockaddr)
                sock.listen(options.backlog)
                return IpcListener(sock, name, options)
            inode = _bind_path(sock, path, options.backlog, options.ipc_mode)
            return IpcListener(sock, name, options, path=path, inode=inode, directory=directory)
        except BaseException:
            close_quietly(sock)
            raise

    def check_connect(self, endpoint: Endpoint, options: SocketOptions) -> None:
        """Check an endpoint to connect to.

        Raises:
            ZMQError: EINVAL: ``*`` or an empty abstract name. ENAMETOOLONG. EPROTONOSUPPORT: no Unix sockets here.
        """
        _check_platform(endpoint)
        if endpoint.address == "*":
            raise make_error(
                _errno.EINVAL,
                "cannot connect to 'ipc://*': the path is made when binding; connect to the one that the listener's "
                "LAST_ENDPOINT tells",
            )
        _sockaddr_of(endpoint.address, str(endpoint))

    def needs_resolver(self, endpoint: Endpoint) -> bool:
        """Nothing to resolve: False."""
        return False

    def resolve(self, endpoint: Endpoint, options: SocketOptions) -> list[Address]:
        """Return the one address of the path or abstract name."""
        text = str(endpoint)
        return [Address(socket.AF_UNIX, _sockaddr_of(endpoint.address, text), None, text)]

    def start_connect(self, address: Address, options: SocketOptions) -> IpcPendingConnect:
        """Begin a connection.

        Raises:
            OSError: ENOENT: nobody has bound the path. ECONNREFUSED: nobody listens (any more). EAGAIN: the listener's
                backlog is full; try later, the kernel does not tell when.
        """
        sock = NativeSocket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _set_buffers(sock, options)
        except BaseException:
            close_quietly(sock)
            raise
        begin_connect(sock, address)
        return IpcPendingConnect(sock, address)


class _Filters:
    """IPC_FILTER_PID, _UID and _GID: a peer that any of them names is let in (libzmq's ``ipc_listener``)."""

    __slots__ = ("active", "_pids", "_uids", "_gids")

    def __init__(self, options: SocketOptions) -> None:
        self._pids = frozenset(options.ipc_filter_pid)
        self._uids = frozenset(options.ipc_filter_uid)
        self._gids = frozenset(options.ipc_filter_gid)
        self.active = bool(self._pids or self._uids or self._gids)

    def admits(self, credentials: tuple[int, int, int] | None) -> bool:
        """Tell whether a peer is let in; nobody is where the platform does not tell who it is."""
        if credentials is None:
            return False
        pid, uid, gid = credentials
        if uid in self._uids or gid in self._gids or pid in self._pids:
            return True
        return bool(self._gids) and _is_member(uid, self._gids)


def _is_member(uid: int, gids: frozenset[int]) -> bool:
    """Tell whether a user belongs to one of some groups; the credentials of a peer carry its main group only."""
    import grp
    import pwd

    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return False
    for gid in gids:
        try:
            if name in grp.getgrgid(gid).gr_mem:
                return True
        except (KeyError, OverflowError):  # no such group; a number that no group can have
            continue
    return False


def _peer_credentials(sock: socket.socket) -> tuple[int, int, int] | None:
    """Return pid, uid and gid of the peer, None where the platform does not tell."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED_SIZE)
    except OSError:
        return None
    pid, uid, gid = (int.from_bytes(raw[at : at + 4], sys.byteorder) for at in (0, 4, 8))
    return pid, uid, gid


def _check_platform(endpoint: Endpoint) -> None:
    if not hasattr(socket, "AF_UNIX"):
        raise make_error(
            _errno.EPROTONOSUPPORT,
            f"'{endpoint}': this Python has no Unix domain sockets; use tcp://127.0.0.1 and a port instead",
        )


def _is_abstract(path: str) -> bool:
    """Tell whether a name is abstract: ``@name`` on Linux; elsewhere that is a file like any other, as in libzmq."""
    return path.startswith("@") and sys.platform == "linux"


def _sockaddr_of(path: str, endpoint: str) -> bytes:
    """Return what bind and connect take.

    Raises:
        ZMQError: ENAMETOOLONG, or EINVAL for an abstract name that is empty.
    """
    raw = os.fsencode(path)
    if len(raw) > IPC_PATH_MAX_LEN:
        raise make_error(
            _errno.ENAMETOOLONG,
            f"the ipc path of '{endpoint}' has {len(raw)} bytes, the system allows {IPC_PATH_MAX_LEN}; "
            "use a shorter or a relative path, or an abstract name (ipc://@name, Linux)",
        )
    if not _is_abstract(path):
        return raw
    if raw == b"@":
        raise make_error(_errno.EINVAL, f"'{endpoint}': the abstract name after '@' is empty; write ipc://@name")
    return b"\0" + raw[1:]


def _endpoint_of(sock: socket.socket, endpoint: Endpoint) -> str:
    """Return the endpoint of an adopted socket."""
    name = os.fsdecode(sock.getsockname())
    if not name:
        return str(endpoint)
    return f"ipc://@{name[1:]}" if name.startswith("\0") else f"ipc://{name}"


def _set_buffers(sock: socket.socket, options: SocketOptions) -> None:
    settings = []
    # A unix socket becomes writable only when three quarters of its buffer are free, so with the small default buffer
    # sender and receiver take turns instead of overlapping. The system caps what is asked for.
    settings.append((socket.SOL_SOCKET, socket.SO_SNDBUF, options.sndbuf if options.sndbuf >= 0 else _SEND_BUFFER))
    if options.rcvbuf >= 0:
        settings.append((socket.SOL_SOCKET, socket.SO_RCVBUF, options.rcvbuf))
    set_options_quietly(sock, settings)


def _bind_path(sock: socket.socket, path: str, backlog: int, mode: int | None) -> Inode:
    """Bind a path and listen, in place of a stale socket file if there is one. See the head of this file.

    Args:
        sock: to bind.
        path: where.
        backlog: of the system's queue.
        mode: who may connect: permissions of the file, which has them before anybody can; None: what the umask says.

    Raises:
        OSError: EADDRINUSE: something that lives, or no socket, has that path. Others as the system says.
    """
    lock = _lock_directory(os.path.dirname(path) or ".")
    try:
        if mode is not None:
            _limit_mode(sock, mode)
        try:
            sock.bind(path)
        except OSError as error:
            if error.errno != _errno.EADDRINUSE:
                raise
            _remove_stale(path)
            sock.bind(path)
        inode = _inode_of(path)
        if inode is not None and mode is not None:
            _set_mode(path, inode, mode)
        sock.listen(backlog)
        if inode is None or _inode_of(path) != inode:
            raise OSError(_errno.EADDRINUSE, "another program took the path over while it was being bound")
        return inode
    finally:
        if lock is not None:
            close_descriptor(lock)


def _limit_mode(sock: socket.socket, mode: int) -> None:
    """Have bind make the file with no more permissions than these; on Linux, elsewhere the caller sets them later."""
    try:
        os.fchmod(sock.fileno(), mode)
    except (OSError, AttributeError):
        return


def _set_mode(path: str, inode: Inode, mode: int) -> None:
    """Give a file that was just bound its mode, where bind didn't. Fewer permissions than asked for will do.

    Raises:
        OSError: EPERM: it has more, and the file system lets nobody change that; the file is removed.
    """
    found = _mode_of(path, inode)
    if found in {None, mode}:
        return  # a file that is gone is seen behind listen
    try:
        _change_mode(path, inode, mode)
    except (OSError, NotImplementedError):  # what there is now decides
        pass
    found = _mode_of(path, inode)
    if found is not None and found & ~mode:
        _unlink_quietly(path)
        why = f"the file system gives it the mode {found:#o}, and not {mode:#o}"
        raise OSError(_errno.EPERM, f"{why}; set ipc_mode to None where that may be, or bind a path elsewhere")


def _mode_of(path: str, inode: Inode) -> int | None:
    """The permissions of a file; None if it's not there any more."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return stat.S_IMODE(found.st_mode) if (found.st_dev, found.st_ino) == inode else None


def _change_mode(path: str, inode: Inode, mode: int) -> None:
    """Change the mode of this very file: a link that somebody puts in its place meanwhile isn't followed.

    Raises:
        OSError: as the system says.
    """
    if hasattr(os, "O_PATH") and os.path.isdir("/proc/self/fd"):
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            opened = os.fstat(descriptor)
            if (opened.st_dev, opened.st_ino) == inode:
                os.chmod(f"/proc/self/fd/{descriptor}", mode)
        finally:
            close_descriptor(descriptor)
    elif os.chmod in os.supports_follow_symlinks:
        os.chmod(path, mode, follow_symlinks=False)
    else:
        os.chmod(path, mode)


def _remove_stale(path: str) -> None:
    """Remove a socket file that nobody listens behind.

    Raises:
        OSError: EADDRINUSE, the text says why: it is no socket, it lives, or that cannot be found out.
    """
    try:
        before = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(before.st_mode):
        raise OSError(_errno.EADDRINUSE, "a file that is no socket has that path, and is not deleted")
    with NativeSocket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # Non-blocking: a listener with a full backlog (EAGAIN) lives, however slow it is.
        probe.setblocking(False)
        answer = probe.connect_ex(path)
    if answer == _errno.ENOENT:
        return
    if answer != _errno.ECONNREFUSED:
        why = "a live socket listens there" if answer in {0, _errno.EAGAIN} else f"it answers: {strerror(answer)}"
        raise OSError(_errno.EADDRINUSE, why)
    if _inode_of(path) != (before.st_dev, before.st_ino):
        raise OSError(_errno.EADDRINUSE, "another program bound it meanwhile")
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _lock_directory(directory: str) -> int | None:
    """Take the lock of a directory; None if it cannot be had. Closing the descriptor releases it."""
    try:
        import fcntl

        descriptor = os.open(directory, os.O_RDONLY)
    except (ImportError, OSError):
        return None  # a missing directory is told by bind
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(_LOCK_PAUSE)
        except OSError:
            break
        else:
            return descriptor
    close_descriptor(descriptor)
    return None


def _inode_of(path: str) -> Inode | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _make_directory() -> str:
    """Make the directory of a wildcard's socket, for this user only, where libzmq makes it (else in the usual place).

    Raises:
        OSError: it cannot be made.
    """
    import tempfile

    base = os.environ.get("TMPDIR") or os.environ.get("TEMPDIR") or os.environ.get("TMP") or None
    return tempfile.mkdtemp(prefix="zmq-", dir=base)


def _unlink_quietly(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _rmdir_quietly(directory: str | None) -> None:
    if directory is not None:
        try:
            os.rmdir(directory)
        except OSError:
            pass


def _describe_bind_failure(endpoint: Endpoint, path: str, failure: OSError) -> str:
    """Return cause and cure of a failed bind."""
    number = failure.errno or _errno.EINVAL
    directory = os.path.dirname(path) or "."
    causes = {
        _errno.ENOENT: f"the directory {directory!r} does not exist; create it first",
        _errno.ENOTDIR: f"a part of {directory!r} is no directory; bind a path in a directory that exists",
        _errno.EACCES: f"this user may not write in {directory!r}; bind a path in a directory of this user",
        _errno.EPERM: "" if failure.strerror == strerror(_errno.EPERM) else failure.strerror,
        _errno.EROFS: f"{directory!r} is on a read-only file system; bind a path elsewhere",
        _errno.EMFILE: "this process has too many open files; raise its limit (ulimit -n) or close sockets",
        _errno.EADDRINUSE: (
            f"{'a live socket has that name' if _is_abstract(path) else failure.strerror}; close it or choose another"
        ),
    }
    cause = causes.get(number)
    reason = strerror(number)
    return f"cannot bind '{endpoint}': {reason}: {cause}" if cause else f"cannot bind '{endpoint}': {reason}"
