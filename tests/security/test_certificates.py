"""Certificates: what is in the files, and who may read them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import library_module, purezmq_only, zmq

auth = library_module("auth")


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest):
    """Each umask in turn."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: str) -> int:
    """Permissions of a file."""
    return stat.S_IMODE(os.stat(path).st_mode)


def test_pair_is_written_and_read(tmp_path: Path) -> None:
    """The public certificate has the public key only; the two belong together."""
    public_path, secret_path = auth.create_certificates(tmp_path, "server", {"name": "jörg"})
    assert (str(tmp_path / "server.key"), str(tmp_path / "server.key_secret")) == (public_path, secret_path)
    public, nothing = auth.load_certificate(public_path)
    same, secret = auth.load_certificate(secret_path)
    assert (None, public, public) == (nothing, same, zmq.curve_public(secret))
    assert secret not in Path(public_path).read_bytes()
    assert "    name = jörg\n" in Path(secret_path).read_text("utf-8")
    assert {public: True} == auth.load_certificates(tmp_path)


@purezmq_only("it leaves the secret to the umask")
def test_secret_is_its_owners_whatever_the_umask(tmp_path: Path, umask: None) -> None:
    """0600 from the moment it exists; the public file is as any other."""
    public_path, secret_path = auth.create_certificates(tmp_path, "x")
    assert 0o600 == mode(secret_path)
    assert 0o600 == mode(public_path) & 0o600
    assert 0 == mode(public_path) & 0o022


@purezmq_only("it writes over the old pair")
@pytest.mark.parametrize("there", ["x.key", "x.key_secret"])
def test_certificates_that_are_there_are_kept(tmp_path: Path, there: str) -> None:
    """Neither half is written when either is there; with `overwrite` both are new."""
    (tmp_path / there).write_text("old")
    with pytest.raises(FileExistsError):
        auth.create_certificates(tmp_path, "x")
    assert [there] == os.listdir(tmp_path)
    assert "old" == (tmp_path / there).read_text()
    _, secret_path = auth.create_certificates(tmp_path, "x", overwrite=True)
    assert auth.load_certificate(secret_path)[1]
    assert 0o600 == mode(secret_path)


@purezmq_only("it writes over the old pair")
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("fails", ["first write", "second write", "replace"])
def test_pair_is_whole_or_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overwrite: bool, fails: str
) -> None:
    """Whatever interrupts, also Ctrl-C: the old pair stays, and nothing half-written lies about."""
    if overwrite:
        auth.create_certificates(tmp_path, "x")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    heads = {"first write": "_OWNER_HEAD", "second write": "_PUBLIC_HEAD"}
    if fails == "replace":
        if not overwrite:
            return
        monkeypatch.setattr("os.replace", interrupt)
    else:
        monkeypatch.setattr(f"purezmq.auth.certs.{heads[fails]}", "\ud800")  # is not to be written as UTF-8
    with pytest.raises((KeyboardInterrupt, UnicodeEncodeError)):
        auth.create_certificates(tmp_path, "x", overwrite=overwrite)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def interrupt(*_: object) -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


@purezmq_only("it writes to where the link leads")
def test_link_in_place_of_the_secret_is_not_followed(tmp_path: Path) -> None:
    """Whoever puts a link there doesn't get the secret written to a file of his own."""
    (tmp_path / "x.key_secret").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        auth.create_certificates(tmp_path, "x")
    assert not (tmp_path / "elsewhere").exists()
    auth.create_certificates(tmp_path, "x", overwrite=True)
    assert not (tmp_path / "elsewhere").exists()
    assert not (tmp_path / "x.key_secret").is_symlink()


@purezmq_only("it writes what it is given")
@pytest.mark.parametrize(
    "metadata",
    [
        {"a": "b\nsecret-key = x"}, {"a=b": "c"}, {"": "c"}, {"a\n": "c"}, {"public-key": "x"}, {" secret-key ": "x"},
        {"Public-Key": "x"},
    ],
)  # fmt: skip
def test_metadata_can_not_forge_lines(tmp_path: Path, metadata: dict[str, str]) -> None:
    """A value stays in its line; nothing is written otherwise."""
    with pytest.raises(ValueError, match="one line"):
        auth.create_certificates(tmp_path, "x", metadata)
    assert [] == os.listdir(tmp_path)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "text",
    [
        '# comment\nmetadata\n    name = x\ncurve\n    public-key = "KEY"\n    secret-key = "SECRET"\n',
        "public-key='KEY'\r\nsecret-key='SECRET'\r\n",
        "curve\n\tsecret-key\t=\tSECRET\n\tpublic-key = KEY",
    ],
)
def test_other_writers_files_are_read(tmp_path: Path, text: str) -> None:
    """Quotes or none, tabs, comments, any order: czmq's, pyzmq's and by hand."""
    path = tmp_path / "x.key_secret"
    path.write_bytes(text.encode())
    assert (b"KEY", b"SECRET") == auth.load_certificate(path)


