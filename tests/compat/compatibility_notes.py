"""What the compatibility table can't find out by looking: where purezmq is better, and what makes no sense without C.

Keys are pyzmq's names; a name that is not in pyzmq, or an entry that is no longer needed, fails the test of the table.
"""

from __future__ import annotations

__all__ = ["LATER_MODULES", "LATER_OPTIONS", "MODULE_NOTES", "NOTES", "OPTION_NOTES"]

BETTER, NOT_APPLICABLE = "better", "not applicable"

#: Modules that belong to a later issue, with its subject.
LATER_MODULES: dict[str, str] = {}

_NO_C = "there is no C; importing it is an ImportError that says so"

#: Modules that are not compared name by name.
MODULE_NOTES = {
    "zmq.backend.cffi": (NOT_APPLICABLE, _NO_C),
    "zmq.backend.cython": (NOT_APPLICABLE, _NO_C),
}

NOTES = {
    "zmq.__version__": (
        "same",
        "purezmq's own version in a program that imports purezmq; pyzmq's (27.3.0) once purezmq is installed as zmq",
    ),
    "zmq.get_includes": (NOT_APPLICABLE, "no C headers: NotImplementedError says so"),
    "zmq.get_library_dirs": (NOT_APPLICABLE, "no libzmq: NotImplementedError says so"),
    "zmq.eventloop.future.Context.io_loop": (
        NOT_APPLICABLE,
        "always None in pyzmq; left out",
    ),
    "zmq.green.core.TIMEOS": (NOT_APPLICABLE, "the numbers of RCVTIMEO and SNDTIMEO, for pyzmq's own code"),
    "zmq.zmq_errno": (NOT_APPLICABLE, "errors are exceptions that carry their number; always 0"),
    "zmq.curve_keypair": ("same", "needs PyNaCl (extra `curve`); ENOTSUP without it"),
    "zmq.curve_public": ("same", "needs PyNaCl (extra `curve`); ENOTSUP without it"),
    "zmq.auth.certs.create_certificates": (
        BETTER,
        "the secret file is its owner's (0600) whatever the umask, and files that are there are kept; `overwrite=`",
    ),
    "zmq.auth.certs.load_certificate": (BETTER, "warns of a secret that others may read"),
    "zmq.auth.base.Authenticator.handle_zap_message": (
        BETTER,
        "a callback that raises refuses its peer, and the next one is answered; no secret is logged",
    ),
    "zmq.auth.thread.ThreadAuthenticator": (BETTER, "the end of its context ends it"),
    "zmq.Context": (BETTER, "usable after `fork()`: the child's is closed, and `instance()` is a new one"),
    "zmq.Context.shadow": ("same", "an address is that of another purezmq context; one of libzmq's is an error"),
    "zmq.Context.shadow_pyczmq": (NOT_APPLICABLE, "pyczmq is C; an error says so"),
    "zmq.Context.underlying": ("same", "a number for `shadow`, no pointer"),
    "zmq.Socket": (BETTER, "any thread may use it; `recv_many`, `send_many`, `timeout=` and waiting for peers besides"),
    "zmq.Socket.shadow": ("same", "an address is that of another purezmq socket; one of libzmq's is an error"),
    "zmq.Socket.underlying": ("same", "a number for `shadow`, no pointer"),
    "zmq.Socket.close": (BETTER, "a thread that waits in the socket gets ENOTSOCK; pyzmq's process ends"),
    "zmq.Socket.send_multipart": (BETTER, "one step: messages of two threads don't mix"),
    "zmq.DraftFDWarning": (BETTER, "never raised: FD works on every socket"),
    "zmq.devices.monitored_queue": (BETTER, "moves batches; never stalls one direction by the other"),
    "zmq.log.handlers.PUBHandler.emit": (BETTER, "levels of a program's own and texts that are objects are sent, too"),
    "zmq.log.handlers.PUBHandler.setFormatter": (BETTER, "None restores the first formats; pyzmq loses every record"),
    "zmq.ssh.tunnel.paramiko_tunnel": (BETTER, "refuses a server whose key is not known, as OpenSSH does"),
    "zmq.ssh.tunnel.openssh_tunnel": (BETTER, "fails when the port can't be forwarded"),
    "zmq.log.__main__.main": (BETTER, "control characters are shown as escapes; colours need no package"),
    "zmq.utils.garbage.GarbageCollectorThread": (NOT_APPLICABLE, "nothing has to be collected, so there is no thread"),
    "zmq.utils.garbage.GarbageCollector": (
        NOT_APPLICABLE,
        "keeps what it gets until `stop`; nothing here needs it",
    ),
    "zmq.utils.win32.allow_interrupt": ("same", "Ctrl-C ends a wait without it, too"),
    **{
        f"zmq.log.handlers.TopicLogger.{name}": (BETTER, "works; pyzmq's raises TypeError")
        for name in ("debug", "info", "warn", "warning", "error", "exception", "critical", "fatal")
    },
}

#: Options that are there and whose effect belongs to a later issue.
LATER_OPTIONS: dict[str, str] = {}

#: Options that do more than libzmq's.
OPTION_NOTES: dict[str, tuple[str, str]] = dict.fromkeys(
    ("CURVE_SERVER", "CURVE_PUBLICKEY", "CURVE_SECRETKEY", "CURVE_SERVERKEY"),
    (BETTER, "bind and connect refuse an incomplete or contradictory setup; needs PyNaCl (extra `curve`)"),
)
