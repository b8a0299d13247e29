"""The states that released versions wrote: each later version can continue with them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from omni_pulumi.simulator import CONNECTION_ID, PROJECT_ID, STAGING_CONNECTION_ID
from tests.catalogue import SAMPLES
from tests.engine.old_states import STATES, program_of, state_of, versions
from tests.engine.project import Program, Project
from tests.engine.services import Services

ROOT = Path(__file__).parents[2]

CHANGES: dict[str, dict[str, Any]] = {
    "DbtConfiguration": {"branch": "b"},
    "DbtEnvironment": {"target_schema": "b"},
    "ConnectionEnvironment": {"user_attribute_values": ["b"]},
    "ConnectionEnvironmentAttribute": {"default_values": ["b"]},
    "LightdashDbtSource": {"name": "b"},
}
"""Other arguments, by kind of resource."""


@pytest.mark.slow
@pytest.mark.parametrize("omni", ["generated"], indirect=True)  # a state does not depend on the dialect
@pytest.mark.parametrize("version", versions())
def test_old_state(project: Project, services: Services, version: str) -> None:
    """With the state of each version, `up` and a refresh find no change, and an update and a destroy work.

    Each of these commands gets the outputs of all resources as that version wrote them.
    """
    program = program_of(version)
    ids = services.create(program)
    state = state_of(version, {**ids, "omni": services.omni.url, "lightdash": services.lightdash.url})
    project.import_state(state)
    project.write(program)
    for command in (project.up, lambda *options: project.preview("--refresh", *options)):
        unchanged = command("--expect-no-changes")
        assert unchanged.status == 0, unchanged.output

    changed: Program = {name: (kind, {**given, **CHANGES[kind]}) for name, (kind, given) in program.items()}
    project.write(changed)
    updated = project.up()
    assert updated.status == 0, updated.output
    assert f"~ {len(program)} updated" in updated.output
    services.assert_matches(changed)
    created = {services.environment()["id"], services.connection_environment()["id"], services.source()["id"]}
    assert created <= set(ids.values())

    project.import_state(state)
    destroyed = project.destroy()
    assert destroyed.status == 0, destroyed.output
    assert services.lightdash.sources(PROJECT_ID) == []
    assert services.omni.dbt_configuration(CONNECTION_ID) is None
    assert services.omni.connection_environments() == []
    assert services.omni.environment_user_attribute(STAGING_CONNECTION_ID) is None
    assert [e["name"] for e in services.omni.environments(CONNECTION_ID)] == ["Production"]


def test_each_version_has_a_state() -> None:
    """Each version in the changelog has a state."""
    released = re.findall(r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert released
    assert set(released) <= set(versions())


def test_the_newest_state_has_each_kind_of_resource() -> None:
    """The newest state has a resource of each kind. CONTRIBUTING.md says how to record it again."""
    state = json.loads((STATES / versions()[-1] / "state.json").read_text())
    kinds = {resource["type"].rpartition(":")[2] for resource in state["deployment"]["resources"]}
    assert SAMPLES.keys() - kinds == set()


@pytest.mark.parametrize("version", versions())
def test_the_secrets_of_a_state_are_encrypted(version: str) -> None:
    """A state has none of the program's secrets in plain text."""
    state = (STATES / version / "state.json").read_text()
    assert "ciphertext" in state
    for _, arguments in program_of(version).values():
        token = arguments.get("dbt_connection", {}).get("personal_access_token")
        for secret in (*arguments.get("secret_variables", {}).values(), *([token] if token else [])):
            assert (secret["$secret"] if isinstance(secret, dict) else secret) not in state