@purezmq_only("it takes the first one")
def test_metadata_of_other_writers_is_no_key(tmp_path: Path) -> None:
    """Only what stands below ``curve`` is one."""
    path = tmp_path / "x.key"
    path.write_text('metadata\n    public-key = "FORGED"\n    secret-key = "FORGED"\ncurve\n    public-key = "KEY"\n')
    assert (b"KEY", None) == auth.load_certificate(path)


@pytest.mark.parametrize("text", ["", "metadata\n", 'secret-key = "x"\n', '# public-key = "x"\n'])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_file_without_public_key_is_a_value_error(tmp_path: Path, text: str) -> None:
    """The text names the file."""
    path = tmp_path / "x.key"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"x\.key"):
        auth.load_certificate(path)


def test_what_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    """File or directory."""
    with pytest.raises(OSError, match="nothing"):
        auth.load_certificate(tmp_path / "nothing")
    with pytest.raises(OSError, match="nothing"):
        auth.load_certificates(tmp_path / "nothing")


@purezmq_only("it doesn't look")
@pytest.mark.parametrize("permissions", [0o640, 0o604, 0o620, 0o666])
def test_secret_that_others_may_read_warns(tmp_path: Path, permissions: int) -> None:
    """A SecurityWarning names file and mode; the secret is in no warning."""
    from purezmq.error import SecurityWarning

    _, path = auth.create_certificates(tmp_path, "x")
    os.chmod(path, permissions)
    with pytest.warns(SecurityWarning) as caught:
        _, secret = auth.load_certificate(path)
    [text] = [str(warning.message) for warning in caught]
    assert path in text
    assert f"{permissions:04o}" in text
    assert secret.decode() not in text
    assert __file__ == caught[0].filename


def test_public_certificate_that_all_may_read_is_fine(tmp_path: Path) -> None:
    """Warnings are errors in these tests."""
    path, _ = auth.create_certificates(tmp_path, "x")
    os.chmod(path, 0o644)
    assert auth.load_certificate(path)[0]


@purezmq_only("it has no such command")
class TestKeygen:
    """`purezmq keygen`."""

    @staticmethod
    def run(*words: str) -> int:
        """Run the command."""
        from purezmq.cli.main import main

        return main(["keygen", *words])

    def test_writes_a_pair_and_shows_the_public_key_only(self, tmp_path: Path, capsys) -> None:
        """Names of files, the public key, and never the secret one."""
        assert 0 == self.run(str(tmp_path / "server"))
        public, secret = auth.load_certificate(tmp_path / "server.key_secret")
        out, err = capsys.readouterr()
        assert public.decode() in out
        assert str(tmp_path / "server.key_secret") in out
        assert secret.decode() not in out + err
        assert 0o600 == mode(tmp_path / "server.key_secret")

    def test_refuses_to_replace_without_force(self, tmp_path: Path, capsys) -> None:
        """Status 1, and a text that says how; with --force there is a new pair."""
        name = str(tmp_path / "server")
        self.run(name)
        old = auth.load_certificate(f"{name}.key_secret")
        assert 1 == self.run(name)
        assert "--force" in capsys.readouterr().err
        assert old == auth.load_certificate(f"{name}.key_secret")
        assert 0 == self.run(name, "--force")
        assert old != auth.load_certificate(f"{name}.key_secret")

    @pytest.mark.parametrize("ending", ["", ".key", ".key_secret"])
    def test_public_prints_the_public_key_and_nothing_else(self, tmp_path: Path, capsys, ending: str) -> None:
        """For scripts; nothing is written."""
        public_path, _ = auth.create_certificates(tmp_path, "server")
        assert 0 == self.run("--public", f"{tmp_path / 'server'}{ending}")
        assert auth.load_certificate(public_path)[0].decode() + "\n" == capsys.readouterr().out

    @pytest.mark.parametrize("words", [["--public", "nothing"], ["no/such/folder/x"], ["./"]])
    def test_what_can_not_be_done_is_status_1(self, tmp_path: Path, capsys, monkeypatch, words: list[str]) -> None:
        """And one line on stderr."""
        monkeypatch.chdir(tmp_path)
        assert 1 == self.run(*words)
        out, err = capsys.readouterr()
        assert ("", 1) == (out, err.count("\n"))


@purezmq_only("it has no such promise")
def test_import_of_the_library_does_not_load_auth() -> None:
    """It costs nothing until it's imported."""
    program = "import sys, purezmq; print([name for name in sys.modules if name.startswith('purezmq.auth')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert "[]\n" == done.stdout
