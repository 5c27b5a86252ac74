"""The demo's messages can be checked anywhere, because their index says all."""

from __future__ import annotations

import pytest

from purezmq.cli.demo.content import make_content, make_reply, make_result, parse_index

INDEXES = [0, 1, 7, 199, 200, 255, 256, 1_000_003, 2**40]


@pytest.mark.parametrize("index", INDEXES)
def test_content_says_its_index(index):
    """The index can be read back from a message and from its result."""
    content = make_content(index)
    assert (index, index) == (parse_index(content), parse_index(make_result(content)))


def test_contents_differ():
    """No two messages are the same, and neither are their replies and results."""
    contents = [make_content(index) for index in range(2_000)]
    assert [2_000] * 3 == [len(set(kind)) for kind in (contents, map(make_reply, contents), map(make_result, contents))]


def test_result_of_a_changed_task_differs():
    """One wrong bit in a task shows in its result."""
    content = make_content(150)
    changed = content[:-1] + bytes([content[-1] ^ 1])
    assert make_result(content) != make_result(changed)
