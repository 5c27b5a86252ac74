"""Draws docs/how-to/pictures/: what a subscriber that stalls gets, one picture for each overflow policy.

`python docs/pictures/overflow.py` (extra `docs`) runs the library: a publisher that sends one message per tick, and a
subscriber that reads each at once, stalls, and then reads three per tick. Both are in one thread and over inproc, so a
run gives the same picture each time. What became of a message is told by what arrived and by `stats()`.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl

mpl.use("agg")
from matplotlib import pyplot as plt
from PIL import Image

import purezmq as zmq

__all__ = ["POLICIES", "Message", "Policy", "draw", "run"]

FOLDER = Path(__file__).parents[1] / "how-to" / "pictures"

TICKS = 60
STALL = range(15, 40)
#: The high-water mark of either side; over inproc they add up.
MARK = 5
READS_PER_TICK = 3
#: Of the run that spills, so that there is something for the disk.
LARGE_BODY = b"x" * 1_000_000

# The same on a light and on a dark page: the picture brings its own paper.
PAPER, INK, QUIET, SHADE = "#fbfbf8", "#22262b", "#737a82", "#ebebe4"
PUBLISHED, RECEIVED, WAITS, DISK, LOST, TOLD = "#868d95", "#1667b7", "#9cc4ea", "#eda63a", "#cc2f36", "#8e44ad"


class Policy(NamedTuple):
    """One picture: its file, the publisher's setting, and what is to be seen."""

    name: str
    settings: dict[str, Any]
    headline: str

    @property
    def title(self) -> str:
        """The setting as a program writes it."""
        ((name, value),) = self.settings.items()
        return f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}"


POLICIES = (
    Policy("block", {"overflow": "block"}, "the publisher waits, nothing is lost"),
    Policy("drop-newest", {"overflow": "drop-newest"}, "the subscriber finds the oldest, what came later is lost"),
    Policy("drop-oldest", {"overflow": "drop-oldest"}, "the subscriber finds the latest, what came before is lost"),
    Policy("error", {"overflow": "error"}, "the publisher is told at once, and decides"),
    Policy("spill", {"overflow": "spill"}, "the subscriber finds everything, the publisher goes on"),
    Policy("conflate-key", {"conflate_key": 0}, "the subscriber finds the latest of each of four keys"),
)


@dataclass
class Message:
    """What became of a message; times are ticks."""

    number: int
    published: int
    received: int | None = None
    dropped: int | None = None
    on_disk: bool = False
    refused: bool = False


@dataclass
class Run:
    """A publisher, a subscriber, and what they have noted so far."""

    publisher: Any
    subscriber: Any
    policy: Policy
    messages: list[Message] = field(default_factory=list)
    published: list[int] = field(default_factory=list)
    dropped: int = 0
    spilled: int = 0

    def publish(self, tick: int) -> None:
        """Send the next message, if the policy lets it; a program that is told `Again` at once goes on without it."""
        number = len(self.messages)
        body, flags = b"", zmq.DONTWAIT
        if self.policy.name == "spill":
            body, flags = LARGE_BODY, 0  # it may wait for the disk, never for the subscriber
        message = Message(number, tick)
        try:
            self.publisher.send_multipart([b"key %d" % (number % 4), b"%d" % number, body], flags)
        except zmq.Again:
            if self.policy.name == "block":
                return  # it would wait in send(), and comes back with the same message
            message.refused = True
        self.messages.append(message)
        stats = self.publisher.stats()
        message.on_disk = stats.spilled > self.spilled
        self.spilled = stats.spilled
        self._note_drops(stats, tick)

    def _note_drops(self, stats: Any, tick: int) -> None:
        """Find which messages the new drops are."""
        waiting = [one for one in self.messages if one.received is None and one.dropped is None and not one.refused]
        for _ in range(stats.dropped - self.dropped):
            if "newest" in stats.dropped_by_reason:
                lost = waiting.pop()
            elif "oldest" in stats.dropped_by_reason:
                lost = waiting.pop(0)
            else:
                lost = next(one for one in waiting if one.number % 4 == self.messages[-1].number % 4)
                waiting.remove(lost)
            lost.dropped = tick
        self.dropped = stats.dropped

    def read(self, tick: int) -> None:
        """Take a few messages."""
        for _ in range(READS_PER_TICK):
            if not self.publisher.stats().queued:
                return
            _key, number, _body = self.subscriber.recv_multipart()
            message = self.messages[int(number)]
            assert message.dropped is None, f"message {message.number} was counted as lost, and arrived"
            message.received = tick


