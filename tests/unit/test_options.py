"""Tests of the table of options and of the option values, against pyzmq where its libzmq knows the option."""

from __future__ import annotations

import inspect

import pytest
import zmq

from purezmq import constants
from purezmq.constants import ContextOption, SocketOption, SocketType
from purezmq.error import ZMQError
from purezmq.options import CONTEXT_OPTIONS, SOCKET_OPTIONS, ContextOptions, SocketOptions

NUMBERS = (-2, -1, 0, 1, 2, 3, 100, 255, 256, 65535, 2**31 - 1)
TEXTS = (b"", b"a", b"a" * 15, b"a" * 16, b"a" * 17, b"a" * 32, b"a" * 40, b"a" * 40 + b"\0", b"a" * 255, b"a" * 256)
METADATA = (b"X-a:b", b"X-a:b:c", b"a:b", b"x-a:b", b"X-a", b"X-:b", b"X-a:", b":b")
FILTERS = (b"127.0.0.1", b"10.0.0.0/8", b"", b"localhost")
# libzmq reads negative numbers below a tenth of a second as 0.
DIFFERENT = {("HEARTBEAT_TTL", -1), ("HEARTBEAT_TTL", -2)}
# Only the socket can say: XPUB takes SUBSCRIBE when XPUB_MANUAL is on.
MANUAL = {"SUBSCRIBE", "UNSUBSCRIBE"}
# Options that libzmq must be built with.
MISSING = {
    name
    for name in SocketOption.__members__
    if name.startswith(("GSSAPI_", "NORM_", "VMCI_", "WSS_"))
    or name
    in {
        "BLOCKY",
        "BUSY_POLL",
        "DISCONNECT_MSG",
        "HELLO_MSG",
        "HICCUP_MSG",
        "HWM",
        "IN_BATCH_SIZE",
        "OUT_BATCH_SIZE",
        "PRIORITY",
        "ROUTER_NOTIFY",
        "XSUB_VERBOSE_UNSUBSCRIBE",
    }
}
KNOWN = [option for option in SocketOption if option.name not in MISSING]
STORED = [spec for spec in SOCKET_OPTIONS.values() if not spec.computed]


@pytest.fixture(scope="module")
def context():
    """A context of pyzmq to compare with."""
    with zmq.Context() as context:
        yield context


def try_set(options, number, value):
    """Set an option of ours or of pyzmq's; return the errno, else None, and what is read back, else None."""
    try:
        options.set(number, value)
    except (ZMQError, zmq.ZMQError) as error:
        return error.errno, None
    try:
        return None, options.get(number)
    except (ZMQError, zmq.ZMQError):
        return None, None


def check_same(theirs, ours, number, value):
    """Set the same option on both sides and compare; what pyzmq can't read back is not compared."""
    expected_errno, expected = try_set(theirs, number, value)
    actual_errno, actual = try_set(ours, number, value)
    assert (number, value, expected_errno) == (number, value, actual_errno)
    if expected is not None and actual is not None:
        assert (number, value, expected) == (number, value, actual)


def values_to_try(option):
    """Values of the right type, at and beyond the borders."""
    if option.name == "METADATA":
        return METADATA
    if option.name == "TCP_ACCEPT_FILTER":
        return FILTERS
    if option._opt_type.value == "bytes":
        return TEXTS
    return [value for value in NUMBERS if (option.name, value) not in DIFFERENT]


@pytest.mark.parametrize("option", KNOWN, ids=lambda option: option.name)
def test_set_compared_with_libzmq_accepts_the_same(option, context):
    """Every value is accepted or refused, and read back, as by libzmq."""
    for value in values_to_try(option):
        with context.socket(zmq.REQ) as socket:
            check_same(socket, SocketOptions(SocketType.REQ), option, value)


@pytest.mark.parametrize("option", KNOWN, ids=lambda option: option.name)
def test_default_compared_with_libzmq_is_the_same(option, context):
    """Every socket type has libzmq's defaults, and refuses to read what libzmq refuses."""
    for socket_type in SocketType:
        with context.socket(socket_type) as socket:
            try:
                expected = socket.get(option)
            except zmq.ZMQError:
                expected = "refused"
            except RuntimeError:  # FD of the thread-safe types
                continue
        options = SocketOptions(socket_type)
        spec = SOCKET_OPTIONS[option]
        if spec.computed and option.name not in {"TYPE", "MECHANISM"}:
            fits = spec.applies_to is None or socket_type in spec.applies_to
            assert (expected != "refused") == (spec.readable and fits)
            continue
        if spec.kind == "bytes" and "KEY" in option.name:  # pyzmq can't read keys
            continue
        try:
            actual = options.get(option)
        except ZMQError:
            actual = "refused"
        assert (socket_type.name, expected) == (socket_type.name, actual)


