from __future__ import annotations

import copy
import json
import pickle
from dataclasses import FrozenInstanceError, asdict
from typing import Any

import pytest

from purezmq.sockets.statistics import ContextStats, Counts, Peer, PeerStats, SocketStats

STATS = ContextStats(
    sockets=(
        SocketStats(
            type="PUSH",
            sent=10,
            dropped=3,
            dropped_by_reason=Counts(newest=2, expired=1),
            queued=4,
            peers=(PeerStats(endpoint="tcp://a:1", routing_id=b"A", connected=True),),
        ),
    ),
    sent=10,
)


def test_counts_cannot_be_changed() -> None:
    """Whichever method is used."""
    counts = Counts(newest=1)
    with pytest.raises(TypeError):
        counts["newest"] = 2
    for name, args in {"pop": ("newest",), "update": ({},), "clear": (), "setdefault": ("x", 1), "popitem": ()}.items():
        with pytest.raises(TypeError):
            getattr(counts, name)(*args)
    with pytest.raises(TypeError):
        counts |= {"newest": 2}
    with pytest.raises(TypeError):
        del counts["newest"]
    assert {"newest": 1} == counts


@pytest.mark.parametrize("stats", [STATS, STATS.sockets[0], STATS.sockets[0].peers[0], Peer(version=(3, 1))])
def test_statistics_can_be_compared_hashed_copied_and_sent(stats: Any) -> None:
    """They are plain data."""
    assert stats == pickle.loads(pickle.dumps(stats)) == copy.deepcopy(stats)
    assert hash(stats) == hash(copy.copy(stats))
    with pytest.raises(FrozenInstanceError):
        setattr(stats, next(iter(stats.__dataclass_fields__)), 1)


def test_statistics_become_json() -> None:
    """By way of asdict; routing ids are bytes, which JSON has not."""
    data = asdict(STATS.sockets[0])
    assert {"newest": 2, "expired": 1} == json.loads(json.dumps(data["dropped_by_reason"]))
    assert (10, b"A") == (data["sent"], data["peers"][0]["routing_id"])
