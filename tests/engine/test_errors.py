"""What a user sees when a provider fails, and when a key is kept in clear."""

from __future__ import annotations

from omni_pulumi.simulator import CONNECTION_ID
from tests.engine.project import Project
from tests.engine.scene import World, program

PROGRAM = f'''
import pulumi
from pulumi import dynamic

import omni_pulumi


class Other(dynamic.ResourceProvider):
    def create(self, props):
        raise KeyError("of another provider")


class OtherResource(dynamic.Resource):
    pass


made = omni_pulumi.DbtConfiguration(
    "dbt",
    connection_id="{CONNECTION_ID}",
    ssh_url="git@github.com:acme/dbt.git",
    branch="main",
    autogen_relationships=True,
    enable_virtual_schemas=False,
)
OtherResource(Other(), "other", {{}})
'''
"""One resource of this package and one of another provider, which Pulumi serves in the same process."""


def test_the_sentence_alone(project: Project, world: World) -> None:
    """An error of this package is one sentence without a traceback; an error of another provider keeps its own."""
    world.omni.configure_dbt(CONNECTION_ID, branch="of others")
    (project.project / "__main__.py").write_text(PROGRAM)
    ran = project.run("up", "--yes", "--skip-preview", "--continue-on-error")
    assert ran.status != 0
    ours, theirs = (
        next(part for part in ran.output.partition("Diagnostics:")[2].split("\n\n") if f"({name})" in part).strip()
        for name in ("dbt", "other")
    )
    assert len(ours.splitlines()) == 2, ran.output
    assert CONNECTION_ID in ours
    assert "Traceback" not in ours
    assert [text for text in ("Traceback", "in create", "KeyError: 'of another provider'") if text not in theirs] == []


def test_a_plain_key_is_warned_about(project: Project, world: World) -> None:
    """A key that is plain in the stack's configuration is named once, with the command that encrypts it."""
    project.write(program())
    quiet = project.preview()
    assert quiet.status == 0
    assert "apiKey" not in quiet.output
    project.must("config", "set", "--plaintext", "omni:apiKey", world.omni.api_key)
    warned = project.preview()
    assert warned.status == 0, warned.output
    assert warned.output.count("`pulumi config set --secret omni:apiKey`") == 1, warned.output
    assert "lightdash:apiKey" not in warned.output
    assert world.omni.api_key not in warned.output
