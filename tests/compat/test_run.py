"""`purezmq run`: unmodified programs, and the processes that they start, get purezmq as zmq."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def run(tmp_path):
    """Run `purezmq run WORDS` in a fresh folder."""

    def call(*words, path=None, stdin=None, python_path=(), options=()):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, python_path), str(SOURCE)])}
        if path is not None:
            environment["PATH"] = str(path)
        return subprocess.run(
            [sys.executable, *options, "-m", "purezmq", "run", *map(str, words)],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env=environment,
            input=stdin,
            text=True,
            timeout=50,
        )

    return call


@pytest.fixture
def write(tmp_path):
    """Write a program and return its path."""

    def make(text, name="program.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return make


REPORT = "import sys, zmq; print(zmq.__name__, __name__, sys.argv, sys.path[0])"


def test_run_file_runs_as_python_would(run, write, tmp_path):
    """A file gets its arguments, its folder on the path and the name __main__; options behind it are its own."""
    program = write(REPORT, "sub/program.py")
    done = run("sub/program.py", "-m", "--help", "a b")
    expected = f"purezmq __main__ {['sub/program.py', '-m', '--help', 'a b']} {program.parent}\n"
    assert (expected, "") == (done.stdout, done.stderr)


def test_run_module_runs_as_python_would(run, write, tmp_path):
    """-m runs a module of the current folder; what follows is the module's."""
    program = write(REPORT, "there.py")
    done = run("-m", "there", "-c", "x")
    assert f"purezmq __main__ {[str(program), '-c', 'x']} {tmp_path}\n" == done.stdout


def test_run_code_runs_as_python_would(run):
    """-c runs a text."""
    assert f"purezmq __main__ {['-c', 'x']} \n" == run("-c", REPORT, "x").stdout


def test_run_standard_input_is_a_program(run):
    """`-` reads the program from standard input."""
    assert f"purezmq __main__ {['-', 'x']} \n" == run("-", "x", stdin=REPORT).stdout


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_run_folder_or_zip_with_main_runs(run, write, tmp_path, kind):
    """A folder or a zip file with a __main__.py is a program."""
    main = write("import zmq; print(zmq.__name__)", "app/__main__.py")
    if kind == "zip":
        with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
            archive.write(main, "__main__.py")
    assert "purezmq\n" == run("app" if kind == "folder" else "app.zip").stdout


def test_run_module_of_pyzmq_under_its_name(run):
    """`-m zmq.log` is purezmq's."""
    done = run("-m", "zmq.log", "--help")
    assert 0 == done.returncode
    assert "zmq_pub_url" in done.stdout


@pytest.mark.parametrize(("code", "status"), [("raise SystemExit(7)", 7), ("1/0", 1), ("pass", 0)])
def test_run_exit_status_is_the_programs(run, write, code, status):
    """The exit status is handed through."""
    assert status == run(write(code)).returncode


def test_run_signal_ends_as_the_program_did(run, write):
    """A program that a signal ended looks like that to the caller."""
    done = run(write("import os, signal; os.kill(os.getpid(), signal.SIGTERM)"))
    assert -signal.SIGTERM == done.returncode


def test_run_traceback_shows_the_program_only(run, write):
    """A traceback begins in the program."""
    lines = run(write("def f():\n    raise ValueError('x')\nf()")).stderr.splitlines()
    assert 2 == sum(line.lstrip().startswith("File ") for line in lines)
    assert "ValueError: x" == lines[-1]


def test_run_python_options_reach_the_program(run):
    """Options of Python before the program, and those of this Python, are the program's Python's."""
    code = "import sys; print(sys.flags.optimize, sys.flags.dev_mode, sys.warnoptions)"
    assert "1 True ['default', 'ignore']\n" == run("-O", "-W", "ignore", "-c", code, options=("-X", "dev")).stdout


CHILDREN = {
    "subprocess": """
        import subprocess, sys
        print(subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True).stdout)
    """,
    "subprocess_of_a_subprocess": """
        import subprocess, sys
        inner = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"
        subprocess.run([sys.executable, "-c", inner])
    """,
    "exec": """
        import os, sys
        os.execv(sys.executable, [sys.executable, "-c", CHILD])
    """,
    "shell": """
        import os, shlex, sys
        os.system(shlex.join([sys.executable, "-c", CHILD]))
    """,
}


@pytest.mark.parametrize("how", CHILDREN)
def test_run_child_process_gets_purezmq(run, write, how):
    """Python processes that the program starts find purezmq, however they were started."""
    body = textwrap.dedent(CHILDREN[how])
    done = run(write(f'CHILD = "import zmq; print(zmq.__name__)"\n{body}'))
    assert ("purezmq", "") == (done.stdout.strip(), done.stderr)


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_run_multiprocessing_child_gets_purezmq(run, write, method):
    """multiprocessing's children find purezmq by every start method; errors come back as the same class."""
    program = write(f"""
        import multiprocessing, zmq

        def work():
            import zmq.utils.z85
            return zmq.__name__

        def fail():
            raise zmq.ZMQError(zmq.EFSM)

        if __name__ == "__main__":
            with multiprocessing.get_context({method!r}).Pool(1) as pool:
                print(pool.apply(work))
                try:
                    pool.apply(fail)
                except zmq.ZMQError as error:
                    print(error.errno == zmq.EFSM)
    """)
    done = run(program)
    assert "purezmq\nTrue\n" == done.stdout, done.stderr