def run(policy: Policy) -> Run:
    """Let the library do it; return what became of each message."""
    with (
        tempfile.TemporaryDirectory() as folder,
        zmq.Context() as context,
        context.socket(zmq.PUB, sndhwm=MARK, swap_dir=folder, **policy.settings) as publisher,
        context.socket(zmq.SUB, rcvhwm=MARK, rcvtimeo=5000) as subscriber,
    ):
        if "conflate_key" in policy.settings:
            subscriber.conflate_key = 0
        publisher.bind("inproc://news")
        subscriber.subscribe(b"")
        subscriber.connect("inproc://news")
        publisher.wait_for_subscribers(1, timeout=5.0)
        case = Run(publisher, subscriber, policy)
        for tick in range(TICKS):
            case.publish(tick)
            case.published.append(len(case.messages) - 1)
            if tick not in STALL:
                case.read(tick)
        case.read(TICKS)
        assert all(one.received is not None or one.dropped is not None or one.refused for one in case.messages)
        return case


def draw(case: Run, path: Path) -> None:
    """One bar for each message that waited, from when it was published to when it was taken or lost."""
    policy, messages = case.policy, case.messages
    figure, axes = plt.subplots(figsize=(7.4, 3.5), facecolor=PAPER)
    axes.set_facecolor(PAPER)
    axes.axvspan(STALL.start - 0.5, STALL.stop - 0.5, color=SHADE, zorder=0)
    axes.plot(range(TICKS), case.published, color=PUBLISHED, lw=1.3, zorder=2)
    for one in messages:
        end = one.received if one.received is not None else one.dropped
        if end is not None and end > one.published:
            color = DISK if one.on_disk else WAITS
            axes.plot([one.published, end], [one.number] * 2, color=color, lw=2.6, solid_capstyle="butt", zorder=1)
    marks = {
        "received": ([(m.received, m.number) for m in messages if m.received is not None], RECEIVED, "o", 15),
        "lost": ([(m.dropped, m.number) for m in messages if m.dropped is not None], LOST, "x", 22),
        "told": ([(m.published, m.number) for m in messages if m.refused], TOLD, "s", 13),
    }
    for points, color, marker, size in marks.values():
        if points:
            axes.scatter(*zip(*points, strict=True), color=color, marker=marker, s=size, lw=1.6, zorder=3)
    _label(axes, policy, marks, any(one.on_disk for one in messages))
    figure.tight_layout()
    drawn = BytesIO()
    figure.savefig(drawn, dpi=150, facecolor=PAPER)
    plt.close(figure)
    with Image.open(drawn) as image:  # few colours make a small file
        image.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


def _label(axes: Any, policy: Policy, marks: dict[str, Any], has_disk: bool) -> None:
    """Axes and words; each kind of mark is named in its own colour."""
    axes.set_title(policy.title, loc="left", color=INK, fontsize=12, fontweight="bold", family="monospace", pad=24)
    axes.text(0, 1.035, policy.headline, transform=axes.transAxes, color=INK, fontsize=11)
    if policy.name == "block":
        axes.text(31.5, 26, "the publisher waits", color=QUIET, ha="center", va="bottom", fontsize=9.5)
    middle = (STALL.start + STALL.stop) / 2 - 0.5
    axes.text(middle, 61.5, "the subscriber stalls", color=QUIET, ha="center", va="top", fontsize=9.5)
    lost = "replaced" if policy.name == "conflate-key" else "dropped"
    words = [
        ("", 1.3, "published", PUBLISHED, True),
        ("o", 0, "received", RECEIVED, marks["received"][0]),
        ("", 3, "waits in memory", WAITS, True),
        ("", 3, "waits on disk", DISK, has_disk),
        ("x", 0, lost, LOST, marks["lost"][0]),
        ("s", 0, "Again raised", TOLD, marks["told"][0]),
    ]
    handles = [
        plt.Line2D([], [], color=color, marker=marker, lw=width, markersize=5, markeredgewidth=1.6, label=text)
        for marker, width, text, color, is_there in words
        if is_there
    ]
    axes.legend(handles=handles, loc="lower right", frameon=False, fontsize=9.5, labelcolor=INK, handlelength=1.4)
    axes.set_xlim(-1, TICKS + 1)
    axes.set_ylim(-2, TICKS + 2)
    axes.set_xlabel("time", color=QUIET, fontsize=9.5)
    axes.set_ylabel("message number", color=QUIET, fontsize=9.5)
    axes.tick_params(colors=QUIET, labelsize=8.5, length=3)
    axes.set_xticks([])
    axes.set_yticks([0, 20, 40, 60])
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#c4c4bc")


def main() -> None:
    """Draw them all."""
    FOLDER.mkdir(exist_ok=True)
    for policy in POLICIES:
        path = FOLDER / f"{policy.name}.png"
        case = run(policy)
        draw(case, path)
        received = sum(one.received is not None for one in case.messages)
        print(f"{path.name}: {len(case.messages)} messages, {received} received, {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
