"""`purezmq run`: start an unmodified program, whose ``import zmq`` gets purezmq.

The program runs in a Python of its own that takes the place of this process, so that arguments, ``sys.path``,
``__main__``, exit status and tracebacks are what ``python PROGRAM`` gives. How that Python finds purezmq as zmq is
`purezmq.install`'s matter.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from purezmq.install.child_processes import make_child_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["make_command", "run", "split_python_options"]

USAGE = """\
usage: purezmq run [PYTHON OPTIONS] PROGRAM [ARGS]
       purezmq run [PYTHON OPTIONS] -m MODULE [ARGS]
       purezmq run [PYTHON OPTIONS] -c CODE [ARGS]

Run an unmodified program, whose `import zmq` gets purezmq; so do the Python processes that it starts.

PROGRAM is a Python file, a folder or zip file with a __main__.py, `-` for standard input, or the name of a
command on PATH that is written in Python. The words before it are Python's own options, those after it the program's.
"""

_WRONG_LINE = 2
#: Options that make Python ignore PYTHONPATH or sitecustomize, by which the program finds purezmq.
_DEAFENING = frozenset("EIS")
_PYTHON_NAME = re.compile(r"(python|pypy)[0-9.]*(\.exe)?", re.IGNORECASE)


class _WrongLineError(Exception):
    """The line can't be run; the text says why and what to do."""


def run(argv: Sequence[str]) -> int:
    """Become the program.

    Args:
        argv: the words after `purezmq run`.

    Returns:
        The exit status for `--help` (0) or a line that can't be run (2); of the program where a process can't be
        replaced (Windows). Otherwise it doesn't return.
    """
    if not argv or argv[0] in {"-h", "--help"}:
        print(USAGE, end="", file=sys.stdout if argv else sys.stderr)
        return 0 if argv else _WRONG_LINE
    try:
        inherited, _, letters = split_python_options(sys.orig_argv[1:])
        _check_hearing(letters, "this command was started")
        command = make_command(argv, inherited)
    except _WrongLineError as error:
        print(f"purezmq run: {error}", file=sys.stderr)
        return _WRONG_LINE
    environment = make_child_environment(os.environ)
    if os.name == "nt":
        return subprocess.call(command, env=environment)
    sys.stdout.flush()
    sys.stderr.flush()
    return os.execve(command[0], command, environment)  # noqa: S606 - becoming the program is the purpose


def split_python_options(words: Sequence[str]) -> tuple[list[str], list[str], str]:
    """Split a Python command line.

    Args:
        words: the words after Python's name.

    Returns:
        Python's options; the rest, which begins with the program, ``-``, or the word that has ``-m`` or ``-c``;
        the letters of all short options.
    """
    letters = ""
    place = 0
    while place < len(words):
        word = words[place]
        if word == "-" or not word.startswith("-"):
            break
        place += 1
        if word.startswith("--"):
            place += word == "--check-hash-based-pycs"
            continue
        flags = re.match(r"-([^cmWX]*)([cmWX]?)(.*)", word, re.DOTALL)
        assert flags is not None
        letters += flags[1]
        if flags[2] and flags[2] in "cm":
            place -= 1
            break
        if flags[2] and not flags[3]:
            place += 1
    return list(words[:place]), list(words[place:]), letters


def make_command(argv: Sequence[str], inherited: Sequence[str] = ()) -> list[str]:
    """Return the command line that runs the program.

    Args:
        argv: the words after `purezmq run`.
        inherited: options that the Python of this process was started with, which the program's gets, too.

    Raises:
        _WrongLineError: there is no such program, or it can't find purezmq as zmq.
    """
    options, rest, letters = split_python_options(argv)
    _check_hearing(letters, "Python is asked")
    if not rest:
        raise _WrongLineError("which program? `purezmq run --help` says how to name it")
    name = rest[0]
    if name.startswith("-") or _is_runnable(name):
        return [_this_python(), *inherited, *options, *rest]
    path = None if os.path.dirname(name) else shutil.which(name)
    if path is None:
        raise _WrongLineError(f"{name!r} is no Python file and no command on PATH")
    if _PYTHON_NAME.fullmatch(os.path.basename(path)):
        _check_hearing(split_python_options(rest[1:])[2], "Python is asked")
        return [path, *options, *rest[1:]]
    if os.name == "nt" and path.lower().endswith(".exe"):
        return [path, *rest[1:]]  # a launcher, which starts the Python of its environment
    return [*_find_interpreter(path), *options, path, *rest[1:]]


def _check_hearing(letters: str, what: str) -> None:
    deafening = _DEAFENING.intersection(letters)
    if deafening:
        flags = " ".join(f"-{letter}" for letter in sorted(deafening))
        raise _WrongLineError(
            f"{what} with {flags}, which ignores PYTHONPATH or sitecustomize, by which the program finds purezmq; "
            "leave it out"
        )


def _is_runnable(name: str) -> bool:
    return os.path.isfile(name) or os.path.isfile(os.path.join(name, "__main__.py"))


def _this_python() -> str:
    if not sys.executable:
        raise _WrongLineError("this process doesn't know its own Python (sys.executable is empty)")
    return sys.executable


def _find_interpreter(path: str) -> list[str]:
    """Return the Python, with its options, that the script at `path` asks for."""
    with open(path, "rb") as file:
        lines = file.read(4096).decode("utf-8", "replace").split("\n")
    words = _parse_first_lines(lines[0], lines[1] if len(lines) > 1 else "")
    found = shutil.which(words[0]) if words else None
    if found is None or not _PYTHON_NAME.fullmatch(os.path.basename(words[0])):
        raise _WrongLineError(f"{path} is no Python program; name a Python file, or `-m MODULE`")
    _check_hearing(split_python_options(words[1:])[2], f"the first line of {path} starts Python")
    return [found, *words[1:]]


def _parse_first_lines(first: str, second: str) -> list[str]:
    """Return the words of a ``#!`` line; installers write a line for `sh` where the path is too long for one."""
    if not first.startswith("#!"):
        return []
    interpreter, _, rest = first[2:].strip().partition(" ")
    name = os.path.basename(interpreter)
    if name == "sh" and second.startswith("'''exec'"):
        return shlex.split(second)[1:-2]
    if name == "env":
        words = shlex.split(rest)
        while words and (words[0].startswith("-") or "=" in words[0]):
            del words[0]
        return words
    return [interpreter, *rest.split()]
