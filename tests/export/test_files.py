"""Which files an export writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_pulumi.export import command, files
from omni_pulumi.export.objects import ExportError
from omni_pulumi.simulator import LightdashSimulator, OmniSimulator, faults
from tests.export.conftest import writes, written
from tests.export.estate import fill_lightdash, fill_omni
from tests.subcommand import Run, unset


def test_few_are_one_file(run: Run, tmp_path: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """Few connections and projects are one program, and no request is a write."""
    fill_omni(omni, connections=2)
    assert run("-o", "estate").status == 0
    assert {*written(tmp_path / "estate")} == {
        "Pulumi.yaml",
        "requirements.txt",
        "__main__.py",
        "omni-pulumi-export.json",
    }
    assert writes(omni, lightdash) == []


def test_many_are_modules(run: Run, tmp_path: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """Many connections and projects have a module each, named after them."""
    fill_omni(omni)
    fill_lightdash(lightdash)
    assert run("-o", "estate").status == 0
    names = {*written(tmp_path / "estate")}
    expected = {"omni/__init__.py", "omni/class_.py", "omni/connection_2024_archive.py", "lightdash/import_.py"}
    assert expected - names == set()
    assert {name for name in names if name.startswith("omni/analytics")} & {"omni/analytics.py"} == set()


def test_the_same_again(run: Run, tmp_path: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """Two exports of one estate are equal."""
    fill_omni(omni)
    fill_lightdash(lightdash)
    assert (run("-o", "one").status, run("-o", "two").status) == (0, 0)
    one, two = dict(written(tmp_path / "one")), dict(written(tmp_path / "two"))
    assert one.pop("Pulumi.yaml").replace("one", "two") == two.pop("Pulumi.yaml")
    assert one == two


def test_a_file_in_the_way(run: Run, tmp_path: Path, omni: OmniSimulator) -> None:
    """A file in the way is named before any request, and stays. Other files are not in the way."""
    fill_omni(omni, connections=2)
    omni.clear_requests()
    (tmp_path / "estate").mkdir()
    (tmp_path / "estate" / "README.md").write_text("mine")
    (tmp_path / "estate" / "__main__.py").write_text("mine")
    refused = run("-o", "estate")
    assert (refused.status, refused.out, refused.err.count("\n")) == (command.FAILURE, "", 1)
    assert ("__main__.py" in refused.err, "README.md" in refused.err, omni.requests) == (True, False, [])
    assert written(tmp_path / "estate") == {"README.md": "mine", "__main__.py": "mine"}
    assert run("-o", "estate", "--force").status == 0
    assert written(tmp_path / "estate")["README.md"] == "mine"
    assert written(tmp_path / "estate")["__main__.py"] != "mine"


def test_a_module_in_the_way(run: Run, tmp_path: Path, omni: OmniSimulator) -> None:
    """A file in the way of a module is found after the reads, and nothing is written."""
    fill_omni(omni)
    (tmp_path / "estate" / "omni").mkdir(parents=True)
    (tmp_path / "estate" / "omni" / "types.py").write_text("mine")
    refused = run("-o", "estate")
    assert (refused.status, "omni/types.py" in refused.err) == (command.FAILURE, True)
    assert written(tmp_path / "estate") == {"omni/types.py": "mine"}


def test_force_keeps_names(run: Run, omni: OmniSimulator) -> None:
    """An object keeps the name that an earlier export gave, also after another object has got that name."""
    connection = fill_omni(omni, connections=2)[0]
    omni.add_environment(connection, name="Only", target_schema="one")
    first = run("omni", "-o", "estate", "--json").json["objects"]
    omni.add_environment(connection, name="only!", target_schema="two")
    again = run("omni", "-o", "estate", "--force", "--json").json["objects"]
    names = {each["id"]: each["resource"] for each in first}
    later = {each["id"]: each["resource"] for each in again}
    assert {key: later[key] for key in names} == names
    (new,) = later.keys() - names.keys()
    (old,) = [each["resource"] for each in first if each["name"] == "Only"]
    assert later[new] == f"{old}_{new[-4:]}"


def test_read_only_folder(run: Run, omni: OmniSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that may not be written is one sentence."""
    fill_omni(omni, connections=2)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryDirectory", refused)
    ended = run("-o", "estate")
    assert (ended.status, ended.out, ended.err.count("Cannot write to estate: Permission denied")) == (2, "", 1)


