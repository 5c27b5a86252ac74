"""Choice of the library under test.

``PUREZMQ_TEST_LIBRARY=zmq`` runs the same tests on pyzmq, which shows that they state what libzmq
really does. Where purezmq is better on purpose, the test is marked with `purezmq_only`.
"""

from __future__ import annotations

import importlib
import os
from types import ModuleType

import pytest

__all__ = ["IS_PUREZMQ", "LIBRARY", "TIMEOUT_S", "library_module", "purezmq_only", "zmq"]

LIBRARY = os.environ.get("PUREZMQ_TEST_LIBRARY", "purezmq")
IS_PUREZMQ = LIBRARY == "purezmq"

# How long anything may take that ought to happen at once; only failing tests ever wait that long.
TIMEOUT_S = float(os.environ.get("PUREZMQ_TEST_TIMEOUT", "5"))

zmq: ModuleType = importlib.import_module(LIBRARY)


def library_module(name: str) -> ModuleType:
    """Import submodule `name` (such as ``"utils.monitor"``) of the library under test."""
    return importlib.import_module(f"{LIBRARY}.{name}")


def purezmq_only(reason: str) -> pytest.MarkDecorator:
    """Mark a test of behaviour that is better than libzmq's on purpose; `reason` says what libzmq does."""
    return pytest.mark.skipif(not IS_PUREZMQ, reason=f"purezmq only: {reason}")
