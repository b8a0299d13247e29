"""The life of all four resources with the real engine: what it shows, and what the services have afterwards."""

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
from tests.engine.project import Program, Project
from tests.engine.scene import Arguments, World, connection, program

pytestmark = pytest.mark.slow

SECRETS = ("dbt-token-one", "dbt-token-two", "dbt-token-plain", "github_pat_one", "github_pat_two")

# The rows change each field once; the texts are what `pulumi preview --diff` shows for it.
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


def test_life(project: Project, world: World) -> None:
    """Created, quiet, each field changed with a readable diff, quiet again, and gone; no secret is ever to be seen."""
    seen = []
    project.write(program())
    created = project.up()
    assert created.status == 0, created.output
    assert "+ 5 created" in created.output
    world.holds(program())
    seen += [created.output]

    requests = len(world.omni.requests) + len(world.lightdash.requests)
    quiet = project.preview("--expect-no-changes")
    assert quiet.status == 0, quiet.output
    assert len(world.omni.requests) + len(world.lightdash.requests) == requests, "a preview makes no request"

    for changed, texts in UPDATES:
        project.write(changed)
        updated = project.preview_and_up()
        assert updated.status == 0, updated.output
        assert [text for text in texts if text not in updated.output] == [], updated.output
        assert "replace" not in updated.output
        world.holds(changed)
        quiet = project.preview("--refresh", "--expect-no-changes")
        assert quiet.status == 0, quiet.output
        project.write(program())
        back = project.up()
        assert back.status == 0, back.output
        world.holds(program())
        seen += [updated.output, quiet.output, back.output]
    assert world.omni.key_rotations == {CONNECTION_ID: 1}, "the trigger that is added rotates, its removal does not"

    seen += [project.must("stack", "output"), project.must("stack", "--show-urns")]
    destroyed = project.destroy()
    assert destroyed.status == 0, destroyed.output
    assert world.omni.dbt_configuration(CONNECTION_ID) is None
    assert [e["name"] for e in world.omni.environments(CONNECTION_ID)] == ["Production"]
    assert world.omni.connection_environments() == []
    assert world.lightdash.sources(PROJECT_ID) == []

    everything = "\n".join([*seen, destroyed.output, project.state()])
    assert [secret for secret in SECRETS if secret in everything] == []
    assert world.omni.api_key not in everything
    assert world.lightdash.api_key not in everything


def drifts(world: World) -> Iterator[tuple[list[Callable[[], object]], list[str]]]:
    """Rounds of changes made in the web pages, each with what the following preview says it will put right."""
    omni, lightdash = world.omni, world.lightdash
    environment, source = world.environment()["id"], world.source()["id"]

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
    routes = {"route": world.route()["id"]} if omni.dialect.connection_environment_list else {}
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


def test_drift(created: Project, world: World) -> None:
    """A change of any field in a web page shows in the next preview with a refresh, and the next up puts it right."""
    project = created
    for changes, texts in drifts(world):
        for change in changes:
            change()
        preview = project.preview("--refresh")
        assert [text for text in texts if text not in preview.output] == [], preview.output
        assert [secret for secret in SECRETS if secret in preview.output] == []
        repaired = project.up("--refresh")
        assert repaired.status == 0, repaired.output
        world.holds(program())
        assert project.preview("--expect-no-changes").status == 0
    assert [secret for secret in SECRETS if secret in project.state()] == []


def test_deleted_elsewhere(created: Project, world: World) -> None:
    """What somebody deleted in a web page is made again, with and without a refresh, and a destroy copes."""
    project = created

    def delete() -> None:
        world.omni.unlink_dbt(CONNECTION_ID)
        world.omni.delete_environment(world.environment()["id"])
        world.omni.delete_connection_environment(world.route()["id"])
        world.lightdash.delete_source(world.source()["id"])

    delete()
    project.write(
        program({"branch": "b"}, {"target_schema": "b"}, {"user_attribute_values": ["b"]}, connection(branch="b"))
    )
    unseen = project.up()
    assert unseen.status == 0, unseen.output
    world.holds(
        program({"branch": "b"}, {"target_schema": "b"}, {"user_attribute_values": ["b"]}, connection(branch="b"))
    )
    assert project.preview("--refresh", "--expect-no-changes").status == 0

    if world.omni.dialect.connection_environment_list:
        delete()
        again = project.up("--refresh")
        assert again.status == 0, again.output
        assert "+ 4 created" in again.output

    delete()
    destroyed = project.destroy()
    assert destroyed.status == 0, destroyed.output


