"""pyzmq's small modules: what their functions give, the same as pyzmq's where the library under test is pyzmq."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest
from tests.support import IS_PUREZMQ, LIBRARY, library_module, purezmq_only, zmq

BACKEND_NAMES = ["zmq_version_info", "zmq_errno", "has", "strerror", "proxy", "Context", "Socket", "Frame"]

strtypes = library_module("utils.strtypes")


@pytest.mark.parametrize("name", BACKEND_NAMES)
def test_backend_names_are_there(name):
    """What third parties import from zmq.backend is there."""
    assert hasattr(library_module("backend"), name)


def test_select_backend_gives_what_a_backend_has():
    """select_backend looks the public names up in a module."""
    select = library_module("backend.select")
    found = select.select_backend(f"{LIBRARY}.backend" if IS_PUREZMQ else "zmq.backend.cython")
    assert {*select.public_api, "monitored_queue"} == set(found)


@pytest.mark.parametrize(("name", "error"), [("nothing.at.all", ImportError), ("json", AttributeError)])
def test_select_backend_of_something_else_raises(name, error):
    """A module that isn't there, or is no backend, is an error."""
    with pytest.raises(error):
        library_module("backend.select").select_backend(name)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("context", "Context"),
        ("socket", "Socket"),
        ("frame", "Frame"),
        ("poll", "Poller"),
        ("stopwatch", "Stopwatch"),
        ("tracker", "MessageTracker"),
        ("version", "zmq_version"),
    ],
)
def test_sugar_paths_lead_to_the_same_objects(module, name):
    """zmq.sugar's modules hold what zmq holds."""
    assert getattr(library_module(f"sugar.{module}"), name) is getattr(zmq, name)


def test_attribute_setter_maps_attributes_to_options():
    """A class that derives from AttributeSetter has options as attributes, and its own attributes."""

    class Options(library_module("sugar.attrsettr").AttributeSetter):
        values: dict[int, int] = {}  # noqa: RUF012 - an attribute of the class is the subject
        own = 0

        def set(self, option, value):
            self.values[option] = value

        def get(self, option):
            return self.values[option]

    options = Options()
    options.linger = 5
    options.own = 7
    assert (5, 5, 7) == (options.LINGER, options.values[zmq.LINGER], options.own)
    with pytest.raises(AttributeError):
        options.nothing = 1
    with pytest.raises(AttributeError):
        options.nothing  # noqa: B018 - reading it is the subject


def test_jsonapi_is_utf8_json():
    """dumps gives bytes, loads takes bytes and text."""
    jsonapi = library_module("utils.jsonapi")
    assert {"a": [1, "ü"]} == jsonapi.loads(jsonapi.dumps({"a": [1, "ü"]}))
    assert isinstance(jsonapi.dumps({}), bytes)
    assert b'{"a":1}' == jsonapi.dumps({"a": 1}, separators=(",", ":"))
    assert [1] == jsonapi.loads("[1]")


@pytest.mark.filterwarnings("ignore:zmq.utils.strtypes is deprecated")
@pytest.mark.parametrize("value", ["ü", "ü".encode()])
def test_strtypes_cast_both_ways(value):
    """Text and bytes become what is wanted; anything else is refused."""
    assert "ü".encode() == strtypes.cast_bytes(value) == strtypes.b(value) == strtypes.asbytes(value)
    assert "ü" == strtypes.cast_unicode(value) == strtypes.u(value)
    for cast in (strtypes.cast_bytes, strtypes.cast_unicode):
        with pytest.raises(TypeError):
            cast(3)


def test_strtypes_say_that_they_are_deprecated():
    """Using them warns."""
    with pytest.deprecated_call():
        strtypes.cast_bytes("x")


def test_interop_cast_takes_numbers_only():
    """A number is an address; text is none."""
    cast = library_module("utils.interop").cast_int_addr
    assert 5 == cast(5)
    with pytest.raises(ValueError, match="'x'"):
        cast("x")


def test_win32_allow_interrupt_is_a_context_manager():
    """It does nothing where nothing has to be done."""
    called = []
    with library_module("utils.win32").allow_interrupt(lambda: called.append(1)):
        pass
    assert [] == called


@purezmq_only("libzmq's thread calls it on Windows only")
def test_win32_allow_interrupt_calls_its_action_on_interrupt():
    """Ctrl-C in the block calls the action."""
    called = []
    with pytest.raises(KeyboardInterrupt), library_module("utils.win32").allow_interrupt(lambda: called.append(1)):
        raise KeyboardInterrupt
    assert [1] == called


@purezmq_only("its thread lets go when libzmq says so")
def test_garbage_collector_keeps_until_stopped():
    """What is stored is kept; stop lets it go and sets the events."""
    collector, event = library_module("utils.garbage").GarbageCollector(), threading.Event()
    assert not collector.is_alive()
    number = collector.store("object", event)
    assert "object" == collector.refs[number].obj
    assert collector.is_alive()
    collector.stop()
    assert event.is_set()
    assert ({}, False) == (collector.refs, collector.is_alive())


SECRET = b"JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"
PUBLIC = b"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"


@pytest.mark.parametrize("secret", [SECRET, SECRET.decode()])
def test_curve_public_is_libzmqs(secret):
    """The key pair of zmq_curve(7): text or bytes, the same public key."""
    assert PUBLIC == zmq.curve_public(secret)


def test_curve_keypair_belongs_together():
    """Public key first; each pair is new."""
    public, secret = zmq.curve_keypair()
    assert (40, 40) == (len(public), len(secret))
    assert public == zmq.curve_public(secret)
    assert public != zmq.curve_keypair()[0]


def test_curve_public_of_a_wrong_length_is_a_value_error():
    """A key is 40 characters long."""
    with pytest.raises(ValueError, match="40"):
        zmq.curve_public(b"short")


def test_curve_public_of_no_z85_is_einval():
    """A character that Z85 doesn't have."""
    with pytest.raises(zmq.ZMQError) as caught:
        zmq.curve_public(b"~" * 40)
    assert zmq.EINVAL == caught.value.errno


@purezmq_only("it always has its own cryptography")
def test_curve_without_pynacl_names_the_extra(monkeypatch):
    """Without PyNaCl making keys is ENOTSUP, and the text says what to install."""
    monkeypatch.setitem(sys.modules, "nacl", None)
    with pytest.raises(zmq.ZMQError, match=r"purezmq\[curve\]") as caught:
        zmq.curve_keypair()
    assert zmq.ENOTSUP == caught.value.errno


@pytest.mark.parametrize("words", [[], ["--secret", SECRET.decode()]])
def test_curve_keygen_prints_a_pair(words):
    """`python -m zmq.curve_keygen --json` prints both keys."""
    done = subprocess.run(
        [sys.executable, "-m", f"{LIBRARY}.curve_keygen", "--json", *words], capture_output=True, check=True, text=True
    )
    keys = json.loads(done.stdout)
    assert keys["public"].encode() == zmq.curve_public(keys["secret"])
    assert not words or PUBLIC.decode() == keys["public"]


@purezmq_only("it tells where libzmq's are")
@pytest.mark.parametrize("name", ["get_includes", "get_library_dirs"])
def test_folders_of_c_are_refused_with_a_reason(name):
    """A build against libzmq fails at once, with a text that says what to use."""
    with pytest.raises(NotImplementedError, match="pyzmq"):
        getattr(zmq, name)()
