"""States that earlier versions of the package wrote.

``states/<version>.json`` is the output of ``pulumi stack export`` for the program of ``test_lifecycle.py`` with that
version. Placeholders replace the IDs and URLs of the services. Each release adds a file. Existing files never change.
"""

from __future__ import annotations

import json
from pathlib import Path
from string import Template

import pytest

from omni_pulumi.simulator import CONNECTION_ID, PROJECT_ID, STAGING_CONNECTION_ID
from tests.engine.programs import CONNECTION, connection, program
from tests.engine.project import Project
from tests.engine.services import Services

pytestmark = pytest.mark.slow

STATES = sorted((Path(__file__).parent / "states").glob("*.json"))


@pytest.mark.parametrize("state", STATES, ids=lambda path: path.stem)
def test_old_state(project: Project, services: Services, state: Path) -> None:
    """With an old state a refresh finds no drift, and update and destroy work."""
    services.omni.configure_dbt(
        CONNECTION_ID,
        ssh_url="git@github.com:acme/dbt.git",
        branch="main",
        autogen_relationships=True,
        enable_virtual_schemas=False,
    )
    environment = services.omni.add_environment(CONNECTION_ID, name="Staging", target_schema="staging")
    services.omni.set_variable(environment, "DBT_TARGET", "staging")
    services.omni.set_variable(environment, "DBT_TOKEN", "dbt-token-one", is_secret=True)
    services.omni.set_variable(environment, "PLAIN", "dbt-token-plain", is_secret=True)
    route = services.omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID, ["staging"])
    stored = {**CONNECTION, "authorization_method": "personal_access_token", "personal_access_token": "github_pat_one"}
    source = services.lightdash.add_source(PROJECT_ID, "finance", stored)
    text = Template(state.read_text()).substitute(
        environment=environment, route=route, source=source, omni=services.omni.url, lightdash=services.lightdash.url
    )
    (project.project / "state.json").write_text(text)
    project.must("stack", "import", "--file", "state.json")

    project.write(program())
    unchanged = project.up("--expect-no-changes")
    assert unchanged.status == 0, unchanged.output
    refreshed = project.preview("--refresh", "--expect-no-changes")
    assert refreshed.status == 0, refreshed.output
    changed = program({"branch": "b"}, {"target_schema": "b"}, {"user_attribute_values": ["b"]}, connection(branch="b"))
    project.write(changed)
    updated = project.up("--refresh")
    assert updated.status == 0, updated.output
    assert "~ 4 updated" in updated.output
    services.assert_matches(changed)
    assert services.environment()["id"] == environment
    destroyed = project.destroy()
    assert destroyed.status == 0, destroyed.output
    assert services.lightdash.sources(PROJECT_ID) == []
    assert [e["name"] for e in services.omni.environments(CONNECTION_ID)] == ["Production"]


def test_each_version_has_a_state() -> None:
    """Each released version has a file."""
    assert [path.stem for path in STATES] == ["0.1.0"]
    for path in STATES:
        assert json.loads(path.read_text())["version"] == 3