def test_replaced(created: Project, world: World) -> None:
    """Another connection or project cannot be had in place: the preview says replace, and the old objects are gone."""
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
    assert world.omni.dbt_configuration(CONNECTION_ID) is None
    assert world.omni.dbt_configuration(OTHER_CONNECTION_ID) is not None
    assert [e["name"] for e in world.omni.environments(CONNECTION_ID)] == ["Production"]
    assert sorted(e["name"] for e in world.omni.environments(OTHER_CONNECTION_ID)) == ["Production", "Staging"]
    assert world.route()["connection_id"] == DEVELOPMENT_CONNECTION_ID
    assert world.lightdash.sources(PROJECT_ID) == []
    assert len(world.lightdash.sources(OTHER_PROJECT_ID)) == 1


def test_adoption(project: Project, world: World) -> None:
    """What exists is not overwritten: the refusal says what would change, and adopt=True adopts and changes it."""
    world.omni.configure_dbt(CONNECTION_ID, ssh_url="git@x:old.git", branch="old")
    made = world.omni.add_environment(CONNECTION_ID, name="Staging", target_schema="old")
    route = world.omni.add_connection_environment(CONNECTION_ID, STAGING_CONNECTION_ID)
    source = world.lightdash.add_source(
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
        'targetSchema (now "old")',
        'dbtConnection.repository (now "acme/old")',
        "adopt=True",
    ):
        assert text in refused.output, text
    assert world.environment()["target_schema"] == "old"
    assert world.source()["connection"]["repository"] == "acme/old"

    adopt = {name: (kind, {**arguments, "adopt": True}) for name, (kind, arguments) in plain.items()}
    if not world.omni.dialect.connection_environment_list:
        world.omni.delete_connection_environment(route)  # without a list it cannot be found
    project.write(adopt)
    adopted = project.up()
    assert adopted.status == 0, adopted.output
    world.holds(program())
    assert world.environment()["id"] == made
    assert world.source()["id"] == source
    if world.omni.dialect.connection_environment_list:
        assert world.route()["id"] == route
    assert project.preview("--expect-no-changes").status == 0
    assert project.preview("--refresh", "--expect-no-changes").status == 0
    project.write(plain)
    assert project.preview("--expect-no-changes").status == 0, "leaving adopt in or out is no change"
    assert [secret for secret in SECRETS if secret in refused.output + adopted.output + project.state()] == []


def test_default_environment(project: Project, world: World) -> None:
    """Omni's own default environment is taken over by its name, and destroy leaves it in place and says so."""
    project.write(program(environment={"name": "Production", "adopt": True}))
    assert project.up().status == 0
    (production,) = world.omni.environments(CONNECTION_ID)
    assert (production["is_default_environment"], production["target_schema"]) == (True, "staging")
    destroyed = project.destroy()
    assert destroyed.status == 0, destroyed.output
    assert '"Production" is the default environment' in destroyed.output
    assert len(world.omni.environments(CONNECTION_ID)) == 1


