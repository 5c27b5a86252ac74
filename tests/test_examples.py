"""Every program of the examples folder runs alone, ends by itself and prints its result."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"

# Program -> what it must print.
OUTPUTS = {
    "asyncio_tasks.py": "sum: 10\nno answer yet\nanswer: yes\n",
    "broker.py": "sum of the squares below 100: 328,350\n",
    "client_server.py": "12 questions answered, the last one first\n",
    "pipeline.py": "primes below 20,000: 2,262\n",
    "publish_subscribe.py": "sport: 2:1\nweather: sunny, warm\n",
    "radio_dish.py": "weather: sunny\n",
    "reliable_request.py": "nobody answered, twice\nanswer: b'IS ANYBODY THERE?'\n",
    "reverse_connection.py": "agent: here I am\nagent: done: measure\nagent: done: report\n",
    "request_reply.py": "'hello' -> 'HELLO'\n'is anybody there?' -> 'IS ANYBODY THERE?'\n'' -> 'good bye'\n",
    "secure.py": "good day, alice\na stranger is not let in\n",
    "stalled_subscriber.py": "sent 100, waiting 10, dropped {'oldest': 90}\n"
    "read 90, 91, 92, 93, 94, 95, 96, 97, 98, 99\n",
}

# Program of the guide's patterns -> the claim that it checks by itself, and prints last.
CLAIMS = {
    "binary_star.py": "every request was answered once, and by the server whose turn it was",
    "clone.py": "no confirmed update was lost, though both servers were killed",
    "espresso.py": "all that passed the proxy was seen: each message, each subscription, each farewell",
    "freelance.py": "every request was answered once, though the server that answered was killed, twice",
    "last_value_cache.py": "late subscribers got the last value at once, and nobody got a value twice",
    "lazy_pirate.py": "every request was answered once, by whichever server lived",
    "majordomo.py": "every request was answered, whoever died meanwhile",
    "paranoid_pirate.py": "every request was answered once, whoever died meanwhile",
    "suicidal_snail.py": "who could not keep up knew it before anything was lost",
    "titanic.py": "every request outlived broker and titanic, and was answered",
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_example_runs_to_its_end(name):
    """The program prints exactly its result, nothing on stderr (warnings are errors), and succeeds."""
    assert (0, OUTPUTS[name], "") == run(EXAMPLES / name)


@pytest.mark.parametrize("name", CLAIMS)
def test_pattern_of_the_guide_holds_its_claim(name):
    """The program kills what it has to, and still its claim holds; nothing is on stderr."""
    code, output, errors = run(EXAMPLES / "guide" / name)
    assert (0, "") == (code, errors), output
    assert CLAIMS[name] == output.splitlines()[-1]


def run(program: Path) -> tuple[int, str, str]:
    """Run a program, warnings being errors, and return its exit code and what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-W", "error", str(program)]
    done = subprocess.run(command, capture_output=True, check=False, env=environment, text=True, timeout=50)
    return done.returncode, done.stdout, done.stderr


def test_examples_all_are_run():
    """No program of the folder is left out of the test above."""
    assert set(OUTPUTS) == {path.name for path in EXAMPLES.glob("*.py")}


def test_patterns_of_the_guide_all_are_run():
    """No program of the folder is left out; its other files are parts of programs."""
    files = (EXAMPLES / "guide").glob("*.py")
    assert set(CLAIMS) == {path.name for path in files if "__main__" in path.read_text(encoding="utf-8")}
