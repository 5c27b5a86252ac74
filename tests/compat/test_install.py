"""`install_as_zmq`: purezmq under the name zmq, in a process of its own for each test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from purezmq.sockets.version import pyzmq_version

SOURCE = Path(__file__).parents[2] / "src"


def run_code(code):
    """Run a program after `install_as_zmq` and return what it printed; fail when it failed."""
    program = f"import purezmq\npurezmq.install_as_zmq()\n{code}"
    return run_plain(program)


def run_plain(program):
    """Run a program and return what it printed; fail when it failed."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        text=True,
        timeout=50,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    "statement",
    [
        "import zmq as found; own = purezmq",
        "import zmq.utils.z85 as found; import purezmq.utils.z85 as own",
        "from zmq.log import handlers as found; from purezmq.log import handlers as own",
        "import purezmq.devices as own; import zmq; found = zmq.devices",
        "from zmq.sugar.socket import Socket as found; own = purezmq.Socket",
        "import zmq.error; found = zmq.error.ZMQError; own = purezmq.ZMQError",
    ],
)
def test_import_under_either_name_gives_one_object(statement):
    """A module, or what it holds, is the same under both names, whichever came first."""
    assert ["True"] == run_code(f"{statement}\nprint(found is own)")


def test_second_call_changes_nothing():
    """Calling it again is harmless: one finder, the same modules."""
    code = """
import sys, zmq, zmq.devices
modules, finders = dict(sys.modules), list(sys.meta_path)
purezmq.install_as_zmq()
print(all(sys.modules[name] is module for name, module in modules.items()), finders == sys.meta_path)
"""
    assert ["True", "True"] == run_code(code)


def test_submodules_are_loaded_when_asked_for():
    """The call itself loads no front."""
    code = "import sys; print([n for n in sys.modules if n.startswith(('zmq.log', 'purezmq.log', 'zmq.devices'))])"
    assert ["[]"] == run_code(code)


def test_real_zmq_imported_before_is_refused():
    """After the real zmq it is too late; the text says so and names the cure."""
    program = """
import zmq, purezmq
try:
    purezmq.install_as_zmq()
except RuntimeError as error:
    print("too late" in str(error), "purezmq run" in str(error), zmq.__file__ in str(error), zmq is purezmq)
"""
    assert ["True", "True", "True", "False"] == run_plain(program)


def test_part_of_a_foreign_zmq_is_refused():
    """A single foreign submodule is enough to refuse."""
    program = """
import sys, types, purezmq
sys.modules["zmq.asyncio"] = types.ModuleType("zmq.asyncio")
try:
    purezmq.install_as_zmq()
except RuntimeError as error:
    print("zmq.asyncio" in str(error), "zmq" in sys.modules)
"""
    assert ["True", "False"] == run_plain(program)


def test_versions_are_those_of_the_matched_pyzmq():
    """What programs compare is pyzmq's version; purezmq's own stays where it is distributed."""
    code = """
import zmq, importlib.metadata, purezmq._version
print(zmq.__version__, importlib.metadata.version("pyzmq"), zmq.sugar.version.__version__)
print([d.metadata["Name"] for d in importlib.metadata.distributions(name="pyzmq")][0], purezmq._version.__version__)
"""
    from purezmq._version import __version__

    assert [*[pyzmq_version()] * 3, "pyzmq", __version__] == run_code(code)


def test_version_without_the_call_is_our_own():
    """`purezmq.__version__` is purezmq's in a program that imports purezmq."""
    from purezmq._version import __version__

    assert [__version__] == run_plain("import purezmq; print(purezmq.__version__)")


def test_other_distributions_are_found_as_before():
    """importlib.metadata still finds what is installed."""
    assert ["True"] == run_code("import importlib.metadata as m; print(m.version('pytest') > '8')")


def test_find_spec_tells_what_is_there_without_importing():
    """importlib.util.find_spec works for zmq, its modules, and modules that don't exist."""
    code = """
import sys
from importlib.util import find_spec
print(find_spec("zmq").origin == purezmq.__file__, find_spec("zmq.log.handlers").name, find_spec("zmq.nothing"))
print("zmq.log.handlers" in sys.modules)
"""
    assert ["True", "zmq.log.handlers", "None", "False"] == run_code(code)


def test_module_that_is_not_there_is_an_import_error():
    """A missing submodule is an ordinary ModuleNotFoundError that names it as it was asked for."""
    code = """
try:
    import zmq.nothing
except ModuleNotFoundError as error:
    print(error.name)
"""
    assert ["zmq.nothing"] == run_code(code)


@pytest.mark.parametrize("name", ["cython", "cffi"])
def test_backend_of_c_is_an_import_error_with_a_reason(name):
    """Asking for one of pyzmq's compiled backends says why there is none."""
    code = f"""
try:
    import zmq.backend.{name}
except ImportError as error:
    print("pure Python" in str(error))
"""
    assert ["True"] == run_code(code)


def test_reload_keeps_one_module_and_its_version():
    """importlib.reload of zmq and of a submodule works."""
    code = """
import importlib, zmq, zmq.utils.z85
print(importlib.reload(zmq) is purezmq, zmq.__version__ == zmq.pyzmq_version())
print(importlib.reload(zmq.utils.z85) is importlib.import_module("purezmq.utils.z85"))
"""
    assert ["True"] * 3 == run_code(code)


def test_inspect_and_pickle_work_across_the_names():
    """Errors and enums make the round trip; a pickle that names zmq is read; modules are found by inspect."""
    code = """
import inspect, pickle, zmq
error = pickle.loads(pickle.dumps(zmq.ZMQError(zmq.EFSM)))
print(type(error) is purezmq.ZMQError, error.errno == zmq.EFSM, pickle.loads(pickle.dumps(zmq.PUB)) is zmq.PUB)
print(pickle.loads(b"czmq.error\\nAgain\\n.") is purezmq.Again, inspect.getmodule(zmq.Socket).__name__)
"""
    assert ["True", "True", "True", "True", "purezmq.sockets.socket"] == run_code(code)


def test_names_reachable_by_import_zmq_alone():
    """`import zmq` alone reaches zmq.utils, zmq.sugar and zmq.backend, as pyzmq's does."""
    code = "import zmq; print(zmq.utils.jsonapi.dumps(1), zmq.sugar.socket.Socket is zmq.Socket, zmq.backend.has)"
    assert ["b'1'", "True"] == run_code(code)[:2]


def test_child_processes_are_included_if_wanted():
    """`child_processes=True` reaches Python processes that the program starts."""
    program = """
import purezmq, subprocess, sys
purezmq.install_as_zmq(child_processes=True)
print(subprocess.run([sys.executable, "-c", "import zmq; print(zmq.__name__)"], capture_output=True, text=True).stdout)
"""
    assert ["purezmq"] == run_plain(program)
