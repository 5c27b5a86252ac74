"""``python -m purezmq.log``: the subscriber that prints."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support import LIBRARY, TIMEOUT_S, zmq

from purezmq.log.__main__ import Printer, main

SOURCE = Path(__file__).parents[3] / "src"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def watch(make_socket):
    """Start the watcher with some options; return it and the publisher it is subscribed to."""
    processes = []

    def start(*options):
        publisher = make_socket(zmq.XPUB)
        port = publisher.bind_to_random_port("tcp://127.0.0.1")
        processes.append(
            subprocess.Popen(
                [sys.executable, "-um", f"{LIBRARY}.log", *options, f"tcp://127.0.0.1:{port}"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": str(SOURCE)},
                text=True,
            )
        )
        publisher.rcvtimeo = int(4 * TIMEOUT_S * 1000)
        publisher.recv()
        return processes[-1], publisher

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_watcher_prints_topic_and_text(watch):
    """A message is a line."""
    process, publisher = watch()
    publisher.send_multipart([b"INFO.sub", b"hello\n"])
    assert "INFO.sub | hello\n" == process.stdout.readline()


def test_watcher_topic_leaves_others_out(watch):
    """--topic and --separator do what they say."""
    process, publisher = watch("-t", "ERROR", "--separator", " # ")
    publisher.send_multipart([b"INFO", b"no"])
    publisher.send_multipart([b"ERROR", b"yes"])
    assert "ERROR # yes\n" == process.stdout.readline()


def test_watcher_interrupt_ends_it_well(watch):
    """Ctrl-C ends it with status 0 and no traceback."""
    process, publisher = watch()
    publisher.send_multipart([b"INFO", b"x"])
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=4 * TIMEOUT_S)
    assert (0, "") == (process.returncode, errors)


def test_watcher_bad_endpoint_fails_with_status_1(capsys):
    """An endpoint that can't be used is an error text, not a traceback."""
    assert 1 == main(["nonsense://x"])
    assert "nonsense://x" in capsys.readouterr().err


def test_printer_control_characters_are_shown_as_escapes():
    """What comes from the network can't control the terminal; lines and tabulators stay."""
    assert "INFO | a\tb\nc\\x1b[31m\\xff" == Printer().format([b"INFO", b"a\tb\nc\x1b[31m\xff\n"], NOW)


def test_printer_align_keeps_a_column():
    """Texts begin where those of the longest topic do."""
    printer = Printer(align=True)
    assert ["WARNING.sub | a", "INFO        | b"] == [
        printer.format([topic, text], NOW) for topic, text in ((b"WARNING.sub", b"a"), (b"INFO", b"b"))
    ]


def test_printer_color_is_the_levels():
    """A line has the colour of the level in its topic; a topic without one has none."""
    printer = Printer(color=True)
    assert "\x1b[31mroot.ERROR | x\x1b[0m" == printer.format([b"root.ERROR", b"x"], NOW)
    assert "other | x" == printer.format([b"other", b"x"], NOW)


def test_printer_time_stands_in_front():
    """The time has the given format."""
    assert "2026-01-02 03:04 INFO | x" == Printer(date_format="%Y-%m-%d %H:%M").format([b"INFO", b"x"], NOW)


def test_printer_message_of_one_part_is_its_topic():
    """Messages that no PUBHandler sent are shown, too."""
    assert "alone" == Printer().format([b"alone"], NOW)
