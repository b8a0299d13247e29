"""``tools.get_engine``: which Pulumi engine it chooses, in which order, and how it reports failures."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import get_engine
from tools.get_engine import (
    EngineError,
    StepFailedError,
    build_in_cache,
    engine_bin_dir,
    engine_path,
    parse_version,
)


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty directory on PATH, an empty cache, and an installer that cannot connect."""
    for folder in ("path", "home"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMNI_PULUMI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
    replace_installer(tmp_path, 'raise OSError("no route to the installer")')
    return tmp_path


def replace_installer(machine: Path, *body: str) -> None:
    """Replace the installer in Pulumi's SDK. The body has `root`, a `Path`, and `version`."""
    module = machine / "modules" / "pulumi" / "automation.py"
    module.parent.mkdir(parents=True, exist_ok=True)
    (module.parent / "__init__.py").touch()
    lines = ["from pathlib import Path", "class PulumiCommand:", "    @staticmethod", "    def install(root, version):"]
    lines += [f"        {line}" for line in ("root = Path(root)", *body)]
    module.write_text("\n".join(lines))


def add_program(path: Path, output: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{output}'\n")
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
def test_parse_version(text: str, version: tuple[int, int, int]) -> None:
    """A version is found in the output of Pulumi and Go and in a go.mod. A missing patch number counts as 0."""
    assert parse_version(text) == version


def test_output_without_a_version() -> None:
    """An empty output, which a Pulumi that was built without its version prints, is an error."""
    with pytest.raises(StepFailedError, match="''"):
        parse_version("\n")


def test_path_before_cache(machine: Path) -> None:
    """The Pulumi on PATH is used although the cache contains another one."""
    add_program(machine / "path" / "pulumi", "v3.216.0")
    add_program(machine / "path" / "pulumi-language-python", "")
    add_program(cached_engine(machine) / "pulumi", "v3.220.0")
    assert engine_bin_dir() == machine / "path"


@pytest.mark.parametrize(("version", "with_host"), [("v3.215.9", True), ("v3.220.0", False)])
def test_unusable_pulumi_on_path(machine: Path, version: str, *, with_host: bool) -> None:
    """A Pulumi on PATH that is too old or has no Python language host is skipped, and the cache is used."""
    add_program(machine / "path" / "pulumi", version)
    if with_host:
        add_program(machine / "path" / "pulumi-language-python", "")
    add_program(cached_engine(machine) / "pulumi", "v3.220.0")
    assert engine_bin_dir() == cached_engine(machine)


def test_forced_build_uses_the_cache(machine: Path) -> None:
    """`--build` ignores the Pulumi on PATH, and uses the engine that an earlier build stored in the cache."""
    add_program(machine / "path" / "pulumi", "v3.258.0")
    add_program(machine / "path" / "pulumi-language-python", "")
    add_program(cached_engine(machine) / "pulumi", "v3.220.0")
    assert engine_bin_dir(build=True) == cached_engine(machine)


def test_installed_engine_is_cached(machine: Path) -> None:
    """The engine that Pulumi's installer downloads is moved into the cache, and the next call finds it there."""
    replace_installer(
        machine,
        '(root / "bin").mkdir(parents=True)',
        '(root / "bin" / "pulumi").write_text(f"#!/bin/sh\\necho v{version}")',
        '(root / "bin" / "pulumi").chmod(0o755)',
        f'Path({str(machine / "ran")!r}).open("x")',
    )
    assert engine_bin_dir() == cached_engine(machine)
    assert engine_bin_dir() == cached_engine(machine)
    assert sorted(path.name for path in (machine / "cache" / "engine").iterdir()) == [".lock", "3.220.0"]


def test_installed_engine_of_a_wrong_version(machine: Path) -> None:
    """An installer that downloads a wrong version is an error, and nothing stays in the cache."""
    replace_installer(
        machine,
        '(root / "bin").mkdir(parents=True)',
        '(root / "bin" / "pulumi").write_text("#!/bin/sh\\necho v3.1.0")',
        '(root / "bin" / "pulumi").chmod(0o755)',
    )
    with pytest.raises(EngineError, match=r"3\.220\.0.* 3\.1\.0"):
        engine_bin_dir()
    assert not cached_engine(machine).exists()


def test_all_attempts_fail(machine: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The error lists the four attempts with their reasons, and names the page to install Pulumi from."""
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


def test_cache_is_a_file(machine: Path) -> None:
    """A file in the place of the cache is an error with its path."""
    (machine / "cache").write_text("")
    with pytest.raises(EngineError, match=re.escape(str(machine / "cache"))):
        engine_bin_dir()


def test_timeout_kills_child_processes(machine: Path) -> None:
    """A command that times out is killed, with its child processes."""
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    with pytest.raises(StepFailedError, match=r"\b1 s"):
        get_engine.run([sys.executable, "-c", script], timeout=1, cwd=machine)


def test_command_line(machine: Path) -> None:
    """Standard output contains only the directory, so that a shell can put it on PATH."""
    add_program(cached_engine(machine) / "pulumi", "v3.220.0")
    command = [sys.executable, get_engine.__file__]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{cached_engine(machine)}\n", "")


def test_engine_path(machine: Path) -> None:
    """The directory of this Python comes first, because the language host starts the first `python3` on PATH."""
    expected = [str(Path(sys.executable).parent), "/engine", str(machine / "path")]
    assert engine_path(Path("/engine")).split(":") == expected


def test_go_is_too_old(machine: Path) -> None:
    """A Go that is older than the go.mod files require is not used, and the error contains its version."""
    add_program(machine / "path" / "go", "go version go1.20.1 linux/amd64")
    with pytest.raises(EngineError, match=r"1\.20\.1.* 1\.24\.7.* pip "):
        engine_bin_dir(build=True)


def test_build_in_cache(machine: Path) -> None:
    """What is built is moved into the cache, and the next call finds it there. A failed build leaves nothing."""
    target = machine / "cache" / "tool" / "1.0.0"

    def build(work: Path) -> Path:
        (work / "new").write_text(str(work.parent))
        return work / "new"

    def fail(_: Path) -> Path:
        raise StepFailedError("no compiler")

    with pytest.raises(EngineError, match=r"^tool 1\.0\.0: no compiler$"):
        build_in_cache(target, fail, announcement="building", failure="tool 1.0.0")
    assert [path.name for path in target.parent.iterdir()] == [".lock"]
    for each in (build, fail):
        assert build_in_cache(target, each, announcement="building", failure="tool 1.0.0") == target
    assert target.read_text() == str(target.parent)
    assert sorted(path.name for path in target.parent.iterdir()) == [".lock", "1.0.0"]