@pytest.mark.parametrize("option", [option for option in KNOWN if option.name not in MANUAL], ids=lambda o: o.name)
def test_applies_to_compared_with_libzmq_is_the_same(option, context):
    """Every socket type takes the options that it takes in libzmq."""
    value = {"METADATA": b"X-a:b", "TCP_ACCEPT_FILTER": b"10.0.0.1"}.get(option.name)
    if value is None:
        value = b"a" * (40 if "CURVE" in option.name else 2) if option._opt_type.value == "bytes" else 1
    for socket_type in SocketType:
        with context.socket(socket_type) as socket:
            check_same(socket, SocketOptions(socket_type), option, value)


def test_table_covers_every_socket_option():
    """Each number of SocketOption has a row, but for the context's BLOCKY."""
    assert {int(option) for option in SocketOption} - {SocketOption.BLOCKY} == set(SOCKET_OPTIONS)


def test_table_covers_every_context_option():
    """Each number of ContextOption has a row, and so have the three that pyzmq keeps elsewhere."""
    assert {int(option) for option in ContextOption} | {10, constants.IPV6, constants.BLOCKY} == set(CONTEXT_OPTIONS)


@pytest.mark.parametrize("spec", STORED, ids=lambda spec: spec.name)
def test_attribute_is_declared_for_each_stored_option(spec):
    """Type checkers see each option as an attribute, and its default is the table's."""
    if spec.name in {"HWM", "IPV4ONLY"}:
        return
    declared = inspect.get_annotations(SocketOptions)[spec.name.lower()]
    default = getattr(SocketOptions(), spec.name.lower())
    assert default in (spec.default, ())
    assert {int: "int", bytes: "bytes", tuple: declared}[type(default)] == declared


def test_live_options_are_those_of_the_manual():
    """zmq_setsockopt(3) names the options that act on existing connections."""
    expected = {
        "SUBSCRIBE", "UNSUBSCRIBE", "LINGER", "ROUTER_HANDOVER", "ROUTER_MANDATORY", "PROBE_ROUTER", "XPUB_VERBOSE",
        "XPUB_VERBOSER", "REQ_CORRELATE", "REQ_RELAXED", "SNDHWM", "RCVHWM", "HWM",
    }  # fmt: skip
    assert expected == {spec.name for spec in SOCKET_OPTIONS.values() if spec.live}


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        (constants.SNDHWM, -5, "SNDHWM must be an integer >= 0 (0 = no limit), not -5"),
        (constants.LINGER, -2, "LINGER must be an integer >= -1 (milliseconds, -1 = for ever), not -2"),
        (constants.TCP_KEEPALIVE, 7, "TCP_KEEPALIVE must be an integer from -1 to 1"),
        (constants.IMMEDIATE, 2, "IMMEDIATE must be 0 or 1, not 2"),
        (constants.ROUTING_ID, b"", "ROUTING_ID must be 1..255 bytes, not 0 bytes"),
        (constants.SOCKS_PROXY, b"", "SOCKS_PROXY must be at least 1 byte, not 0 bytes"),
        (constants.ROUTER_MANDATORY, 1, "ROUTER_MANDATORY is an option of REP, ROUTER sockets, not of PUSH"),
        (constants.RCVMORE, 1, "RCVMORE is read-only"),
        (
            constants.RECONNECT_STOP,
            2**31,
            "RECONNECT_STOP must be an integer (a mask of ReconnectStop), not 2147483648",
        ),
        (999, 1, "unknown socket option 999"),
    ],
)
def test_set_wrong_value_raises_einval_naming_cause(option, value, text):
    """The error names the option, the value and what is allowed."""
    with pytest.raises(ZMQError) as caught:
        SocketOptions(SocketType.PUSH).set(option, value)
    assert constants.EINVAL == caught.value.errno
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        (constants.ROUTING_ID, "text"),
        (constants.ROUTING_ID, 5),
        (constants.ROUTING_ID, bytearray(b"a")),
        (constants.LINGER, "1"),
        (constants.LINGER, 1.5),
        (constants.LINGER, None),
        (constants.LINGER, b"1"),
        ("LINGER", 1),
    ],
)
def test_set_wrong_type_raises_type_error_as_pyzmq(option, value, context):
    """A value of a wrong type is a TypeError, here and in pyzmq."""
    with context.socket(zmq.PUSH) as socket, pytest.raises(TypeError):
        socket.set(option, value)
    with pytest.raises(TypeError):
        SocketOptions().set(option, value)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (constants.SUBSCRIBE, "SUBSCRIBE is write-only"),
        (constants.EVENTS, "EVENTS has no stored value"),
        (998, "unknown socket option 998"),
    ],
)
def test_get_unreadable_option_raises_einval(option, text):
    """What has no stored value can't be read here."""
    with pytest.raises(ZMQError, match=text) as caught:
        SocketOptions().get(option)
    assert constants.EINVAL == caught.value.errno


