"""The installed command: input, output, exit status, and imports."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import omni_pulumi
from omni_pulumi.cli import main
from tests.cli.previews import RECORDINGS
from tools.pictures import COMMAND

UPDATE = RECORDINGS / "update.log.jsonl"


def run(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the installed command."""
    return subprocess.run([COMMAND, *arguments], input=stdin, capture_output=True, check=False)


def test_file_and_stdin(tmp_path: Path) -> None:
    """The result is the same from a file and from stdin, on stdout and in a file."""
    written = tmp_path / "comment.md"
    from_file, from_stdin = run("preview-summary", UPDATE), run("preview-summary", stdin=UPDATE.read_bytes())
    assert run("preview-summary", UPDATE, "--output", written).returncode == 0
    assert from_file.stdout == from_stdin.stdout == written.read_bytes() != b""
    assert (from_file.returncode, from_file.stderr) == (0, b"")


def test_a_failed_preview_has_a_summary() -> None:
    """The summary of a failed preview is a success."""
    ended = run("preview-summary", RECORDINGS / "check.digest.json")
    assert (ended.returncode, b"branch must not be empty" in ended.stdout) == (0, True)


@pytest.mark.parametrize("command", ["preview-summary", "graph"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", None])
def test_invalid_input(command: str, content: bytes | None, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Invalid input is one line on stderr and exit status 1."""
    path = tmp_path / "input"
    if content is not None:
        path.write_bytes(content)
    assert main([command, str(path)]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), err.startswith(f"omni-pulumi {command}: ")) == ("", 1, True)


def test_version() -> None:
    """The command, the package and its metadata have the same version, which only --version reads."""
    installed = importlib.metadata.version("omni-pulumi")
    assert omni_pulumi.__version__ == installed
    code = "import sys; from omni_pulumi.cli import main; sys.argv[0] = 'omni-pulumi'; main(['--version'])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == f"omni-pulumi {installed}\n"
    code = "import sys, omni_pulumi.cli; sys.exit('importlib.metadata' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_summary_imports_little() -> None:
    """A summary imports neither Pulumi nor a package outside the standard library."""
    code = (
        "import sys; from omni_pulumi.cli import main; assert main(sys.argv[1:]) == 0; "
        "sys.exit(' '.join(sorted({'pulumi', 'grpc', 'httpx', 'pydantic', 'rich'} & set(sys.modules))))"
    )
    ended = subprocess.run([sys.executable, "-c", code, "preview-summary", UPDATE], capture_output=True, check=False)
    assert ended.stderr.strip() == b""


def test_public_names() -> None:
    """``dir`` lists the public names, which are imported on first access."""
    code = (
        "import sys, omni_pulumi; assert {*omni_pulumi.__all__, '__version__'} <= set(dir(omni_pulumi)); "
        "assert 'pulumi' not in sys.modules; assert all(getattr(omni_pulumi, name) for name in omni_pulumi.__all__); "
        "assert not hasattr(omni_pulumi, 'DbtThing'); from omni_pulumi import DbtConnection, DbtEnvironment"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_deeply_nested_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Input that is nested too deeply is one line on stderr and exit status 1."""
    (tmp_path / "input").write_text('{"steps":' + "[" * 100_000)
    assert main(["preview-summary", str(tmp_path / "input")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_output_of_powershell(tmp_path: Path) -> None:
    """The command reads UTF-16 and lines that end with CRLF."""
    text = UPDATE.read_text().replace("\n", "\r\n")
    (tmp_path / "input").write_bytes(text.encode("utf-16"))
    assert run("preview-summary", tmp_path / "input").stdout == run("preview-summary", UPDATE).stdout


def test_empty_preview_with_a_stack(tmp_path: Path) -> None:
    """With --stack, an empty input has a summary, so that a comment about an earlier push is replaced."""
    (tmp_path / "input").write_text("")
    ended = run("preview-summary", "--stack", "prod", tmp_path / "input")
    assert ended.returncode == 0
    assert ended.stdout.startswith(b"<!-- omni-pulumi preview-summary: prod -->\n\n### Preview of `prod` failed\n")


def test_graph_option(tmp_path: Path) -> None:
    """--graph reads a second file, and adds the flowchart that ``graph`` writes without marks."""
    update = RECORDINGS / "update.digest.json"
    comment = run("preview-summary", "--graph", update, UPDATE)
    assert comment.returncode == 0
    assert comment.stdout.startswith(run("preview-summary", UPDATE).stdout)
    (first, *_) = run("graph", update).stdout.splitlines()
    assert b"```mermaid\n" + first in comment.stdout
    missing = run("preview-summary", "--graph", tmp_path / "missing", UPDATE)
    assert (missing.returncode, missing.stdout, missing.stderr.count(b"\n")) == (1, b"", 1)
