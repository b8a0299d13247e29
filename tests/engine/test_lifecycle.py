"""Create, update, repair, replace, adopt and delete with the real engine.

The tests assert on the output of Pulumi and on the objects in the services.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from omni_pulumi.simulator import (
    CONNECTION_ID,
    DEVELOPMENT_CONNECTION_ID,
    OTHER_CONNECTION_ID,
    OTHER_PROJECT_ID,
    PAGES,
    PROJECT_ID,
    STAGING_CONNECTION_ID,
    USER_ID,
    faults,
)
from tests.engine.programs import Arguments, connection, program
from tests.engine.project import Program, Project
from tests.engine.services import Services

pytestmark = pytest.mark.slow

SECRETS = ("dbt-token-one", "dbt-token-two", "dbt-token-plain", "github_pat_one", "github_pat_two")

UPDATES: list[tuple[Program, list[str]]] = [
    (
        program(
            {
                "ssh_url": "git@github.com:acme/dbt2.git",
                "branch": "develop",
                "autogen_relationships": False,
                "enable_virtual_schemas": True,
            },
            {"name": "Stage", "target_schema": "stage", "target_database": "db", "target_name": "custom"},
            {"user_attribute_values": ["stage"]},
            {"name": "finance_2", **connection(repository="acme/dbt2", branch="release", project_sub_path="/dbt")},
        ),
        [
            '~ sshUrl: "git@github.com:acme/dbt.git" => "git@github.com:acme/dbt2.git"',
            '~ branch: "main" => "develop"',
            "~ autogenRelationships: true => false",
            "~ enableVirtualSchemas: false => true",
            '~ name: "Staging" => "Stage"',
            '~ targetSchema: "staging" => "stage"',
            '+ targetDatabase: "db"',
            '+ targetName: "custom"',
            '~ [0]: "staging" => "stage"',
            '~ name: "finance" => "finance_2"',
            '~ repository: "acme/dbt" => "acme/dbt2"',
            '~ branch: "main" => "release"',
            '~ projectSubPath: "/" => "/dbt"',
        ],
    ),
    (
        program(
            {
                "enable_semantic_layer": True,
                "dbt_version": "1.11",
                "project_root_path": "dbt",
                "rotate_keys_trigger": "2026-11",
            },
            {
                "target_role": "dev",
                "owner_id": USER_ID,
                "variables": {"DBT_OTHER": "x"},
                "secret_variables": {"DBT_TOKEN": {"$secret": "dbt-token-two"}},
            },
            {"user_attribute_values": ["staging", "test"]},
            connection(
                target="prod",
                selector="tag:nightly",
                environment={"DBT_ENV": "1"},
                personal_access_token={"$secret": "github_pat_two"},
            ),
        ),
        [
            "~ enableSemanticLayer: false => true",
            '~ dbtVersion: "Auto" => "1.11"',
            '+ projectRootPath: "dbt"',
            '+ rotateKeysTrigger: "2026-11"',
            '+ targetRole: "dev"',
            f'+ ownerId: "{USER_ID}"',
            '+ DBT_OTHER: "x"',
            '- DBT_TARGET: "staging"',
            "secretVariables.DBT_TOKEN",
            "- PLAIN: [secret]",
            '+ [1]: "test"',
            '+ target: "prod"',
            '+ selector: "tag:nightly"',
            '+ DBT_ENV: "1"',
            "dbtConnection.personalAccessToken",
        ],
    ),
    (
        program(
            {},
            {},
            {"user_attribute_values": []},
            connection(host_domain="github.acme.com", personal_access_token=None, installation_id="7"),
        ),
        [
            '- [0]: "staging"',
            '+ hostDomain: "github.acme.com"',
            '~ authorizationMethod: "personal_access_token" => "installation_id"',
            '+ installationId: "7"',
        ],
    ),
]
"""Changed programs, and what `pulumi preview --diff` shows for each. Together they change each field once."""


def test_create_update_and_delete(project: Project, services: Services) -> None:
    """Each update shows its changes. A preview after a create or an update shows none.

    No secret is in the output, or in plain text in the state.
    """
    outputs = []
    project.write(program())
    created = project.up()
    assert created.status == 0, created.output
    assert "+ 5 created" in created.output
    services.assert_matches(program())
    outputs += [created.output]

    requests = len(services.omni.requests) + len(services.lightdash.requests)
    unchanged = project.preview("--expect-no-changes")
    assert unchanged.status == 0, unchanged.output
    assert len(services.omni.requests) + len(services.lightdash.requests) == requests, "a preview sends no request"

    for changed, texts in UPDATES:
        project.write(changed)
        updated = project.preview_and_up()
        assert updated.status == 0, updated.output
        assert [text for text in texts if text not in updated.output] == [], updated.output
        assert "replace" not in updated.output
        services.assert_matches(changed)
        unchanged = project.preview("--refresh", "--expect-no-changes")
        assert unchanged.status == 0, unchanged.output
        project.write(program())
        reverted = project.up()
        assert reverted.status == 0, reverted.output
        services.assert_matches(program())
        outputs += [updated.output, unchanged.output, reverted.output]
    assert services.omni.key_rotations == {CONNECTION_ID: 1}, "adding the trigger rotates keys, removing it does not"

    outputs += [project.must("stack", "output"), project.must("stack", "--show-urns")]
    destroyed = project.destroy()
    assert destroyed.status == 0, destroyed.output
    assert services.omni.dbt_configuration(CONNECTION_ID) is None
    assert [e["name"] for e in services.omni.environments(CONNECTION_ID)] == ["Production"]
    assert services.omni.connection_environments() == []
    assert services.lightdash.sources(PROJECT_ID) == []

    everything = "\n".join([*outputs, destroyed.output, project.state()])
    assert [secret for secret in SECRETS if secret in everything] == []
    assert services.omni.api_key not in everything
    assert services.lightdash.api_key not in everything


def drifts(services: Services) -> Iterator[tuple[list[Callable[[], object]], list[str]]]:
    """Yield changes that are made outside Pulumi, and what the next preview shows for them. Each field changes once."""
    omni, lightdash = services.omni, services.lightdash
    environment, source = services.environment()["id"], services.source()["id"]

    def edit(**fields: Any) -> Callable[[], object]:
        return lambda: omni.edit_environment(environment, **fields)

    def configure(**fields: Any) -> Callable[[], object]:
        return lambda: omni.configure_dbt(CONNECTION_ID, **fields)

    def connect(**fields: Any) -> Callable[[], object]:
        return lambda: lightdash.edit_source(source, connection=fields)

    yield (
        [
            configure(ssh_url="git@x:y.git", branch="hotfix", autogen_relationships=False, enable_virtual_schemas=True),
            edit(name="Renamed", target_schema="other", target_database="db", target_name="n"),
            connect(repository="acme/other", branch="release", project_sub_path="/x", target="prod"),
        ],
        [
            '~ sshUrl: "git@x:y.git" => "git@github.com:acme/dbt.git"',
            '~ branch: "hotfix" => "main"',
            "~ autogenRelationships: false => true",
            "~ enableVirtualSchemas: true => false",
            '~ name: "Renamed" => "Staging"',
            '~ targetSchema: "other" => "staging"',
            '- targetDatabase: "db"',
            '- targetName: "n"',
            '~ repository: "acme/other" => "acme/dbt"',
            '~ branch: "release" => "main"',
            '~ projectSubPath: "/x" => "/"',
            '- target: "prod"',
        ],
    )
    routes = {"route": services.connection_environment()["id"]} if omni.dialect.connection_environment_list else {}
    yield (
        [
            configure(enable_semantic_layer=True, dbt_version="1.10", project_root_path="p"),
            edit(target_role="r"),
            lambda: omni.set_variable(environment, "DBT_TARGET", "x"),
            lambda: omni.set_variable(environment, "NEW", "x"),
            connect(selector="s", host_domain="h", environment=[{"key": "E", "value": "1"}]),
            *(lambda route=route: omni.edit_connection_environment(route, ["a", "b"]) for route in routes.values()),
        ],
        [
            "~ enableSemanticLayer: true => false",
            '~ dbtVersion: "1.10" => "Auto"',
            '- projectRootPath: "p"',
            '- targetRole: "r"',
            '~ DBT_TARGET: "x" => "staging"',
            '- NEW: "x"',
            '- selector: "s"',
            '- hostDomain: "h"',
            '- E: "1"',
            *(text for _ in routes for text in ('~ [0]: "a" => "staging"', '- [1]: "b"')),
        ],
    )
    yield (
        [
            lambda: omni.remove_variable(environment, "DBT_TARGET"),
            lambda: omni.remove_variable(environment, "DBT_TOKEN"),
            lambda: lightdash.edit_source(source, name="other"),
        ],
        ['+ DBT_TARGET: "staging"', "+ DBT_TOKEN: [secret]", '~ name: "other" => "finance"'],
    )
    yield (
        [
            lambda: omni.set_variable(environment, "DBT_TOKEN", "dbt-token-two"),
            lambda: omni.set_variable(environment, "SECRET", "dbt-token-two", is_secret=True),
            lambda: lightdash.break_credentials(source),
        ],
        ["+ DBT_TOKEN: [secret]", '- SECRET: "(set in Omni)"', "+ dbtConnection"],
    )


def test_drift(created: Project, services: Services) -> None:
    """A preview with a refresh shows each change that is made outside Pulumi, and the next ``up`` reverts it."""
    project = created
    for changes, texts in drifts(services):
        for change in changes:
            change()
        preview = project.preview("--refresh")
        assert [text for text in texts if text not in preview.output] == [], preview.output
        assert [secret for secret in SECRETS if secret in preview.output] == []
        repaired = project.up("--refresh")
        assert repaired.status == 0, repaired.output
        services.assert_matches(program())
        assert project.preview("--expect-no-changes").status == 0
    assert [secret for secret in SECRETS if secret in project.state()] == []


def test_deleted_outside_pulumi(created: Project, services: Services) -> None:
    """Objects that are deleted outside Pulumi are created again, with and without a refresh. A destroy succeeds."""
    project = created

    def delete() -> None:
        services.omni.unlink_dbt(CONNECTION_ID)
        services.omni.delete_environment(services.environment()["id"])
        services.omni.delete_connection_environment(services.connection_environment()["id"])
        services.lightdash.delete_source(services.source()["id"])

    delete()
    project.write(
        program({"branch": "b"}, {"target_schema": "b"}, {"user_attribute_values": ["b"]}, connection(branch="b"))
    )
    without_refresh = project.up()
    assert without_refresh.status == 0, without_refresh.output
    services.assert_matches(
        program({"branch": "b"}, {"target_schema": "b"}, {"user_attribute_values": ["b"]}, connection(branch="b"))
    )
    assert project.preview("--refresh", "--expect-no-changes").status == 0

    if services.omni.dialect.connection_environment_list:
        delete()
        with_refresh = project.up("--refresh")
        assert with_refresh.status == 0, with_refresh.output
        assert "+ 4 created" in with_refresh.output

    delete()
    destroyed = project.destroy()
    assert destroyed.status == 0, destroyed.output


def test_replaced(created: Project, services: Services) -> None:
    """Another connection or project replaces the objects. The preview says so, and the old objects are deleted."""
    project = created
    project.write(
        program(
            {"connection_id": OTHER_CONNECTION_ID},
            {},
            {"environment_connection_id": DEVELOPMENT_CONNECTION_ID},
            {"project_uuid": OTHER_PROJECT_ID},
        )
    )
    preview = project.preview()
    assert "+-4 to replace" in preview.output, preview.output
    replaced = project.up()
    assert replaced.status == 0, replaced.output
    assert services.omni.dbt_configuration(CONNECTION_ID) is None
    assert services.omni.dbt_configuration(OTHER_CONNECTION_ID) is not None
    assert [e["name"] for e in services.omni.environments(CONNECTION_ID)] == ["Production"]
    assert sorted(e["name"] for e in services.omni.environments(OTHER_CONNECTION_ID)) == ["Production", "Staging"]
    assert services.connection_environment()["connection_id"] == DEVELOPMENT_CONNECTION_ID
    assert services.lightdash.sources(PROJECT_ID) == []
    assert len(services.lightdash.sources(OTHER_PROJECT_ID)) == 1


def test_adoption(project: Project, services: Services) -> None:
    """Without ``adopt=True``, existing objects are not overwritten and the errors show what would change."""
    services.omni.configure_dbt(CONNECTION_ID, ssh_url="git@x:old.git", branch="old")
    environment = services.omni.add_environment(CONNECTION_ID, name="Staging", target_schema="old")
    route = services.omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID)
    source = services.lightdash.add_source(
        PROJECT_ID,
        "finance",
        {
            "type": "github",
            "authorization_method": "personal_access_token",
            "personal_access_token": "github_pat_two",
            "repository": "acme/old",
            "branch": "main",
            "project_sub_path": "/",
        },
    )

    plain = program(environment={"connection_id": CONNECTION_ID})
    project.write(plain)
    refused = project.up("--continue-on-error")
    assert refused.status != 0
    for text in (
        'branch (now "old")',
        'target_schema (now "old")',
        'dbt_connection.repository (now "acme/old")',
        "adopt=True",
    ):
        assert text in refused.output, text
    assert services.environment()["target_schema"] == "old"
    assert services.source()["connection"]["repository"] == "acme/old"

    adopt = {name: (kind, {**arguments, "adopt": True}) for name, (kind, arguments) in plain.items()}
    if not services.omni.dialect.connection_environment_list:
        services.omni.delete_connection_environment(route)  # without a list it cannot be adopted
    project.write(adopt)
    adopted = project.up()
    assert adopted.status == 0, adopted.output
    services.assert_matches(program())
    assert services.environment()["id"] == environment
    assert services.source()["id"] == source
    if services.omni.dialect.connection_environment_list:
        assert services.connection_environment()["id"] == route
    assert project.preview("--expect-no-changes").status == 0
    assert project.preview("--refresh", "--expect-no-changes").status == 0
    project.write(plain)
    assert project.preview("--expect-no-changes").status == 0, "leaving adopt in or out is no change"
    assert [secret for secret in SECRETS if secret in refused.output + adopted.output + project.state()] == []


def test_default_environment(project: Project, services: Services) -> None:
    """The default environment is adopted by its name. A destroy does not delete it, and says so."""
    project.write(program(environment={"name": "Production", "adopt": True}))
    assert project.up().status == 0
    (production,) = services.omni.environments(CONNECTION_ID)
    assert (production["is_default_environment"], production["target_schema"]) == (True, "staging")
    destroyed = project.destroy()
    assert destroyed.status == 0, destroyed.output
    assert '"Production" is the default environment' in destroyed.output
    assert len(services.omni.environments(CONNECTION_ID)) == 1


INVALID: dict[str, tuple[Arguments, list[str]]] = {
    "dbt": (
        {"connection_id": "analytics", "project_root_path": "../x", "branch": ""},
        ["connection_id", "project_root_path", "branch"],
    ),
    "environment": (
        {"connection_id": CONNECTION_ID, "name": "", "owner_id": "me", "variables": {"DBT_TOKEN": "x"}},
        ["name", "owner_id", "secret_variables"],
    ),
    "route": (
        {"user_attribute_values": ["a,b", "c", "c "], "environment_connection_id": CONNECTION_ID},
        ["user_attribute_values.0", "user_attribute_values.2", "environment_connection_id"],
    ),
    "source": (
        {"project_uuid": "x", **connection(branch="", environment={"A": 1})},
        ["project_uuid", "dbt_connection.branch", "dbt_connection.environment.A"],
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_input(project: Project, services: Services, name: str) -> None:
    """A preview reports all invalid properties of a resource, named as in the program, and sends no request."""
    arguments, properties = INVALID[name]
    kind, valid = program()[name]
    project.write({name: (kind, {**valid, **arguments})})
    preview = project.preview()
    assert preview.status != 0
    assert [p for p in properties if f"has a problem: {p} " not in preview.output] == [], preview.output
    assert services.omni.requests == []
    assert services.lightdash.requests == []
    assert [secret for secret in SECRETS if secret in preview.output] == []


def test_keys_are_rotated_once(project: Project, services: Services) -> None:
    """A changed trigger sends ``rotateKeys`` once. A later ``up`` with a refresh does not send it again."""
    project.write(program({"rotate_keys_trigger": "one"}))
    assert project.up().status == 0
    project.write(program({"rotate_keys_trigger": "two"}))
    assert '~ rotateKeysTrigger: "one" => "two"' in project.preview().output
    assert project.up().status == 0
    assert project.up("--refresh").status == 0
    assert services.omni.key_rotations == {CONNECTION_ID: 1}


def test_missing_settings(project: Project) -> None:
    """A preview names a missing setting with the command that sets it, and no setting that is there."""
    project.must("config", "rm", "lightdash:apiKey")
    project.write(program())
    preview = project.preview()
    assert preview.status != 0
    assert "`pulumi config set --secret lightdash:apiKey`" in preview.output
    assert "omni:apiKey" not in preview.output


def test_renamed_resources_adopt(project: Project, services: Services) -> None:
    """A resource with another name adopts the object of the old one, and so does a resource that is replaced.

    The objects are not deleted, also when the first command fails after some adoptions and the second one continues.
    """
    adopting = program({"adopt": True}, {"adopt": True}, {"adopt": True}, {"adopt": True})
    project.write(adopting)
    assert project.up().status == 0
    adopting = program(
        {"adopt": True},
        {"adopt": True, "connection_id": {"$output": ["dbt2", "connection_id"]}},
        {"adopt": True},
        {"adopt": True},
    )
    not_renamed = {"route"} if services.omni.dialect == PAGES else set()  # without a list it cannot be adopted
    project.write({name if name in not_renamed else f"{name}2": resource for name, resource in adopting.items()})
    services.omni.inject(faults.Status(403, processed=False, path="/dbt/environments$", times=None))
    failed = project.up()
    assert failed.status != 0
    assert "dbt2 created" in failed.output, failed.output
    services.omni.clear_faults()
    for options in ((), ("--replace", "**2")):
        result = project.up(*options)
        assert result.status == 0, result.output
        warnings = result.output.partition("Diagnostics:")[2].count("is not deleted")
        assert warnings == 4 - len(not_renamed), result.output
        services.assert_matches(program())
        unchanged = project.preview("--refresh", "--expect-no-changes")
        assert unchanged.status == 0, unchanged.output
    assert project.destroy().status == 0
    assert services.omni.connection_environments() == services.lightdash.sources(PROJECT_ID) == []


def test_drift_to_values_that_validation_rejects(created: Project, services: Services) -> None:
    """A refresh reads values that a program may not declare, and the next ``up`` repairs them."""
    project = created
    services.lightdash.break_credentials(services.source()["id"])
    services.omni.configure_dbt(CONNECTION_ID, dbt_version="1.12-beta")
    for _ in range(2):
        project.must("refresh", "--yes", "--skip-preview")
    repaired = project.up("--refresh")
    assert repaired.status == 0, repaired.output
    services.assert_matches(program())
    assert project.preview("--refresh", "--expect-no-changes").status == 0