def test_check_computed_option_returns_value_and_stores_nothing():
    """A socket can check what it acts upon."""
    options = SocketOptions(SocketType.SUB)
    assert options.check(constants.SUBSCRIBE, b"topic") == b"topic"
    options.set(constants.SUBSCRIBE, b"topic")
    assert vars(options) == vars(SocketOptions(SocketType.SUB))


def test_set_stores_plain_int():
    """Enum members and bools become plain ints."""
    options = SocketOptions()
    options.set(constants.CONFLATE, True)
    options.set(constants.RECONNECT_STOP, constants.RECONNECT_STOP_CONN_REFUSED)
    assert (int, int) == (type(options.conflate), type(options.reconnect_stop))


def test_hwm_sets_both_directions():
    """HWM is SNDHWM and RCVHWM in one."""
    options = SocketOptions()
    options.set(constants.HWM, 7)
    assert (7, 7, 7) == (options.sndhwm, options.rcvhwm, options.get(constants.HWM))


def test_ipv4only_is_the_opposite_of_ipv6():
    """IPV4ONLY and IPV6 are one value."""
    options = SocketOptions()
    options.set(constants.IPV4ONLY, 0)
    assert (1, 0) == (options.ipv6, options.get(constants.IPV4ONLY))


def test_xpub_verbose_and_verboser_are_one_switch_with_three_positions():
    """VERBOSER includes VERBOSE, and each replaces the other, as in libzmq."""
    options = SocketOptions(SocketType.XPUB)
    positions = []
    for option, value in [("XPUB_VERBOSER", 1), ("XPUB_VERBOSE", 1), ("XPUB_VERBOSER", 0)]:
        options.set(SocketOption[option], value)
        positions.append((options.xpub_verbose, options.xpub_verboser))
    assert [(1, 1), (1, 0), (0, 0)] == positions


def test_xpub_manual_last_value_turns_manual_on():
    """MANUAL_LAST_VALUE includes MANUAL."""
    options = SocketOptions(SocketType.XPUB)
    options.set(constants.XPUB_MANUAL_LAST_VALUE, 1)
    assert (1, 1) == (options.xpub_manual, options.xpub_manual_last_value)


def test_metadata_set_twice_keeps_both_and_replaces_same_name():
    """Each METADATA adds a property; the same name again replaces its value."""
    options = SocketOptions()
    for value in (b"X-a:1", b"X-b:2", b"X-a:3"):
        options.set(constants.METADATA, value)
    assert (("X-b", b"2"), ("X-a", b"3")) == options.metadata


def test_filters_set_twice_keep_both():
    """A filter adds to those before it."""
    options = SocketOptions()
    options.set(constants.TCP_ACCEPT_FILTER, b"10.1.2.3/8")
    options.set(constants.TCP_ACCEPT_FILTER, b"::1")
    options.set(constants.IPC_FILTER_UID, 1)
    options.set(constants.IPC_FILTER_UID, 2)
    assert ((b"10.0.0.0/8", b"::1/128"), (1, 2)) == (options.tcp_accept_filter, options.ipc_filter_uid)


def test_curve_key_with_nul_is_stored_without():
    """A Z85 key may end in a NUL, as C programs give it."""
    options = SocketOptions()
    options.set(constants.CURVE_PUBLICKEY, b"a" * 40 + b"\0")
    assert b"a" * 40 == options.curve_publickey


@pytest.mark.parametrize(
    "steps",
    [
        [("PLAIN_SERVER", 1)],
        [("PLAIN_SERVER", 1), ("PLAIN_SERVER", 0)],
        [("PLAIN_SERVER", 1), ("PLAIN_USERNAME", b"me")],
        [("PLAIN_USERNAME", b"me"), ("CURVE_SERVER", 1)],
        [("CURVE_SERVER", 1), ("CURVE_SECRETKEY", b"a" * 40)],
        [("CURVE_SERVER", 1), ("CURVE_SERVERKEY", b"a" * 40)],
        [("PLAIN_SERVER", 1), ("CURVE_PUBLICKEY", b"a" * 40)],
        [("CURVE_SERVER", 0)],
    ],
    ids=str,
)
def test_mechanism_compared_with_libzmq_is_chosen_by_last_option(steps, context):
    """The mechanism and the role follow the options of security as in libzmq."""
    wanted = (constants.MECHANISM, constants.PLAIN_SERVER, constants.CURVE_SERVER)
    options = SocketOptions()
    with context.socket(zmq.DEALER) as socket:
        for name, value in steps:
            socket.set(SocketOption[name], value)
            options.set(SocketOption[name], value)
        expected = [socket.get(option) for option in wanted]
    assert expected == [options.get(option) for option in wanted]


