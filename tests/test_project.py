"""The project's own gates: sizes, exports, what the README promises, the wheel."""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "purezmq"
MODULES = sorted(PACKAGE.rglob("*.py"))
PAGES = sorted((ROOT / "docs").rglob("*.md"))

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 60
MAX_MEDIAN_FUNCTION_LINES = 10
#: Paths that are pyzmq's, which win over taste.
NAMED_BY_PYZMQ = {"src/purezmq/green/core.py"}
#: Modules of pyzmq's C, which are there to say that they can't be.
REFUSING = {"purezmq.backend.cffi", "purezmq.backend.cython"}
FORBIDDEN_STEMS = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "core", "impl"}


def module_name(path: Path) -> str:
    """Return the dotted name of the module in `path`."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def relative(path: Path) -> str:
    """Return `path` below the project, the same on every system."""
    return path.relative_to(ROOT).as_posix()


def function_sizes(path: Path) -> dict[str, int]:
    """Return the number of lines of every function in `path`."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {
        f"{relative(path)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def run_python(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run Python on the sources of this tree and return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.run(
        [sys.executable, *words], capture_output=True, check=False, cwd=cwd, env=environment, text=True, timeout=50
    )


def test_files_all_are_short_enough_to_read():
    """No source file is longer than 600 lines."""
    sizes = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {} == {name: size for name, size in sizes.items() if size > MAX_FILE_LINES}


def test_functions_all_are_short_enough_to_read():
    """No function is longer than 60 lines, and half of them are at most 10."""
    sizes = {name: size for path in MODULES for name, size in function_sizes(path).items()}
    assert {} == {name: size for name, size in sizes.items() if size > MAX_FUNCTION_LINES}
    assert median(sizes.values()) <= MAX_MEDIAN_FUNCTION_LINES


def test_file_names_say_what_is_inside():
    """No file or folder has a name that could hold anything, but for paths that are pyzmq's."""
    stems = {relative(path): path.relative_to(PACKAGE).with_suffix("").parts for path in MODULES}
    bad = {name for name, parts in stems.items() if FORBIDDEN_STEMS.intersection(parts) and parts[0] != "utils"}
    assert set() == bad - NAMED_BY_PYZMQ


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # what pyzmq deprecated says so when it is imported
@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_module_declares_exports_and_purpose(path):
    """Each module has a docstring and an `__all__` without doubles, and every name in it exists."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    targets = [t.id for node in tree.body if isinstance(node, ast.Assign) for t in node.targets if hasattr(t, "id")]
    targets += [node.target.id for node in tree.body if isinstance(node, ast.AnnAssign) and hasattr(node.target, "id")]
    assert "__all__" in targets
    if module_name(path) in REFUSING:
        with pytest.raises(ImportError, match="pure Python"):
            importlib.import_module(module_name(path))
    elif path.stem != "__main__":  # runs its program when it is imported
        module = importlib.import_module(module_name(path))
        assert sorted(set(module.__all__)) == sorted(module.__all__)
        assert [] == [export for export in module.__all__ if not hasattr(module, export)]


def test_readme_commands_exist():
    """Every `make TARGET` that README, docs and CI name is a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for path in (ROOT / "README.md", ROOT / ".ci" / "run", *PAGES):
        named = set(re.findall(r"(?:`|^)make ([a-z]+)\b", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert set() == named - targets, path


def test_readme_links_lead_somewhere():
    """Every relative link of the README is a file or folder of the project."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert [] == [link for link in links if not (ROOT / link).exists()]


def test_readme_examples_are_programs_of_the_examples_folder():
    """The README shows at least three programs, each word for word a file that CI runs."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    programs = {path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py")}
    assert len(blocks) >= 3
    assert [] == [block for block in blocks if block not in programs]


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_docs_sessions_give_what_they_show(path):
    """Interactive sessions on the pages print what the pages say."""
    results = doctest.testfile(str(path), module_relative=False, encoding="utf-8")
    assert 0 == results.failed


def test_import_loads_nothing_heavy():
    """`import purezmq` starts no thread and loads no engine, no front and no slow module of the standard library."""
    heavy = {"asyncio", "json", "logging", "inspect", "dataclasses", "typing", "random", "socket", "selectors"}
    heavy |= {"purezmq.cli", "purezmq.wire", "purezmq.engine.socket_engine", "purezmq.patterns.base"}
    program = "import sys, purezmq, _thread; print(_thread._count(), *sys.modules)"
    threads, *loaded = run_python("-S", "-c", program).stdout.split()
    assert "0" == threads
    assert set() == heavy.intersection(loaded)


def test_wheel_is_pure(tmp_path):
    """The wheel fits every system, holds the whole package with its type marker, and needs nothing."""
    tree = tmp_path / "tree"
    shutil.copytree(SOURCE, tree / "src", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    built = run_python("-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path), cwd=tree)
    assert 0 == built.returncode, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert re.fullmatch(r"purezmq-0\.1\.\d+-py3-none-any\.whl", wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert {path.relative_to(SOURCE).as_posix() for path in MODULES} <= names
    assert "purezmq/py.typed" in names
    assert [] == [name for name in names if name.endswith((".so", ".pyd", ".dll", ".c"))]
    assert [] == re.findall(r"^Requires-Dist: (?!.*extra ==).*$", metadata, re.MULTILINE)