def test_run_two_processes_talk(run, write):
    """A program and its worker exchange messages."""
    program = write("""
        import subprocess, sys, zmq
        with zmq.Context() as context, context.socket(zmq.REP) as server:
            port = server.bind_to_random_port("tcp://127.0.0.1")
            worker = subprocess.Popen([sys.executable, "-c", f'''
        import zmq
        with zmq.Context() as context, context.socket(zmq.REQ) as client:
            client.connect("tcp://127.0.0.1:{port}")
            client.send_string(zmq.__name__)
            client.recv()
        '''])
            print(server.recv_string())
            server.send(b"")
            worker.wait()
    """)
    assert "purezmq\n" == run(program).stdout


def test_run_leaves_no_trace_in_the_path(run):
    """The program's sys.path has nothing that `python PROGRAM` would not have."""
    code = "import sys; print([entry for entry in sys.path if 'startup' in entry], 'purezmq' in sys.modules)"
    assert "[] False\n" == run("-c", code).stdout


def test_run_hidden_sitecustomize_still_runs(run, write, tmp_path):
    """A sitecustomize that stands behind ours on the path runs, too, under its own name."""
    write("import sys; sys.from_customize = __name__, __file__", "custom/sitecustomize.py")
    code = "import sys, zmq, sitecustomize; print(*sys.from_customize, sitecustomize.__file__, zmq.__name__)"
    folder = tmp_path / "custom"
    path = folder / "sitecustomize.py"
    assert f"sitecustomize {path} {path} purezmq\n" == run("-c", code, python_path=[folder]).stdout


def test_run_within_run_is_the_same(run):
    """A program under `purezmq run` may use it again."""
    code = "import os, zmq; print(zmq.__name__, os.environ['PYTHONPATH'].count('startup'))"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-m', 'purezmq', 'run', '-c', {code!r}])"
    assert "purezmq 1\n" == run("-c", nested).stdout


def script(folder, name, text):
    """Write an executable file."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


LAUNCHERS = {
    "plain": f"#!{sys.executable}\n",
    "option": f"#!{sys.executable} -u\n",
    "env": "#!/usr/bin/env python3\n",
    "env_s": "#!/usr/bin/env -S python3 -u\n",
    "long_path": f"#!/bin/sh\n'''exec' \"{sys.executable}\" \"$0\" \"$@\"\n' '''\n",
}


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_run_command_on_path_runs_by_its_own_python(run, tmp_path, launcher):
    """The name of a command runs it if Python is what it asks for, in whichever way its first line says."""
    commands = tmp_path / "bin"
    path = script(commands, "tool", LAUNCHERS[launcher] + "import sys, zmq; print(zmq.__name__, sys.argv)\n")
    (commands / "python3").symlink_to(sys.executable)
    done = run("tool", "-f", "x", path=commands)
    assert f"purezmq {[str(path), '-f', 'x']}\n" == done.stdout, done.stderr


def test_run_python_itself_is_a_command(run, tmp_path):
    """`purezmq run python FILE` does what it says."""
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "python3").symlink_to(sys.executable)
    assert "purezmq\n" == run("python3", "-c", "import zmq; print(zmq.__name__)", path=commands).stdout


def test_run_folder_without_main_hides_no_command(run, tmp_path):
    """A folder that has the name of a command, and is no program, does not stand in its way."""
    (tmp_path / "tool").mkdir()
    script(tmp_path / "bin", "tool", f"#!{sys.executable}\nprint('ran')\n")
    assert "ran\n" == run("tool", path=tmp_path / "bin").stdout


def test_run_command_that_is_no_python_is_refused(run, tmp_path):
    """A command in another language is named, with its path, and not run."""
    path = script(tmp_path / "bin", "tool", "#!/bin/sh\necho ran\n")
    done = run("tool", path=tmp_path / "bin")
    assert (2, "") == (done.returncode, done.stdout)
    assert f"{path} is no Python program" in done.stderr


@pytest.mark.parametrize("words", [["nothing_of_that_name"], ["./nothing.py"], []])
def test_run_nothing_to_run_fails_with_status_2(run, words):
    """A line without a program, or with one that isn't there, is an error text."""
    done = run(*words)
    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr


def test_run_help_says_how(run):
    """`purezmq run --help` prints the usage."""
    done = run("--help")
    assert 0 == done.returncode
    assert "usage: purezmq run" in done.stdout


@pytest.mark.parametrize("flags", ["-E", "-I", "-S", "-uI"])
def test_run_python_that_ignores_the_environment_is_refused(run, flags):
    """Options by which Python would not find purezmq are refused instead of running the real zmq."""
    done = run(flags, "-c", "print('ran')")
    assert (2, "") == (done.returncode, done.stdout)
    assert "PYTHONPATH" in done.stderr


def test_run_script_that_ignores_the_environment_is_refused(run, tmp_path):
    """So is a command whose first line says so."""
    script(tmp_path / "bin", "tool", f"#!{sys.executable} -Es\nprint('ran')\n")
    done = run("tool", path=tmp_path / "bin")
    assert (2, "") == (done.returncode, done.stdout)
    assert "first line" in done.stderr
