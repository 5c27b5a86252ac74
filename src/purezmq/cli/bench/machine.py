"""What a measurement was made on: machine, interpreter and the libraries' versions."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path

from purezmq.cli.bench.process import last_line
from purezmq.cli.bench.worker import MODULES

__all__ = ["describe_machine", "probe_library", "source_fingerprint"]

PROBE = """
import {module} as library
library.Context
print(getattr(library, "__version__", "?"), "(libzmq %s)" % library.zmq_version())
"""


def probe_library(name: str) -> tuple[str | None, str]:
    """Import a library in a fresh process.

    Returns:
        Its version and "", or None and the reason why it can't be used.
    """
    command = [sys.executable, "-c", PROBE.format(module=MODULES[name])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        return None, last_line(done.stderr)
    return done.stdout.strip(), ""


def source_fingerprint() -> str:
    """Return a digest of purezmq's source files: two that differ mean figures of two versions."""
    root, digest = Path(__file__).parents[2], hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def processor_name() -> str:
    """Return the processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def describe_machine() -> dict[str, object]:
    """Return the facts about this machine that belong beside any figure."""
    return {
        "processor": processor_name(),
        "cpus": os.cpu_count(),
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
    }