def test_nothing_is_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a file cannot be written, no file is, and a new folder is removed."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="estate"):
        files.write(tmp_path / "file" / "estate", {"a": "a"})
    original = Path.write_text

    def full_disk(path: Path, content: str, **options: str) -> int:
        if path.name == "b":
            raise OSError(28, "No space left on device")
        return original(path, content, **options)

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(ExportError, match="No space left"):
        files.write(tmp_path / "new" / "estate", {"a": "a", "b": "b"})
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").mkdir()
    with pytest.raises(ExportError):
        files.write(tmp_path / "old", {"a": "a", "b": "b"})
    assert [*(tmp_path / "old").iterdir()] == []


def test_interrupt(run: Run, tmp_path: Path, omni: OmniSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C during the reads is one line, and nothing is written."""
    fill_omni(omni, connections=2)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("omni_pulumi.export.omni.declare", interrupted)
    ended = run("-o", "estate")
    assert (ended.status, ended.out, ended.err.count("\n")) == (command.INTERRUPTED, "", 1)
    assert not (tmp_path / "estate").exists()


def test_nothing_found(run: Run, tmp_path: Path) -> None:
    """When there is nothing to declare, nothing is written."""
    ended = run("-o", "estate")
    assert (ended.status, ended.summary) == (command.CHANGED, "0 found, 0 written, 0 skipped")
    assert not (tmp_path / "estate").exists()


def test_no_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings the error names those of both services. A service without a URL is left out."""
    unset(monkeypatch, "LIGHTDASH_")
    assert run("-o", "omni-only").summary == "0 found, 0 written, 0 skipped"
    unset(monkeypatch, "OMNI_")
    ended = run()
    assert (ended.status, ended.err.count("\n")) == (command.FAILURE, 1)
    settings = ("OMNI_BASE_URL", "OMNI_API_KEY", "LIGHTDASH_URL", "LIGHTDASH_API_KEY")
    assert [name for name in settings if name not in ended.err] == []
    assert "OMNI_EU_API_KEY" in run("omni", "--profile", "eu").err


@pytest.mark.parametrize("variable", ["OMNI_API_KEY", "LIGHTDASH_API_KEY"])
def test_wrong_key(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """A wrong key is one sentence, which does not contain it."""
    monkeypatch.setenv(variable, "a-wrong-key")
    ended = run("-o", "estate")
    assert (ended.status, ended.out, ended.err.count("\n"), "a-wrong-key" in ended.err) == (2, "", 1, False)
    assert not (tmp_path / "estate").exists()


def test_unreachable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that cannot be reached is named in one sentence."""
    monkeypatch.setenv("OMNI_BASE_URL", "http://127.0.0.1:9")
    ended = run("omni")
    assert (ended.status, ended.out, ended.err.splitlines()[-1].count("127.0.0.1:9")) == (command.FAILURE, "", 1)


def test_failing_service(run: Run, omni: OmniSimulator, tmp_path: Path) -> None:
    """An error of the service in the middle is the error of the export."""
    fill_omni(omni, connections=2)
    omni.inject(faults.Status(500, processed=False, path="/dbt/environments$", times=None))
    assert run("-o", "estate").status == command.FAILURE
    assert not (tmp_path / "estate").exists()


def test_progress(run: Run, omni: OmniSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal shows which connection is read, and the last line is cleared. Other outputs have no progress."""
    fill_omni(omni, connections=2)
    assert "\x1b" not in run("omni", "-o", "one").err
    monkeypatch.setattr("omni_pulumi.export.command.sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    lines = run("omni", "--connection", "Analytics", "--connection", "Analytics!", "-o", "two").err.split("\r\x1b[K")
    assert [line for line in lines if "connection" in line][:2] == [
        f'[{" " * 20}] 0/2 connection "Analytics"',
        f'[{"#" * 10}{" " * 10}] 1/2 connection "Analytics!"',
    ]
    assert max(map(len, lines[:-1])) < 60
