"""bind, connect, unbind, disconnect: the endpoints of one socket. Everything here needs the lease."""

from __future__ import annotations

import sys
from errno import ENOENT

from purezmq.constants import EINVAL, EMTHREAD, ENOCOMPATPROTO, Event
from purezmq.endpoint import parse_endpoint
from purezmq.engine.dialer import Dialer
from purezmq.engine.fence import is_of_system
from purezmq.engine.inproc import connect_inproc, pair_up
from purezmq.engine.listener import Listener
from purezmq.error import ZMQError, make_error
from purezmq.transports.registry import get_transport, is_datagram_scheme
from purezmq.wire.config import ConnectionConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.endpoint import Endpoint
    from purezmq.engine.inproc import InprocLink
    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.pipe import Pipe
    from purezmq.transports.base import Transport

__all__ = ["Endpoints"]

_INPROC = "inproc://"
#: Socket types and the only schemes they speak (behaviour notes C.1); the others speak all.
_ONLY_TCP = "STREAM"
_ONLY_DATAGRAMS = "DGRAM"
#: Socket types that speak datagrams, and whether they bind them (and so receive) or connect them (and so send).
_BINDS_DATAGRAMS = {"DISH": True, "DGRAM": True, "RADIO": False}


class Endpoints:
    """The endpoints of one socket, by the text the application gave and by the resolved one.

    Attributes:
        last: the resolved text of the last bind or connect (LAST_ENDPOINT).
    """

    __slots__ = ("_inproc_bound", "_inproc_connected", "engine", "last")

    def __init__(self, engine: SocketEngine) -> None:
        self.engine = engine
        self.last = ""
        self._inproc_bound: list[str] = []
        self._inproc_connected: list[tuple[str, InprocLink]] = []

    def bind(self, text: str, overflow: str = "") -> None:
        """Listen on an endpoint.

        Raises:
            ZMQError: EINVAL, ENOTSUP, EPROTONOSUPPORT, ENOCOMPATPROTO, EADDRINUSE, EADDRNOTAVAIL, ENODEV,
                EMTHREAD ...
        """
        engine = self.engine
        endpoint = parse_endpoint(text)
        self._check_datagrams(endpoint, bound=True)
        if endpoint.scheme == "inproc":
            self._bind_inproc(endpoint.address, overflow)
            self.last = text
            return
        self._check_scheme(endpoint)
        if is_datagram_scheme(endpoint.scheme):
            self._open_datagram(endpoint, text, overflow, bound=True)
            return
        transport = _find_transport(endpoint)
        config = _make_config(engine)  # before anybody can connect
        self._prepare_loop()
        try:
            stream_listener = transport.listen(endpoint, engine.options)
        except ZMQError as error:
            engine.emit(Event.BIND_FAILED, error.errno or 0, text, error=str(error))
            raise
        listener: Listener | None = None
        try:
            listener = Listener(engine, stream_listener, text, config, overflow)
            listener.start()
            engine.listeners.append(listener)
        except BaseException as error:
            engine.listeners[:] = [one for one in engine.listeners if one.stream_listener is not stream_listener]
            if listener is not None:
                listener.abandon()
            stream_listener.close()
            if not isinstance(error, OSError) or not is_of_system(error):  # a signal handler's: this was no bind
                raise
            engine.emit(Event.BIND_FAILED, error.errno or 0, text, error=str(error))
            raise make_error(error.errno or EINVAL, f"cannot bind '{endpoint}': {error.strerror}") from error
        self.last = listener.endpoint
        engine.emit(Event.LISTENING, listener.fd, listener.endpoint, listener)
        if config.mechanism != "CURVE" and "logging" in sys.modules:
            from purezmq.engine.exposure import is_exposed, warn_of_bind  # who doesn't log pays nothing

            if is_exposed(listener.endpoint):
                warn_of_bind(engine, listener)

    def connect(
        self, text: str, routing_id: bytes = b"", overflow: str = "", *, is_awaited: bool = False
    ) -> Dialer | InprocLink | None:
        """Connect to an endpoint; the connection is made, and made again when lost, in the background.

        Args:
            text: the endpoint.
            routing_id: CONNECT_ROUTING_ID.
            overflow: the overflow policy of this peer, instead of the socket's.
            is_awaited: nothing shall be queued for the peer before the connection is there for the first time.

        Returns:
            What connects; None for datagrams, where nothing does.

        Raises:
            ZMQError: EINVAL, ENOTSUP, EPROTONOSUPPORT, ENOCOMPATPROTO, EMTHREAD.
        """
        engine = self.engine
        endpoint = parse_endpoint(text)
        self._check_datagrams(endpoint, bound=False)
        if engine.pattern.single_connect and (known := self.find_connector(text)) is not None:
            return known
        if endpoint.scheme == "inproc":
            link = self._connect_inproc(endpoint.address, routing_id, overflow)
            self.last = text
            return link
        self._check_scheme(endpoint)
        if is_datagram_scheme(endpoint.scheme):
            self._open_datagram(endpoint, text, overflow, bound=False)
            return None
        transport = _find_transport(endpoint)
        if engine.options.socks_proxy and endpoint.scheme == "tcp":
            from purezmq.transports.socks import SocksTransport

            transport = SocksTransport(transport)
        transport.check_connect(endpoint, engine.options)
        self._prepare_loop()
        dialer = Dialer(engine, endpoint, transport, engine.options.copy(), _make_config(engine))
        dialer.routing_id = routing_id
        dialer.session.overflow = overflow
        try:
            engine.dialers.append(dialer)
            if not engine.options.immediate and not engine.is_raw() and not is_awaited:
                engine.attach(engine.queues.make_pipe(dialer.session, routing_id))
            dialer.start()
        except BaseException:  # a signal handler's: this was no connect
            _let_forget(dialer.session.pipe)
            self.withdraw(dialer)
            if not dialer.closed:
                dialer.start()  # another thread has sent something meanwhile
            raise
        self.last = text
        return dialer

    def _bind_inproc(self, name: str, overflow: str) -> None:
        engine = self.engine
        registry = engine.context.inproc
        is_new = registry.find(name) is not engine
        try:
            registry.bind(name, engine)
            engine.queues.bound_overflow[name] = overflow
            for link in registry.find_waiting(name):
                if link.peer is None and not link.pipe.ended:  # else an earlier bind was interrupted right behind it
                    pair_up(link, engine)
                registry.forget(name, link)
            self._inproc_bound.append(name)
        except BaseException:
            if is_new:  # a signal handler's: this was no bind; who has no other end yet waits on
                registry.unbind(name, engine)
            raise

    def _connect_inproc(self, name: str, routing_id: bytes, overflow: str) -> InprocLink:
        engine = self.engine
        try:
            link = connect_inproc(engine, name, routing_id, overflow)
            self._inproc_connected.append((name, link))
        except BaseException:  # a signal handler's: this was no connect
            known = {id(entry[1]) for entry in self._inproc_connected}
            for link in [one for one in engine.links if not one.accepted and id(one) not in known]:
                self._end_link(link)
            raise
        return link

    def _check_datagrams(self, endpoint: Endpoint, *, bound: bool) -> None:
        """Raise ENOCOMPATPROTO where the socket's type and the scheme do not fit, in this role."""
        type_name = self.engine.pattern.type_name
        if is_datagram_scheme(endpoint.scheme):
            if _BINDS_DATAGRAMS.get(type_name) != bound:
                how = "bind" if bound else "connect"
                raise make_error(
                    ENOCOMPATPROTO,
                    f"a {type_name} socket can't {how} '{endpoint}': DISH and DGRAM bind udp endpoints, RADIO connects",
                )
        elif type_name == _ONLY_DATAGRAMS:
            raise make_error(ENOCOMPATPROTO, f"a DGRAM socket speaks udp only, not {endpoint.scheme}")

    def _open_datagram(self, endpoint: Endpoint, text: str, overflow: str, *, bound: bool) -> None:
        from purezmq.engine.datagram import open_datagram

        self._prepare_loop()
        self.last = open_datagram(self.engine, endpoint, text, overflow, bound=bound)

    def _end_datagram(self, text: str, *, bound: bool) -> None:
        from purezmq.engine.datagram import end_datagram

        end_datagram(self.engine, text, bound=bound)

    def _check_scheme(self, endpoint: Endpoint) -> None:
        engine = self.engine
        if engine.pattern.type_name == _ONLY_TCP and endpoint.scheme != "tcp":
            raise make_error(ENOCOMPATPROTO, f"a STREAM socket speaks tcp only, not {endpoint.scheme}")
        if (engine.options.mechanism or engine.options.zap_domain) and (
            is_datagram_scheme(endpoint.scheme) or engine.is_raw()
        ):
            # Failing closed: nobody who asked for security gets a connection without it.
            how = endpoint.scheme if is_datagram_scheme(endpoint.scheme) else "a raw socket"
            text = f"cannot use '{endpoint}': {how} knows no handshake, and so no security; unset the security options"
            raise make_error(EINVAL, text)
        if engine.context.io_thread_count == 0:
            raise make_error(EMTHREAD, "the context has no I/O thread (IO_THREADS 0): only inproc works in it")

    def find_connector(self, text: str) -> Dialer | InprocLink | None:
        """What connects to an endpoint already."""
        if text.startswith(_INPROC):
            self._inproc_connected = [entry for entry in self._inproc_connected if not entry[1].pipe.ended]
            for name, link in self._inproc_connected:
                if _INPROC + name == text:
                    return link
            return None
        return self._find_dialer(text)

    def _find_dialer(self, text: str) -> Dialer | None:
        # No generator: what a signal handler raises at the end of one is lost.
        for dialer in self.engine.dialers:
            if dialer.text == text and not dialer.session.ending:  # else it only goes on for what is queued
                return dialer
        return None

    def withdraw(self, connector: Dialer | InprocLink) -> None:
        """Undo one `connect`, whose caller waited in vain."""
        engine = self.engine
        if not isinstance(connector, Dialer):
            self.disconnect_pipe(connector.pipe)
        elif connector.session.pipe is None:  # it was never connected: nothing is queued
            session = connector.session
            engine.forget_dialer(connector)
            session.dialer = None
            session.close_stream(None)
        elif connector in engine.dialers:
            self._end_dialer(connector)

    def _end_dialer(self, dialer: Dialer) -> None:
        """As the engine does; to its end also where a signal handler raises in the midst."""
        engine = self.engine
        try:
            engine.end_dialer(dialer)
        except BaseException:
            _let_forget(dialer.session.pipe)
            engine.end_dialer(dialer)
            raise

    def _end_link(self, link: InprocLink) -> None:
        """End a connection over inproc; to its end also where a signal handler raises in the midst."""
        engine = self.engine
        try:
            link.close()
            engine.detach(link.pipe)
        except BaseException:
            link.close()
            _let_forget(link.pipe)
            engine.detach(link.pipe)
            raise

    def describe(self) -> list[str]:
        """The endpoints that the socket is bound or connected to."""
        names = [*self._inproc_bound, *(name for name, _ in self._inproc_connected)]
        engine = self.engine
        texts = [listener.endpoint for listener in engine.listeners] + [dialer.text for dialer in engine.dialers]
        return [*texts, *(_INPROC + name for name in names)]

    def _prepare_loop(self) -> None:
        """Choose the socket's I/O thread, and have it run before there is anything that needs it.

        AFFINITY decides on the first endpoint that needs a thread; a socket stays with its thread.

        Raises:
            ZMQError: EMTHREAD: AFFINITY names no thread, or the system has none left.
        """
        engine = self.engine
        if (
            engine.options.affinity
            and engine.leadership.selector is None
            and not engine.listeners
            and not engine.dialers
        ):
            loop = engine.context.loops.choose(engine.options.affinity)
            engine.loop.load -= 1
            engine.loop = engine.leadership.loop = loop
        try:
            engine.loop.start()
        except RuntimeError as error:
            raise make_error(EMTHREAD, f"no I/O thread can be started ({error}): the system has none left") from error

    def unbind(self, text: str) -> None:
        """Stop listening and end the connections that came by this endpoint; the address is free on return.

        Raises:
            ZMQError: ENOENT: the socket is not bound to it.
        """
        engine = self.engine
        endpoint = parse_endpoint(text)
        if endpoint.scheme == "inproc":
            if endpoint.address in self._inproc_bound:
                self._inproc_bound.remove(endpoint.address)
                engine.context.inproc.unbind(endpoint.address, engine)
                return
            raise _not_found("bound", text)
        if is_datagram_scheme(endpoint.scheme):
            self._end_datagram(text, bound=True)
            return
        for listener in engine.listeners:
            if text in (listener.endpoint, listener.text):
                listener.close()
                for session in list(engine.sessions.values()):
                    if session.dialer is None and session.endpoint == listener.endpoint:
                        engine.end_session(session)
                engine.listeners.remove(listener)  # last: who is interrupted comes once more
                return
        raise _not_found("bound", text)

    def disconnect(self, text: str) -> None:
        """End a connection made by `connect`; what is queued to it leaves for as long as LINGER allows.

        Raises:
            ZMQError: ENOENT: the socket is not connected to it.
        """
        endpoint = parse_endpoint(text)
        if endpoint.scheme == "inproc":
            for entry in self._inproc_connected:
                if entry[0] == endpoint.address:
                    self._end_link(entry[1])
                    self._inproc_connected.remove(entry)  # last: who is interrupted comes once more
                    return
            raise _not_found("connected", text)
        if is_datagram_scheme(endpoint.scheme):
            self._end_datagram(text, bound=False)
            return
        dialer = self._find_dialer(text)
        if dialer is None:
            raise _not_found("connected", text)
        self._end_dialer(dialer)

    def disconnect_pipe(self, pipe: Pipe) -> None:
        """End the connection to one peer, whichever side made it; what is queued to it leaves for as long as LINGER."""
        engine = self.engine
        carrier = pipe.carrier
        if getattr(carrier, "is_direct", False):
            self._end_link(carrier)
            self._inproc_connected = [entry for entry in self._inproc_connected if entry[1] is not carrier]
        elif carrier.dialer is not None:
            self._end_dialer(carrier.dialer)
        else:
            engine.end_session(carrier)

    def close(self) -> None:
        """Free the inproc names."""
        for name in self._inproc_bound:
            self.engine.context.inproc.unbind(name, self.engine)
        self._inproc_bound.clear()


