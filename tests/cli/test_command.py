"""The installed command: where it reads and writes, how it ends, and how little it loads."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import omni_pulumi
from omni_pulumi.cli import main
from tests.cli.previews import RECORDINGS
from tools.pictures import COMMAND

UPDATE = RECORDINGS / "update.log.jsonl"


def run(*arguments: str | Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command as a user has it."""
    return subprocess.run([COMMAND, *arguments], input=given, capture_output=True, check=False)


def test_file_and_stdin(tmp_path: Path) -> None:
    """A file and stdin give the same, on stdout and in a file."""
    written = tmp_path / "comment.md"
    from_file, from_stdin = run("preview-summary", UPDATE), run("preview-summary", given=UPDATE.read_bytes())
    assert run("preview-summary", UPDATE, "--output", written).returncode == 0
    assert from_file.stdout == from_stdin.stdout == written.read_bytes() != b""
    assert (from_file.returncode, from_file.stderr) == (0, b"")


def test_a_failed_preview_has_a_summary() -> None:
    """A preview that failed is summed up, which is a success."""
    ended = run("preview-summary", RECORDINGS / "check.digest.json")
    assert (ended.returncode, b"branch must not be empty" in ended.stdout) == (0, True)


@pytest.mark.parametrize("command", ["preview-summary", "graph-svg", "preview-svg"])
@pytest.mark.parametrize("given", [b"", b"\x00\xff\xfe", None])
def test_other_input(command: str, given: bytes | None, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What is not what a command reads is one line on stderr and a failure."""
    path = tmp_path / "input"
    if given is not None:
        path.write_bytes(given)
    if command == "preview-svg" and given:
        assert main([command, str(path)]) == 0  # any text is what a terminal may show
        return
    assert main([command, str(path)]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), err.startswith(f"omni-pulumi {command}: ")) == ("", 1, True)


def test_missing_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without rich, which only one command needs, that command says how to get it."""
    for module in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "rich", None)
    (tmp_path / "input").write_text("Previewing")
    assert main(["preview-svg", str(tmp_path / "input")]) == 1
    err = capsys.readouterr().err
    assert '"pictures"' in err
    assert "pip install" not in err


def test_version() -> None:
    """The command, the package and its metadata have one version, and it is looked up when it is asked for."""
    installed = importlib.metadata.version("omni-pulumi")
    assert omni_pulumi.__version__ == installed
    code = "import sys; from omni_pulumi.cli import main; sys.argv[0] = 'omni-pulumi'; main(['--version'])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == f"omni-pulumi {installed}\n"
    code = "import sys, omni_pulumi.cli; sys.exit('importlib.metadata' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_summary_loads_little() -> None:
    """A summary needs no Pulumi and no package that is not part of Python."""
    code = (
        "import sys; from omni_pulumi.cli import main; assert main(sys.argv[1:]) == 0; "
        "sys.exit(' '.join(sorted({'pulumi', 'grpc', 'httpx', 'pydantic', 'rich'} & set(sys.modules))))"
    )
    ended = subprocess.run([sys.executable, "-c", code, "preview-summary", UPDATE], capture_output=True, check=False)
    assert ended.stderr.strip() == b""


def test_public_names_are_there() -> None:
    """``dir`` lists the names; they are imported when they are asked for, all of them, and no other."""
    code = (
        "import sys, omni_pulumi; assert {*omni_pulumi.__all__, '__version__'} <= set(dir(omni_pulumi)); "
        "assert 'pulumi' not in sys.modules; assert all(getattr(omni_pulumi, name) for name in omni_pulumi.__all__); "
        "assert not hasattr(omni_pulumi, 'DbtThing'); from omni_pulumi import DbtConnection, DbtEnvironment"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_input_that_is_too_deep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, one line."""
    (tmp_path / "input").write_text('{"steps":' + "[" * 100_000)
    assert main(["preview-summary", str(tmp_path / "input")]) == 1
    assert "nested too deeply" in capsys.readouterr().err


def test_what_windows_writes(tmp_path: Path) -> None:
    """UTF-16 and two characters at the end of a line are read as well."""
    text = UPDATE.read_text().replace("\n", "\r\n")
    (tmp_path / "input").write_bytes(text.encode("utf-16"))
    assert run("preview-summary", tmp_path / "input").stdout == run("preview-summary", UPDATE).stdout


def test_a_preview_that_did_not_begin(tmp_path: Path) -> None:
    """With a name for the stack, no events are a summary too: what the comment said of an earlier push is not true."""
    (tmp_path / "input").write_text("")
    ended = run("preview-summary", "--stack", "prod", tmp_path / "input")
    assert ended.returncode == 0
    assert ended.stdout.startswith(b"<!-- omni-pulumi preview-summary: prod -->\n\n### Preview of `prod` failed\n")


def test_a_title_with_control_characters(tmp_path: Path) -> None:
    """The picture is XML whatever its title is."""
    (tmp_path / "input").write_text("Previewing")
    assert main(["preview-svg", "--title", "a\x01<b>", str(tmp_path / "input"), "-o", str(tmp_path / "p.svg")]) == 0
    ET.parse(tmp_path / "p.svg")