BAD: dict[str, tuple[Arguments, list[str]]] = {
    "dbt": (
        {"connection_id": "analytics", "project_root_path": "../x", "branch": ""},
        ["connectionId", "projectRootPath", "branch"],
    ),
    "environment": (
        {"connection_id": CONNECTION_ID, "name": "", "owner_id": "me", "variables": {"DBT_TOKEN": "x"}},
        ["name", "ownerId", "secretVariables"],
    ),
    "route": (
        {"user_attribute_values": ["a,b", "c", "c "], "environment_connection_id": CONNECTION_ID},
        ["userAttributeValues.0", "userAttributeValues.2", "environmentConnectionId"],
    ),
    "source": (
        {"project_uuid": "x", **connection(branch="", environment={"1": "x"})},
        ["projectUuid", "dbtConnection.branch", "dbtConnection.environment.1"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(project: Project, world: World, name: str) -> None:
    """A wrong program fails at preview: all failures of a resource at once, each names its property, no request."""
    arguments, properties = BAD[name]
    kind, good = program()[name]
    project.write({name: (kind, {**good, **arguments})})
    preview = project.preview()
    assert preview.status != 0
    assert [p for p in properties if f"has a problem: {p} " not in preview.output] == [], preview.output
    assert world.omni.requests == []
    assert world.lightdash.requests == []
    assert [secret for secret in SECRETS if secret in preview.output] == []


def test_keys_are_rotated_once(project: Project, world: World) -> None:
    """Another trigger sends ``rotateKeys`` once; neither the next up nor a refresh does it again."""
    project.write(program({"rotate_keys_trigger": "one"}))
    assert project.up().status == 0
    project.write(program({"rotate_keys_trigger": "two"}))
    assert '~ rotateKeysTrigger: "one" => "two"' in project.preview().output
    assert project.up().status == 0
    assert project.up("--refresh").status == 0
    assert world.omni.key_rotations == {CONNECTION_ID: 1}


def test_missing_settings(project: Project) -> None:
    """A missing setting is named with the command that sets it, by the resources that need it and by no other."""
    project.must("config", "rm", "lightdash:apiKey")
    project.write(program())
    preview = project.preview()
    assert preview.status != 0
    assert "`pulumi config set --secret lightdash:apiKey`" in preview.output
    assert "omni:apiKey" not in preview.output


def test_other_names(project: Project, world: World) -> None:
    """A resource of another name, or one that is replaced, keeps the object that it adopts.

    So it does when the first command fails after it has adopted some, and the next one deletes the old names.
    """
    taking = program({"adopt": True}, {"adopt": True}, {"adopt": True}, {"adopt": True})
    project.write(taking)
    assert project.up().status == 0
    taking = program(
        {"adopt": True},
        {"adopt": True, "connection_id": {"$output": ["dbt2", "connection_id"]}},
        {"adopt": True},
        {"adopt": True},
    )
    stays = {"route"} if world.omni.dialect == PAGES else set()  # without a list there is no taking over
    project.write({name if name in stays else f"{name}2": each for name, each in taking.items()})
    world.omni.inject(faults.Status(403, processed=False, path="/dbt/environments$", times=None))
    failed = project.up()
    assert failed.status != 0
    assert "dbt2 created" in failed.output, failed.output
    world.omni.clear_faults()
    for options in ((), ("--replace", "**2")):
        ran = project.up(*options)
        assert ran.status == 0, ran.output
        told = ran.output.partition("Diagnostics:")[2].count("is not deleted")
        assert told == 4 - len(stays), ran.output
        world.holds(program())
        quiet = project.preview("--refresh", "--expect-no-changes")
        assert quiet.status == 0, quiet.output
    assert project.destroy().status == 0
    assert world.omni.connection_environments() == world.lightdash.sources(PROJECT_ID) == []


def test_what_no_program_may_declare(created: Project, world: World) -> None:
    """What others set or broke is found by each refresh, and repaired, also where no program could declare it."""
    project = created
    world.lightdash.break_credentials(world.source()["id"])
    world.omni.configure_dbt(CONNECTION_ID, dbt_version="1.12-beta")
    for _ in range(2):
        project.must("refresh", "--yes", "--skip-preview")
    repaired = project.up("--refresh")
    assert repaired.status == 0, repaired.output
    world.holds(program())
    assert project.preview("--refresh", "--expect-no-changes").status == 0