def test_copy_is_independent():
    """A copy has the values of its time."""
    options = SocketOptions(SocketType.SUB)
    options.set(constants.SNDHWM, 5)
    copy = options.copy()
    options.set(constants.SNDHWM, 6)
    assert (5, 6, 0, SocketType.SUB) == (copy.sndhwm, options.sndhwm, copy.linger, copy.socket_type)


@pytest.mark.parametrize(
    ("attribute", "name", "value", "expected"),
    [
        ("linger", "linger_s", -1, None),
        ("linger", "linger_s", 1500, 1.5),
        ("linger", "linger_s", 0, 0.0),
        ("rcvtimeo", "rcvtimeo_s", -1, None),
        ("rcvtimeo", "rcvtimeo_s", 0, 0.0),
        ("sndtimeo", "sndtimeo_s", -1, None),
        ("sndtimeo", "sndtimeo_s", 250, 0.25),
        ("reconnect_ivl", "reconnect_ivl_s", 100, 0.1),
        ("reconnect_ivl", "reconnect_ivl_s", -1, 0.0),
        ("reconnect_ivl_max", "reconnect_ivl_max_s", 2000, 2.0),
        ("handshake_ivl", "handshake_ivl_s", 0, None),
        ("handshake_ivl", "handshake_ivl_s", 30000, 30.0),
        ("connect_timeout", "connect_timeout_s", 0, None),
        ("connect_timeout", "connect_timeout_s", 10, 0.01),
        ("heartbeat_ivl", "heartbeat_ivl_s", 0, None),
        ("heartbeat_ivl", "heartbeat_ivl_s", 500, 0.5),
        ("heartbeat_timeout", "heartbeat_timeout_s", 700, 0.7),
        ("heartbeat_ttl", "heartbeat_ttl_s", 300, 0.3),
    ],
)
def test_seconds_are_converted(attribute, name, value, expected):
    """The engine reads seconds, and None where there is no end."""
    options = SocketOptions()
    setattr(options, attribute, value)
    assert expected == getattr(options, name)


def test_heartbeat_timeout_unset_is_the_interval():
    """HEARTBEAT_TIMEOUT defaults to HEARTBEAT_IVL."""
    options = SocketOptions()
    options.set(constants.HEARTBEAT_IVL, 1200)
    assert 1.2 == options.heartbeat_timeout_s


def test_spec_repr_names_option_and_range():
    """A row shows what it is."""
    assert repr(SOCKET_OPTIONS[constants.SNDHWM]) == "<OptionSpec SNDHWM (23), an integer >= 0 (0 = no limit)>"


def test_context_option_compared_with_libzmq_accepts_the_same():
    """Every number of the context is accepted or refused, and read back, as by libzmq."""
    for number in CONTEXT_OPTIONS:
        for value in (-2, -1, 0, 1, 2, 100):
            theirs = zmq.Context()
            if (number, value) != (constants.THREAD_AFFINITY_CPU_REMOVE, 0):  # libzmq starts with processor 0 added
                check_same(theirs, ContextOptions(), number, value)
            theirs.term()


def test_context_processors_are_added_and_removed():
    """THREAD_AFFINITY_CPU_ADD and _REMOVE keep a set; removing what is not there is EINVAL."""
    options = ContextOptions()
    options.set(constants.THREAD_AFFINITY_CPU_ADD, 3)
    options.set(constants.THREAD_AFFINITY_CPU_ADD, 4)
    options.set(constants.THREAD_AFFINITY_CPU_REMOVE, 3)
    assert {4} == options.cpus
    with pytest.raises(ZMQError, match="processor 3 was not added"):
        options.set(constants.THREAD_AFFINITY_CPU_REMOVE, 3)


def test_context_thread_priority_shares_number_with_socket_limit():
    """Setting the number is THREAD_PRIORITY, reading it SOCKET_LIMIT."""
    options = ContextOptions()
    options.set(constants.THREAD_PRIORITY, 5)
    assert (5, 65535) == (options.thread_priority, options.get(constants.SOCKET_LIMIT))


@pytest.mark.parametrize(("number", "text"), [(999, "unknown context option 999"), (7, "is write-only")])
def test_context_get_unreadable_option_raises_einval(number, text):
    """Unknown and write-only numbers can't be read."""
    with pytest.raises(ZMQError, match=text):
        ContextOptions().get(number)
