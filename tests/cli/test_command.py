"""The installed command: input, output, exit status, and imports."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import omni_pulumi
from omni_pulumi.cli import command, conversion, main
from omni_pulumi.cli.base import Command, Group
from tests.cli.previews import RECORDINGS
from tests.test_docs import ROOT, blocks
from tools.pictures import COMMAND

UPDATE = RECORDINGS / "update.log.jsonl"


def subcommands(subject: click.Command, *words: str) -> Iterator[tuple[tuple[str, ...], Command]]:
    """Yield a command and all its subcommands with their words, such as ``("graph",)``."""
    assert isinstance(subject, Command)
    yield words, subject
    if isinstance(subject, Group):
        for name, each in subject.commands.items():
            yield from subcommands(each, *words, name)


COMMANDS = dict(subcommands(command))


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


@pytest.mark.parametrize(
    "arguments",
    [
        ["preview-summary", UPDATE],
        ["graph", RECORDINGS / "update.digest.json"],
        *([*words, "--help"] for words in COMMANDS),
    ],
    ids=lambda arguments: " ".join(each for each in arguments if isinstance(each, str)),
)
def test_imports_are_few(arguments: list[str | Path]) -> None:
    """Help, a summary and a flowchart import neither Pulumi nor a package outside the standard library but click."""
    code = (
        "import sys; from omni_pulumi.cli import main; assert main(sys.argv[1:]) == 0; "
        "sys.exit(' '.join(sorted({'pulumi', 'grpc', 'httpx', 'pydantic', 'rich'} & set(sys.modules))))"
    )
    ended = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=False)
    assert ended.stderr.strip() == b""


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        ([], "command"),
        (["nope"], "nope"),
        (["graph", "--nope"], "--nope"),
        (["graph", "a", "b"], "b"),
        (["export", "--kind", "nope"], "connection-environment"),
        (["export", "--stack"], "--stack"),
        (["export", "nope"], "lightdash"),
    ],
)
def test_invalid_arguments(arguments: list[str], fact: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Invalid arguments are one line on stderr, which names the help of the command, and exit status 2."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert fact in err
    (path,) = re.findall(r"`(.+) --help`", err)
    assert err.startswith(f"{path}: ")


def test_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C while a command reads stdin is one line and exit status 130."""

    def interrupt(_file: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(conversion, "read", interrupt)
    assert main(["graph"]) == 130
    assert "Interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words) or "omni-pulumi")
def test_help_ends_with_examples(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """The help of each command ends with examples, whose arguments its options accept."""
    subject = COMMANDS[words]
    assert main([*words, "--help"]) == 0
    text = capsys.readouterr().out.partition("\nExamples:\n")[2]
    assert re.findall(r"^  (?! )(.+)$", text, re.MULTILINE) == [*subject.examples] != []
    for example in subject.examples:
        line = re.sub(r" > .*", "", example.rpartition(" | ")[2])
        program, *arguments = shlex.split(line)
        assert (program, *arguments[: len(words)]) == ("omni-pulumi", *words)
        parse(command, arguments)


def parse(subject: click.Command, arguments: list[str]) -> None:
    """Parse the arguments of a command without running it.

    Raises:
        UsageError: it does not accept them.
    """
    with contextlib.suppress(click.exceptions.Exit):
        if isinstance(subject, click.Group):
            parse(subject.commands[arguments[0]], arguments[1:])
        else:
            subject.make_context(subject.name, arguments)


@pytest.mark.parametrize("line", blocks(ROOT / "docs" / "command-line.md", "shell")[0].splitlines())
def test_completion(line: str) -> None:
    """Each documented line makes its shell ask the command for completions."""
    shell = re.findall(r"_OMNI_PULUMI_COMPLETE=(\w+)_source omni-pulumi", line)[0]
    environment = {**os.environ, "_OMNI_PULUMI_COMPLETE": f"{shell}_source"}
    script = subprocess.run([COMMAND], env=environment, capture_output=True, text=True, check=True).stdout
    assert f"_OMNI_PULUMI_COMPLETE={shell}_complete" in script


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("omni-pulumi ex", "export"),
        ("omni-pulumi export --kind conn", "connection-environment"),
        ("omni-pulumi export --not", "--not-in-stack"),
    ],
)
def test_completions(words: str, expected: str) -> None:
    """A word that has begun is completed to a command, an option or a value of an option."""
    count = str(len(words.split()) - 1)
    completion = {"_OMNI_PULUMI_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": count}
    ended = subprocess.run([COMMAND], env={**os.environ, **completion}, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines() == [f"plain,{expected}"]


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


MISSING_PACK = '{"sequence":0,"timestamp":1,"policyLoadEvent":{}}\n{"sequence":1,"timestamp":1,"cancelEvent":{}}\n'
"""The events of a preview whose policy pack is missing. Its digest is ``{}``."""
UNLISTED = '{"steps": [], "changeSummary": {"update": 1}}'


@pytest.mark.parametrize(
    ("text", "status"),
    [(MISSING_PACK, 0), ("{}\n", 0), ("error: no stack", 1), ('{"version": 3, "deployment": {}}', 1), (UNLISTED, 1)],
)
def test_each_input_has_a_comment(
    text: str, status: int, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """With --stack, an input without steps is a failed preview, and any other input is a comment and an error."""
    (tmp_path / "input").write_text(text)
    assert main(["preview-summary", "--stack", "prod", str(tmp_path / "input")]) == status
    out, err = capsysbinary.readouterr()
    assert out.startswith(b"<!-- omni-pulumi preview-summary: prod -->\n\n### Preview of `prod` ")
    assert b"no changes" not in out
    assert err.count(b"\n") == status


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["preview-summary"], UPDATE.read_text()),
        (["graph"], (RECORDINGS / "update.digest.json").read_text()),
        (["policies", "check"], "{}"),
        (["export", "--not-in-stack", "-"], '{"deployment": {"resources": 7}}'),
    ],
    ids=["preview-summary", "graph", "policies check", "export"],
)
def test_encodings_of_stdin(
    arguments: list[str],
    text: str,
    encoding: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Each command reads the same text in any encoding from stdin."""
    results = []
    for each in ("utf-8", encoding):
        stdin = io.TextIOWrapper(io.BytesIO(text.replace("\n", "\r\n").encode(each)))
        monkeypatch.setattr(sys, "stdin", stdin)
        status = main(arguments)
        results.append((status, capfd.readouterr()))
    assert results[0] == results[1]
    assert "JSON" not in results[0][1].err or "export" in arguments


def test_graph_of_the_same_input() -> None:
    """A preview on stdin can also be the input of the flowchart."""
    update = RECORDINGS / "update.digest.json"
    piped = run("preview-summary", "--graph", "-", stdin=update.read_bytes())
    assert piped.returncode == 0, piped.stderr
    assert piped.stdout == run("preview-summary", "--graph", update, update).stdout


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
