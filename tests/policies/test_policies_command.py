"""``omni-pulumi policies``: a new pack, and errors in a configuration."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from omni_pulumi.cli import main
from omni_pulumi.policies.new_pack import NAME, write_pack
from omni_pulumi.policies.rules import RULES
from tests.policies.pack import PACK

EXEMPTION = {"resource": "live", "reason": "Moves.", "until": "2027-01-01"}


def check(config: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    """Check a configuration, and return the lines on stderr."""
    path = tmp_path / "policies.json"
    path.write_text(config if isinstance(config, str) else json.dumps(config), encoding="utf-8")
    status = main(["policies", "check", *options, str(path)])
    out, err = capsys.readouterr()
    assert (status, bool(out)) == ((1, False) if err else (0, True))
    return str(err).splitlines()


@pytest.mark.parametrize(
    "config",
    [
        "",
        {},
        {"all": "mandatory", "pinned-dbt-version": "disabled", "schema-names": {"enforcementLevel": "advisory"}},
        {"schema-names": {"pattern": "(?!tmp_).*"}},
        {"all": {"enforcementLevel": "advisory"}, "exemptions": "mandatory"},
        {"production-protected": {"exempt": [EXEMPTION]}},
        {"all": "mandatory", "exemptions": "advisory", "production-protected": {"exempt": [EXEMPTION]}},
        {rule.name: {name: schema["examples"][0] for name, schema in rule.schema.items()} for rule in RULES},
    ],
)
def test_no_errors(config: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A configuration that a pack with all policies accepts has no errors, among them the examples of all settings."""
    assert check(config, tmp_path, capsys) == []


@pytest.mark.parametrize(
    ("config", "facts"),
    [
        ("{", ["line 1"]),
        ([], ["object"]),
        ({"no-plain-secret": "advisory"}, ["no-plain-secret is", "no-plain-secrets?"]),
        ({"x": "advisory"}, ["x is", "allowed-hosts"]),
        ({"allowed-hosts": {"host": []}}, ["allowed-hosts", "host.", "hosts?"]),
        ({"allowed-hosts": {"hosts": "github.com"}}, ["allowed-hosts.hosts", "array"]),
        ({"allowed-branches": {"stacks": {"prod": "main"}}}, ["allowed-branches.stacks.prod", "array"]),
        ({"allowed-hosts": "on"}, ["allowed-hosts.enforcementLevel", "remediate"]),
        ({"allowed-hosts": True}, ["allowed-hosts", "enforcementLevel"]),
        ({"all": {"hosts": []}}, ["all", "hosts"]),
        ({"schema-names": {"pattern": "("}}, ["schema-names.pattern", "'('", "regex"]),
        ({"schema-names": {"pattern": 7}}, ["schema-names.pattern", "string"]),
        ({"schema-names": {"exempt": [{**EXEMPTION, "until": "2027-1-1"}]}}, ["schema-names.exempt.0.until", "date"]),
        ({"schema-names": {"exempt": [{**EXEMPTION, "til": ""}]}}, ["schema-names.exempt.0", "til"]),
        ({"schema-names": {"exempt": [{"resource": "live", "until": "2027-01-01"}]}}, ["exempt.0", "reason"]),
        ({"all": "mandatory", "schema-names": {"exempt": [EXEMPTION]}}, ['"exemptions": "advisory"']),
    ],
)
def test_error(config: Any, facts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error names the policy and the setting, and the most similar name or what is expected."""
    (line,) = check(config, tmp_path, capsys)
    assert [fact for fact in facts if fact not in line] == []


def test_all_errors_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All errors are shown together."""
    config = {"allowed-hosts": {"host": [], "hosts": [1]}, "all-hosts": "advisory"}
    assert len(check(config, tmp_path, capsys)) == 3


def test_own_policies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Policies of another origin are not checked."""
    config = {"acme-tags": {"tags": []}, "schema-name": "advisory"}
    (line,) = check(config, tmp_path, capsys, "--own", "acme-*")
    assert "schema-name " in line


def test_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file the configuration is read from stdin."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"x": "advisory"}')))
    assert main(["policies", "check"]) == 1
    assert "x is" in capsys.readouterr().err


def test_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that does not exist is one line."""
    assert main(["policies", "check", str(tmp_path / "nope.json")]) == 1
    assert "nope.json" in capsys.readouterr().err


def test_missing_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the packages of the extra the error names it."""
    for name in [name for name in sys.modules if name.startswith("omni_pulumi.policies")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pulumi_policy", None)
    assert main(["policies", "init", str(tmp_path)]) == 1
    assert "omni-pulumi[policies]" in capsys.readouterr().err


def test_new_pack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new pack has two files, of three lines each, and none is overwritten."""
    directory = tmp_path / "new" / "policies"
    assert main(["policies", "init", str(directory)]) == 0
    written = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(directory.iterdir()) == sorted(written)
    for path in written:
        assert len([line for line in path.read_text().splitlines() if line]) == 3
    assert yaml.safe_load((directory / "PulumiPolicy.yaml").read_text())["name"] == NAME
    assert main(["policies", "init", str(directory)]) == 1
    assert "PulumiPolicy.yaml" in capsys.readouterr().err


def test_new_pack_is_that_of_this_repository(tmp_path: Path) -> None:
    """The program of a new pack has the statements of the pack of this repository, with another name."""
    write_pack(tmp_path)
    own, new = ((folder / "__main__.py").read_text().splitlines() for folder in (PACK, tmp_path))
    assert {*own[1:]} == {line.replace(f'"{NAME}"', '"omni-pulumi"') for line in new}
