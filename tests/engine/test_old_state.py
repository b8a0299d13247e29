"""State that earlier versions of the package wrote keeps working.

``states/<version>.json`` is what ``pulumi stack export`` gave for the program of ``test_life`` with that version, the
services' own IDs taken out. A release adds its file; none is ever changed.
"""

from __future__ import annotations

import json
from pathlib import Path
from string import Template

import pytest

from omni_pulumi.simulator import CONNECTION_ID, PROJECT_ID, STAGING_CONNECTION_ID
from tests.engine.project import Project
from tests.engine.scene import CONNECTION, World, connection, program

pytestmark = pytest.mark.slow

STATES = sorted((Path(__file__).parent / "states").glob("*.json"))


@pytest.mark.parametrize("state", STATES, ids=lambda path: path.stem)
def test_old_state(project: Project, world: World, state: Path) -> None:
    """A refresh of it is quiet, an update and a destroy reach the objects."""
    world.omni.configure_dbt(
        CONNECTION_ID,
        ssh_url="git@github.com:acme/dbt.git",
        branch="main",
        autogen_relationships=True,
        enable_virtual_schemas=False,
    )
    environment = world.omni.add_environment(CONNECTION_ID, name="Staging", target_schema="staging")
    world.omni.set_variable(environment, "DBT_TARGET", "staging")
    world.omni.set_variable(environment, "DBT_TOKEN", "dbt-token-one", is_secret=True)
    world.omni.set_variable(environment, "PLAIN", "dbt-token-plain", is_secret=True)
    route = world.omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["staging"])
    stored = {**CONNECTION, "authorization_method": "personal_access_token", "personal_access_token": "github_pat_one"}
    source = world.lightdash.add_source(PROJECT_ID, "finance", stored)
    filled = Template(state.read_text()).substitute(
        environment=environment, route=route, source=source, omni=world.omni.url, lightdash=world.lightdash.url
    )
    (project.project / "state.json").write_text(filled)
    project.must("stack", "import", "--file", "state.json")

    project.write(program())
    unchanged = project.up("--expect-no-changes")
    assert unchanged.status == 0, unchanged.output
    quiet = project.preview("--refresh", "--expect-no-changes")
    assert quiet.status == 0, quiet.output
    changed = program({"branch": "b"}, {"target_schema": "b"}, {"user_attribute_values": ["b"]}, connection(branch="b"))
    project.write(changed)
    updated = project.up("--refresh")
    assert updated.status == 0, updated.output
    assert "~ 4 updated" in updated.output
    world.holds(changed)
    assert world.environment()["id"] == environment
    destroyed = project.destroy()
    assert destroyed.status == 0, destroyed.output
    assert world.lightdash.sources(PROJECT_ID) == []
    assert [e["name"] for e in world.omni.environments(CONNECTION_ID)] == ["Production"]


def test_a_state_of_this_version_is_kept() -> None:
    """Each version that anyone may have used has its file."""
    assert [path.stem for path in STATES] == ["0.1.0"]
    for path in STATES:
        assert json.loads(path.read_text())["version"] == 3
