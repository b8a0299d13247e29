"""``--check`` compares the live objects with the record of an export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from omni_pulumi.export import command, manifest
from omni_pulumi.simulator import (
    CONNECTION_ID,
    OTHER_CONNECTION_ID,
    OTHER_USER_ID,
    USER_ID,
    LightdashSimulator,
    OmniSimulator,
    faults,
)
from tests.export.conftest import writes, written
from tests.export.estate import add_secrets, fill_lightdash
from tests.export.test_objects import stack_of
from tests.subcommand import Run

SAME = "0 changed, 0 added, 0 removed"


def test_changes(run: Run, tmp_path: Path, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """Changed arguments, new and removed objects are reported with exit status 1. Edits of the code do not matter."""
    omni.configure_dbt(CONNECTION_ID)
    secrets = add_secrets(omni, CONNECTION_ID)
    removed = omni.add_environment(CONNECTION_ID, name="Removed", target_schema="a")
    fill_lightdash(lightdash, projects=0)
    assert run("-o", "estate").status == 0
    (tmp_path / "estate" / "__main__.py").write_text("something else")
    before = written(tmp_path / "estate")
    same = run("--check", "estate")
    assert (same.status, same.summary.endswith(SAME)) == (command.SUCCESS, True)

    omni.configure_dbt(CONNECTION_ID, branch="develop")
    omni.set_variable(secrets, "DBT_TARGET", "other")
    omni.set_variable(secrets, "NEW_SECRET", "a new secret", is_secret=True)
    omni.delete_environment(removed)
    added = omni.add_environment(CONNECTION_ID, name="Added", target_schema="a")
    app = next(source for source in lightdash.sources(lightdash.project_id) if source["name"] == "app")
    lightdash.edit_source(app["id"], connection={"branch": "develop"})

    ended = run("--check", "estate", "--json")
    changes = ended.json
    assert ended.status == command.CHANGED
    assert {(each["name"], *each["arguments"]) for each in changes["changed"]} == {
        ("Warehouse", "branch"),
        ("Secrets", "unmanaged_variables", "variables.DBT_TARGET"),
        ("app", "dbt_connection.branch"),
    }
    assert [each["id"] for each in changes["added"]] == [f"{CONNECTION_ID}/{added}"]
    assert [each["id"] for each in changes["removed"]] == [f"{CONNECTION_ID}/{removed}"]
    text = run("--check", "estate")
    assert (text.status, text.summary.endswith("3 changed, 1 added, 1 removed")) == (command.CHANGED, True)
    assert "dbt_connection.branch" in text.out
    assert written(tmp_path / "estate") == before
    assert writes(omni, lightdash) == []


def test_the_same_selection(run: Run, omni: OmniSimulator) -> None:
    """A check reads what the export selected."""
    omni.configure_dbt(CONNECTION_ID)
    assert run("omni", "-o", "estate", "--kind", "configuration", "--connection", "Warehouse").status == 0
    omni.configure_dbt(OTHER_CONNECTION_ID)
    omni.add_environment(CONNECTION_ID, name="Other", target_schema="a")
    assert run("--check", "estate").status == command.SUCCESS


def test_what_cannot_be_read_is_not_removed(run: Run, omni: OmniSimulator) -> None:
    """Objects of a connection that the key may no longer read are reported as not read."""
    omni.configure_dbt(CONNECTION_ID)
    omni.configure_dbt(OTHER_CONNECTION_ID)
    assert run("omni", "-o", "estate").status == 0
    omni.inject(faults.Status(403, processed=False, path=f"{CONNECTION_ID}/dbt", times=None))
    ended = run("--check", "estate", "--json")
    assert (ended.status, ended.json["removed"], len(ended.json["unknown"])) == (command.SUCCESS, [], 2)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"version": 2}', '{"objects": [{}]}'])
def test_no_record(run: Run, tmp_path: Path, content: str | None) -> None:
    """A directory without a record, or with a broken one, is one sentence and no report of changes."""
    (tmp_path / "estate").mkdir()
    if content is not None:
        (tmp_path / "estate" / manifest.FILE).write_text(content)
    ended = run("--check", "estate")
    assert (ended.status, ended.out, ended.err.count("\n")) == (command.FAILURE, "", 1)
    assert manifest.FILE in ended.err


def test_record_of_another_version(run: Run, tmp_path: Path, omni: OmniSimulator) -> None:
    """A record of a later version is refused."""
    omni.configure_dbt(CONNECTION_ID)
    assert run("omni", "-o", "estate").status == 0
    path = tmp_path / "estate" / manifest.FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 2}))
    assert run("--check", "estate").status == command.FAILURE


def test_check_with_other_options(run: Run) -> None:
    """Options of an export are refused beside ``--check``."""
    ended = run("--check", "estate", "--force", "--owner", "shared")
    assert (ended.status, ended.err.count("\n")) == (command.FAILURE, 1)
    assert "--force, --owner" in ended.err


def test_another_name_of_a_connection(run: Run, omni: OmniSimulator) -> None:
    """The name of a connection is not managed, so another one is no change."""
    omni.configure_dbt(CONNECTION_ID)
    assert run("omni", "-o", "estate").status == 0
    omni.rename_connection(CONNECTION_ID, "Renamed")
    assert run("--check", "estate").status == command.SUCCESS


def test_a_recreated_object(run: Run, tmp_path: Path, omni: OmniSimulator) -> None:
    """An object that was deleted and created again is the same one, and keeps its name in the next export."""
    omni.configure_dbt(CONNECTION_ID)
    before = omni.add_environment(CONNECTION_ID, name="Staging", target_schema="a")
    assert run("omni", "-o", "estate").status == 0
    omni.delete_environment(before)
    after = omni.add_environment(CONNECTION_ID, name="Staging", target_schema="a")
    assert run("--check", "estate").status == command.SUCCESS
    omni.edit_environment(after, target_schema="b")
    assert [each["arguments"] for each in run("--check", "estate", "--json").json["changed"]] == [["target_schema"]]

    program = tmp_path / "estate" / "__main__.py"
    renamed = program.read_text().replace("warehouse_staging", "warehouse_mine")
    program.write_text(renamed)
    assert run("--renew", "estate").status == command.SUCCESS
    assert program.read_text() == renamed
    assert run("--check", "estate").status == command.SUCCESS
    assert run("omni", "-o", "estate", "--force").status == 0
    assert f'# dbt environment {after}\nDbtEnvironment(\n    "warehouse_staging",' in program.read_text()


def test_equal_descriptions(run: Run, omni: OmniSimulator) -> None:
    """Objects that are described alike are told apart by their IDs."""
    omni.configure_dbt(CONNECTION_ID)
    environments = [
        omni.add_environment(CONNECTION_ID, name="Mine", target_schema="a", owner_id=owner)
        for owner in (USER_ID, OTHER_USER_ID)
    ]
    omni.add_environment(CONNECTION_ID, name="Other", target_schema="a")
    assert run("omni", "-o", "estate").status == 0
    for each in omni.environments(CONNECTION_ID):
        omni.edit_environment(each["id"], target_schema="b")
    lines = run("--check", "estate").out.splitlines()
    assert [each for each in environments if f"({CONNECTION_ID}/{each}): target_schema" not in "".join(lines)] == []
    assert sum("(" in line for line in lines) == 2


def test_a_part_is_dropped(run: Run, tmp_path: Path, omni: OmniSimulator) -> None:
    """After a split, the record forgets another connection, and what another stack manages, under any ID."""
    for connection in (CONNECTION_ID, OTHER_CONNECTION_ID):
        omni.configure_dbt(connection)
    moved = omni.add_environment(CONNECTION_ID, name="Moved", target_schema="a")
    assert run("omni", "-o", "estate").status == 0
    program = (tmp_path / "estate" / "__main__.py").read_text()
    stack = stack_of(("DbtEnvironment", "moved", f"{CONNECTION_ID}/{moved}"))
    (tmp_path / "stack.json").write_text(json.dumps(stack))
    renewed = run("--renew", "estate", "--connection", "Warehouse", "--not-in-stack", "stack.json")
    assert (renewed.status, renewed.summary.endswith("0 changed, 0 added, 2 removed")) == (0, True)
    omni.configure_dbt(OTHER_CONNECTION_ID, branch="other")
    omni.edit_environment(moved, target_schema="b")
    assert run("--check", "estate").status == command.SUCCESS
    omni.delete_environment(moved)
    assert run("--check", "estate").status == command.SUCCESS
    omni.add_environment(CONNECTION_ID, name="Moved", target_schema="c")
    assert run("--renew", "estate").status == command.SUCCESS
    assert run("--check", "estate").status == command.SUCCESS
    assert (tmp_path / "estate" / "__main__.py").read_text() == program


def test_renewing_keeps_what_cannot_be_read(run: Run, tmp_path: Path, omni: OmniSimulator) -> None:
    """An object that the key may not read stays in the record. Without any object, the record is unchanged."""
    omni.configure_dbt(CONNECTION_ID)
    omni.configure_dbt(OTHER_CONNECTION_ID)
    assert run("omni", "-o", "estate").status == 0
    omni.inject(faults.Status(403, processed=False, path=f"{CONNECTION_ID}/dbt", times=None))
    assert run("--renew", "estate").status == 0
    omni.clear_faults()
    assert run("--check", "estate").status == 0
    before = written(tmp_path / "estate")
    omni.inject(faults.Status(403, processed=False, path="/dbt", times=None))
    assert run("--renew", "estate").status == command.FAILURE
    assert run("--renew", "estate", "--check", "estate").status == command.FAILURE
    assert written(tmp_path / "estate") == before
