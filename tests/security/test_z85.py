"""V45: the text of a key is checked before it is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import zmq.utils.z85 as foreign
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support import zmq

from purezmq.wire import z85

VALID = st.binary(max_size=40).map(lambda raw: foreign.encode(raw[: len(raw) // 4 * 4]))
TEXTS = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60),
    st.text(alphabet=z85.Z85CHARS.decode(), max_size=60),
    VALID,
    st.builds(
        lambda text, at, byte: text[:at] + bytes((byte,)) + text[at + 1 :],
        VALID,
        st.integers(0, 49),
        st.integers(0, 255),
    ),
)


@given(TEXTS)
@example(b"%nSc1")  # one more than 32 bits hold
@example(b"#####")
@example("0000\u0660")  # a digit, but none of ASCII
def test_v45_decode_any_text_gives_bytes_or_value_error(text: bytes | str) -> None:
    """What is decoded is the only text for its bytes; all else is a ValueError."""
    try:
        raw = z85.decode(text)
    except ValueError:
        return
    assert (text.encode() if isinstance(text, str) else text) == z85.encode(raw)


@given(VALID)
def test_v45_decode_valid_text_gives_what_pyzmq_gives(text: bytes) -> None:
    """Not stricter than needed."""
    assert foreign.decode(text) == z85.decode(text)


@given(st.binary(max_size=64))
def test_v45_encode_any_bytes_gives_text_or_value_error(raw: bytes) -> None:
    """A multiple of four bytes, or a ValueError."""
    if len(raw) % 4:
        with pytest.raises(ValueError, match="multiple of 4"):
            z85.encode(raw)
    else:
        assert foreign.encode(raw) == z85.encode(raw)


@pytest.mark.parametrize("option", ["CURVE_SERVERKEY", "CURVE_PUBLICKEY", "CURVE_SECRETKEY"])
@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"x",
        b"0" * 31,
        b"0" * 33,
        b"0" * 39,
        b"0" * 42,
        b" " * 40,
        b"0" * 39 + b"~",
        b"\xff" * 40,
        b"0" * 40 + b"0",
    ],
)
def test_v45_option_refuses_what_is_no_key(make_socket: Callable[..., Any], option: str, key: bytes) -> None:
    """32 bytes, or 40 characters of Z85."""
    with pytest.raises(zmq.ZMQError) as caught:
        make_socket(zmq.PULL).setsockopt(getattr(zmq, option), key)
    assert zmq.EINVAL == caught.value.errno
