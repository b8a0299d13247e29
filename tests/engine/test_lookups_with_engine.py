"""The programs of `docs/lookups.md` with the real engine, and with Pulumi's mocks."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from omni_pulumi.simulator import CONNECTION_ID
from tests.engine.project import Project
from tests.engine.services import Services
from tests.test_docs import ROOT, blocks

pytestmark = pytest.mark.slow

PROGRAM, MOCKS = blocks(ROOT / "docs" / "lookups.md", "python")
COMPONENT = """

class Team(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("test:index:Team", name)
        options = pulumi.ResourceOptions(parent=self)
        DbtEnvironment(name, connection_id=dbt.connection_id, name="Team", target_schema="team", opts=options)


team = get_dbt_environment_output(
    connection_id=warehouse.connection_id, name="Team", opts=pulumi.InvokeOutputOptions(depends_on=[Team("team")])
)
pulumi.export("teamEnvironmentId", team.environment_id)
"""
"""Follows the program of the documentation: a component, and a lookup of what its child creates."""

MOCKED_RUN = """
import runpy

import pulumi


@pulumi.runtime.test
def run():
    return runpy.run_path("__main__.py")["staging"].target_schema.apply(print)


run()
"""
"""Runs the program, and prints an argument that comes from a lookup."""

CONNECTIONS = ("GET", "/api/v1/connections")
ENVIRONMENTS = ("GET", f"/api/v1/connections/{CONNECTION_ID}/dbt/environments")


def requests(services: Services) -> Counter[tuple[str, str]]:
    """Return the requests to Omni since the last call, with their number."""
    counted = Counter((request.method, request.path) for request in services.omni.requests)
    services.omni.clear_requests()
    return counted


@pytest.mark.parametrize("omni", ["generated"], indirect=True)
def test_lookups(project: Project, services: Services) -> None:
    """A resource uses what lookups find, before and after the objects exist, and the second preview is clean.

    The settings come from the stack's configuration. Neither the state nor an output contains the key.
    """
    (project.project / "__main__.py").write_text(PROGRAM + COMPONENT)
    first = project.preview()
    assert first.status == 0, first.output
    assert requests(services) == {CONNECTIONS: 1}

    up = project.up()
    assert up.status == 0, up.output
    sent = requests(services)
    assert sent[CONNECTIONS] == 1
    assert sent[ENVIRONMENTS] - 2 in {1, 2}, (
        "the two lookups read the list once each, and the provider once in 5 seconds"
    )
    ids = {each["target_schema"]: each["id"] for each in services.omni.environments(CONNECTION_ID)}
    assert ids.keys() == {"public", "public_staging", "team"}
    assert f'teamEnvironmentId: "{ids["team"]}"' in up.output

    second = project.preview("--expect-no-changes")
    assert second.status == 0, second.output
    assert requests(services) == {CONNECTIONS: 1, ENVIRONMENTS: 1}

    (project.project / "__main__.py").write_text(
        (PROGRAM + COMPONENT).replace('name="Production"', 'name="production"')
    )
    wrong = project.preview()
    assert wrong.status != 0
    assert 'get_dbt_environment: Cannot find dbt environment "production"' in wrong.output
    assert '"Production" (' in wrong.output
    assert "Traceback" not in wrong.output
    assert requests(services) == {CONNECTIONS: 1, ENVIRONMENTS: 1}

    texts = [first.output, up.output, second.output, wrong.output, project.state()]
    assert [text for text in texts if services.omni.api_key in text] == []


def test_mocks(tmp_path: Path) -> None:
    """With the mocks of the documentation, its program runs without settings, and sends no request."""
    (tmp_path / "__main__.py").write_text(PROGRAM)
    (tmp_path / "test.py").write_text(MOCKS + MOCKED_RUN)
    ran = subprocess.run([sys.executable, "test.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "analytics_staging\n"), ran.stderr