def _find_transport(endpoint: Endpoint) -> Transport:
    try:
        return get_transport(endpoint.scheme)
    except ZMQError as error:
        raise make_error(error.errno or 0, f"cannot use '{endpoint}': {error}") from None


def _let_forget(pipe: Pipe | None) -> None:
    """Coming or going was interrupted: the pattern may know the pipe yet, or in part, and shall forget it for good."""
    if pipe is not None:
        pipe.attached = True


def _not_found(how: str, text: str) -> ZMQError:
    return make_error(ENOENT, f"this socket is not {how} to '{text}'; LAST_ENDPOINT tells the resolved text of a bind")


def _make_config(engine: SocketEngine) -> ConnectionConfig:
    """Settings for the connections of an endpoint, as the options are now.

    Raises:
        ZMQError: EINVAL, ENOTSUP: see `make_security`.
    """
    options, pattern = engine.options, engine.pattern
    security: dict[str, Any] = {}
    if options.mechanism or options.zap_domain or options.admission is not None:
        from purezmq.engine.security import make_security  # a socket without security pays nothing

        security = make_security(options)
    return ConnectionConfig(
        pattern.type_name,
        pattern.peer_types,
        routing_id=options.routing_id if pattern.sends_routing_id else b"",
        metadata=tuple(options.metadata),
        max_message_size=options.maxmsgsize,
        max_parts=options.max_parts,
        max_multipart_bytes=options.max_multipart_bytes,
        greeting_timeout=options.greeting_ivl_s,
        handshake_timeout=options.handshake_ivl_s,
        heartbeat_interval=options.heartbeat_ivl_s,
        heartbeat_timeout=options.heartbeat_timeout_s,
        heartbeat_ttl=options.heartbeat_ttl_s,
        read_batch=options.in_batch,
        write_batch=options.out_batch,
        **security,
    )
