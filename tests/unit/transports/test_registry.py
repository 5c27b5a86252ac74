"""Which transport serves which scheme."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest

from purezmq.error import ZMQError
from purezmq.transports import registry
from purezmq.transports.base import Transport
from purezmq.transports.registry import get_transport, known_schemes, register_transport


@pytest.mark.parametrize("scheme", ["tcp", "ipc"])
def test_get_transport_known_scheme_returns_the_same_object(scheme):
    """A transport is made once and knows its scheme."""
    transport = get_transport(scheme)
    assert scheme == transport.scheme
    assert transport is get_transport(scheme)


def test_get_transport_unknown_scheme_raises_eprotonosupport_naming_known_ones():
    """A scheme that nobody serves is EPROTONOSUPPORT, with the schemes that are served."""
    with pytest.raises(ZMQError) as caught:
        get_transport("foo")
    assert errno.EPROTONOSUPPORT == caught.value.errno
    for word in ("'foo'", "inproc", "ipc", "tcp"):
        assert word in str(caught.value)


def test_get_transport_upper_case_scheme_hints_at_lower_case():
    """Case matters, as in libzmq; the text says so."""
    with pytest.raises(ZMQError, match="write 'tcp'"):
        get_transport("TCP")


def test_register_transport_new_scheme_is_served_and_replaceable(monkeypatch):
    """A registered factory is called on first use; registering again replaces what it made."""
    monkeypatch.setattr(registry, "_factories", dict(registry._factories))
    monkeypatch.setattr(registry, "_transports", {})
    first, second = Transport(), Transport()
    register_transport("foo", lambda: first)
    assert "foo" in known_schemes()
    assert first is get_transport("foo")
    register_transport("foo", lambda: second)
    assert second is get_transport("foo")


def test_registry_import_leaves_transports_unloaded():
    """Importing purezmq loads the inproc names and no other transport: import time has a bar."""
    code = (
        "import sys, purezmq.transports.registry as r; r.known_schemes();"
        "print([m for m in sys.modules if m.startswith('purezmq.transports.')"
        " and not m.endswith(('.registry', '.inproc'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()


def test_transport_base_methods_are_left_to_the_transports():
    """The base class says what a transport must do, and does nothing itself."""
    transport = Transport()
    for call in (
        lambda: transport.listen(None, None),
        lambda: transport.check_connect(None, None),
        lambda: transport.needs_resolver(None),
        lambda: transport.resolve(None, None),
        lambda: transport.start_connect(None, None),
    ):
        with pytest.raises(NotImplementedError):
            call()
