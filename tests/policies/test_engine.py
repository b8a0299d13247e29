"""The policy pack in the real engine: violations, enforcement levels and configuration.

A preview takes two seconds, so one program violates all policies, one violates none, and one has unknown values.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
from collections.abc import Mapping
from typing import Any

import pytest

from omni_pulumi.simulator import (
    CONNECTION_ID,
    OTHER_CONNECTION_ID,
    PROJECT_ID,
    STAGING_CONNECTION_ID,
    USER_ID,
    LightdashSimulator,
    OmniSimulator,
)
from tests.engine.project import PROGRAM, Program
from tests.policies.pack import PACK, POLICIES
from tools.pulumi_cli import PulumiCli, Result

pytestmark = pytest.mark.slow

Config = Mapping[str, Any]

RULES = {policy.name: policy for policy in POLICIES[:-1]}
SECRET = "ghp_0123456789abcdef"

DBT = {
    "connection_id": CONNECTION_ID,
    "ssh_url": "git@github.com:acme/dbt.git",
    "branch": "main",
    "autogen_relationships": True,
    "enable_virtual_schemas": False,
    "dbt_version": "1.11",
}
SOURCE = {
    "type": "github",
    "repository": "acme/dbt",
    "branch": "main",
    "project_sub_path": "/",
    "installation_id": "7",
}

GOOD: Program = {
    "dbt": ("DbtConfiguration", {**DBT, "protect": True}),
    "production": (
        "DbtEnvironment",
        {
            "connection_id": CONNECTION_ID,
            "name": "Production",
            "target_schema": "analytics",
            "secret_variables": {"DBT_TOKEN": SECRET},
            "protect": True,
        },
    ),
    "staging": (
        "DbtEnvironment",
        {
            "connection_id": {"$output": ["dbt", "connection_id"]},
            "name": "Staging",
            "target_schema": "staging",
            "variables": {"DBT_TARGET": "staging"},
        },
    ),
    "connection_environment": (
        "ConnectionEnvironment",
        {
            "base_connection_id": CONNECTION_ID,
            "environment_connection_id": STAGING_CONNECTION_ID,
            "user_attribute_values": ["staging"],
        },
    ),
    "finance": (
        "LightdashDbtSource",
        {"project_uuid": PROJECT_ID, "name": "finance", "dbt_connection": SOURCE},
    ),
}

BAD: Program = {
    "dbt": (
        "DbtConfiguration",
        {
            **DBT,
            "connection_id": OTHER_CONNECTION_ID,
            "ssh_url": f"https://me:{SECRET}@git.evil.com/evil/dbt.git",
            "branch": "wip",
            "enable_virtual_schemas": True,
            "dbt_version": "Auto",
            "rotate_keys_trigger": "2026-11",
            "adopt": True,
        },
    ),
    "dbt_again": ("DbtConfiguration", {**DBT, "connection_id": OTHER_CONNECTION_ID}),
    "production": (
        "DbtEnvironment",
        {
            "connection_id": OTHER_CONNECTION_ID,
            "name": "Production",
            "target_schema": "my schema",
            "owner_id": USER_ID,
            "variables": {"DBT_TOKEN": "hunter2", "HARMLESS": SECRET},
        },
    ),
    "orphan": (
        "DbtEnvironment",
        {"connection_id": CONNECTION_ID, "name": "a", "target_schema": "same", "target_database": "db"},
    ),
    "conflicting": (
        "DbtEnvironment",
        {"connection_id": CONNECTION_ID, "name": "b", "target_schema": "same", "target_database": "db"},
    ),
    "connection_environment": (
        "ConnectionEnvironment",
        {
            "base_connection_id": CONNECTION_ID,
            "environment_connection_id": STAGING_CONNECTION_ID,
            "user_attribute_values": ["staging"],
        },
    ),
    "connection_environment_again": (
        "ConnectionEnvironment",
        {
            "base_connection_id": CONNECTION_ID,
            "environment_connection_id": OTHER_CONNECTION_ID,
            "user_attribute_values": ["staging"],
        },
    ),
    "connection_environment_without_values": (
        "ConnectionEnvironment",
        {"base_connection_id": STAGING_CONNECTION_ID, "environment_connection_id": CONNECTION_ID},
    ),
    "finance": (
        "LightdashDbtSource",
        {
            "project_uuid": PROJECT_ID,
            "name": "finance",
            "dbt_connection": {
                **{name: value for name, value in SOURCE.items() if name != "installation_id"},
                "repository": "evil/bi",
                "personal_access_token": {"$secret": "github_pat_one"},
                "host_domain": "git.evil.com",
                "environment": {"A_PASSWORD": "hunter3"},
            },
        },
    ),
}

LATER = {"$output": ["first", "environment_id"]}
UNKNOWN: Program = {
    "first": ("DbtEnvironment", {"connection_id": CONNECTION_ID, "name": "a", "target_schema": "a"}),
    "dbt": (
        "DbtConfiguration",
        {
            **DBT,
            "connection_id": LATER,
            "ssh_url": LATER,
            "branch": LATER,
            "enable_virtual_schemas": LATER,
            "dbt_version": LATER,
            "rotate_keys_trigger": LATER,
            "adopt": LATER,
        },
    ),
    "dbt_again": ("DbtConfiguration", {**DBT, "protect": True, "adopt": False}),
    "second": (
        "DbtEnvironment",
        {
            "connection_id": LATER,
            "name": LATER,
            "target_schema": LATER,
            "owner_id": LATER,
            "variables": {"DBT_TARGET": LATER},
        },
    ),
    "connection_environment": (
        "ConnectionEnvironment",
        {
            "base_connection_id": CONNECTION_ID,
            "environment_connection_id": STAGING_CONNECTION_ID,
            "user_attribute_values": [LATER],
        },
    ),
    "connection_environment_again": (
        "ConnectionEnvironment",
        {
            "base_connection_id": CONNECTION_ID,
            "environment_connection_id": OTHER_CONNECTION_ID,
            "user_attribute_values": LATER,
        },
    ),
    "finance": (
        "LightdashDbtSource",
        {"project_uuid": PROJECT_ID, "name": "finance", "dbt_connection": {"$map": LATER}},
    ),
}

CONFIG: Config = {
    "allowed-repositories": {"repositories": ["acme/*"]},
    "virtual-schemas-as-decided": {"stacks": {"*": False}},
    "virtual-schemas-decision-stated": {"connections": {CONNECTION_ID: False}},
}

FACTS = {
    "no-plain-secrets": [
        "variables.DBT_TOKEN",
        "variables.HARMLESS",
        "secret_variables",
        "dbt_connection.environment.A_PASSWORD",
        "ssh_url contains",
    ],
    "allowed-branches": ['branch is "wip"', "stack prod-eu", "main, master"],
    "allowed-hosts": ["ssh_url points to git.evil.com", "dbt_connection.host_domain points to git.evil.com"],
    "allowed-repositories": ["ssh_url is git.evil.com/evil/dbt", "dbt_connection.repository is git.evil.com/evil/bi"],
    "same-repository": ["dbt_connection.repository is git.evil.com/evil/bi, but Omni reads", "lightdashOnly"],
    "production-shared": ['owner_id is set for production environment "Production"'],
    "production-protected": ['protect is not set for production environment "Production"', "protect=True"],
    "production-configuration-protected": [f"connection {OTHER_CONNECTION_ID} has production environment"],
    "schema-names": ['target_schema is "my schema"'],
    "distinct-schemas": ['target_schema "same" in database "db" is also that of environment conflicting'],
    "distinct-attribute-values": [
        'user_attribute_values has "staging"',
        "connection environment connection_environment",
    ],
    "environment-has-configuration": [f"connection_id is {CONNECTION_ID}", "declaredElsewhere"],
    "one-configuration": [f"connection_id is {OTHER_CONNECTION_ID}, which dbt configures"],
    "no-key-rotation": ["rotate_keys_trigger is set", "Stack prod-eu", "allowedStacks"],
    "virtual-schemas-as-decided": ["enable_virtual_schemas is True"],
    "virtual-schemas-decision-stated": ["no value for enable_virtual_schemas"],
    "pinned-dbt-version": ['dbt_version is "Auto"'],
    "lightdash-app-installation": ["dbt_connection.personal_access_token is set", "installation_id"],
    "adopt-is-temporary": ["adopt is True"],
    "no-personal-environments": ["owner_id is set, but stack prod-eu", "personalStacks"],
    "selectable-environment": ["user_attribute_values is empty"],
}
"""Facts in the engine's output for the bad program, by policy."""


class Guarded(PulumiCli):
    """A user's project whose commands run with the pack."""

    def write(self, program: Program, config: Config) -> None:
        """Write the program and the pack's configuration."""
        (self.project / "program.json").write_text(json.dumps(program))
        (self.project / "policies.json").write_text(json.dumps(config))

    def guarded(self, *arguments: str, pack: str = str(PACK)) -> Result:
        """Run a command with the pack, and return its output with single spaces."""
        result = self.run(*arguments, "--policy-pack", pack, "--policy-pack-config", "policies.json")
        return Result(" ".join(result.output.split()), result.status)


@pytest.fixture(scope="module")
def omni_service(omni_services: dict[str, OmniSimulator]) -> OmniSimulator:
    """One simulator, because a preview sends no requests."""
    omni_services["pages"].reset()
    return omni_services["pages"]


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, omni_service: OmniSimulator, lightdash_service: LightdashSimulator
) -> Guarded:
    """An empty project with a production stack."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "Pulumi.yaml").write_text("name: guarded\nruntime: python\n")
    (folder / "__main__.py").write_text(PROGRAM)
    project = Guarded(folder, stack="prod-eu", env={"PYTHONPATH": str(PACK.parent)})
    project.create_stack(
        config={"omni:baseUrl": omni_service.url, "lightdash:url": lightdash_service.url},
        secrets={"omni:apiKey": omni_service.api_key, "lightdash:apiKey": lightdash_service.api_key},
    )
    return project


@pytest.fixture(scope="module")
def bad(project: Guarded) -> Result:
    """The preview of the program that violates every policy, with a relative path of the pack."""
    project.write(BAD, CONFIG)
    return project.guarded("preview", pack=os.path.relpath(PACK, project.project))


@pytest.fixture(scope="module")
def good(project: Guarded) -> Result:
    """The preview of the program that violates no policy, with the absolute path of the pack."""
    project.write(GOOD, CONFIG)
    return project.guarded("preview")


@pytest.fixture(scope="module")
def unknown(project: Guarded) -> Result:
    """The preview of a program whose values are outputs of a resource that does not exist yet."""
    project.write(UNKNOWN, CONFIG)
    return project.guarded("preview")


def shown(rule: str, level: str | None = None) -> str:
    """Return the beginning of a line about a policy in the engine's output."""
    policy = RULES[rule]
    assert policy.severity is not None
    assert policy.enforcement_level is not None
    return f"[{level or policy.enforcement_level.value}] [severity: {policy.severity.value}] {rule} ("


@pytest.mark.parametrize("rule", RULES)
def test_violation(bad: Result, rule: str) -> None:
    """The engine shows a violation with level, severity, description and facts."""
    assert f"{shown(rule)}pulumi-python:dynamic/" in bad.output
    assert RULES[rule].description in bad.output
    assert [text for text in FACTS[rule] if text not in bad.output] == []


def test_mandatory_violation_fails_the_preview(bad: Result) -> None:
    """A violation of a mandatory policy fails the preview."""
    assert bad.status != 0


def test_violations_contain_no_secret(bad: Result) -> None:
    """The engine's output about violations contains no secret."""
    assert [secret for secret in (SECRET, "hunter2", "hunter3", "github_pat_one") if secret in bad.output] == []


@pytest.mark.parametrize("rule", RULES)
def test_no_violation(good: Result, rule: str) -> None:
    """The engine does not mention a policy without violations."""
    assert f" {rule} (" not in good.output


def test_good_program_passes(good: Result) -> None:
    """Without violations the preview succeeds and names the policy pack."""
    assert good.status == 0, good.output
    assert f"omni-pulumi@v{importlib.metadata.version('omni-pulumi')}" in good.output
    assert "[mandatory]" not in good.output
    assert "[advisory]" not in good.output


@pytest.mark.parametrize("rule", RULES)
def test_unknown(unknown: Result, rule: str) -> None:
    """A policy that needs an unknown value is shown as not applicable, at level advisory."""
    assert f"{shown(rule, 'advisory')}" in unknown.output
    lines = unknown.output.split(f"can't run policy '{rule}' from policy pack 'omni-pulumi@v0.0.1' during preview: ")
    assert len(lines) > 1, unknown.output
    assert all(line.startswith("not applicable yet, because ") for line in lines[1:])


def test_unknown_does_not_stop(unknown: Result) -> None:
    """An unknown value does not fail the preview."""
    assert unknown.status == 0, unknown.output


def test_levels_change(project: Guarded) -> None:
    """The configuration sets the level of all policies and of one, and disables one."""
    project.write(BAD, {**CONFIG, "all": "advisory", "schema-names": "disabled", "one-configuration": "mandatory"})
    result = project.guarded("preview")
    assert result.status != 0
    assert shown("production-shared", "advisory") in result.output
    assert shown("one-configuration", "mandatory") in result.output
    assert " schema-names (" not in result.output
    assert result.output.count("[mandatory]") == 1

    project.write(BAD, {**CONFIG, "all": "advisory", "one-configuration": {"enforcementLevel": "advisory"}})
    result = project.guarded("preview")
    assert result.status == 0, result.output
    assert shown("one-configuration", "advisory") in result.output


def test_configuration_changes_the_outcome(project: Guarded) -> None:
    """The configuration decides whether the same program fails. A regular expression is that of Python, not of Go."""
    project.write(GOOD, {**CONFIG, "schema-names": {"pattern": "(?!analytics).*"}})
    result = project.guarded("preview")
    assert result.status != 0
    assert 'target_schema is "analytics", which does not match (?!analytics).*' in result.output


def test_invalid_configuration_is_an_error(project: Guarded) -> None:
    """The engine validates the configuration with the JSON schemas of the policies."""
    project.write(
        GOOD,
        {
            "schema-names": {"pattern": 7},
            "allowed-branches": {"stacks": {"prod": "main"}},
            "production-shared": {"names": []},
            "one-configuration": {"exempt": [{"resource": "dbt", "until": "2027"}]},
        },
    )
    result = project.guarded("preview")
    assert result.status != 0
    assert "pattern: Invalid type. Expected: string, given: integer" in result.output
    assert "stacks.prod: Invalid type. Expected: array, given: string" in result.output
    assert "names: Array must have at least 1 items" in result.output
    assert "one-configuration: exempt.0: reason is required" in result.output
    assert "one-configuration: exempt.0.until: Does not match format 'date'" in result.output


def test_unknown_setting_is_an_error(project: Guarded) -> None:
    """An unknown setting fails the preview, and the error names the policy and the setting."""
    project.write(GOOD, {**CONFIG, "same-repository": {"lightdashonly": ["acme/bi"]}})
    result = project.guarded("preview")
    assert result.status != 0
    assert "the configuration of same-repository has unknown names: lightdashonly" in result.output


def test_settings_of_an_unknown_policy_are_an_error(project: Guarded) -> None:
    """Settings of a misspelt policy fail the preview, and the error does not name the policy."""
    project.write(GOOD, {**CONFIG, "schema-name": {"pattern": "dbt_.*"}})
    result = project.guarded("preview")
    assert result.status != 0
    assert 'invalid enforcement level ""' in result.output
    assert "schema-name" not in result.output


def test_exemptions(project: Guarded) -> None:
    """A violation by an exempt resource does not fail the preview, and is shown with its reason.

    An exemption that exempts nothing is shown about the stack. The level of a misspelt policy is ignored.
    """
    name, arguments = GOOD["production"]
    program = {**GOOD, "production": (name, {key: value for key, value in arguments.items() if key != "protect"})}
    exemption = {"resource": "production", "reason": "Moves in December.", "until": "2999-12-31"}
    config = {rule: {"exempt": [exemption]} for rule in ("production-protected", "one-configuration")}
    project.write(program, {**CONFIG, **config, "production-protect": "mandatory"})
    result = project.guarded("preview")
    assert result.status == 0, result.output
    assert "[mandatory]" not in result.output
    shown_as = "[advisory] [severity: low] exemptions ("
    assert f"{shown_as}pulumi-python:dynamic/omni:DbtEnvironment: production)" in result.output
    assert "Exempt from production-protected until 2999-12-31 (Moves in December.)" in result.output
    assert f"{shown_as}pulumi:pulumi:Stack: guarded-prod-eu)" in result.output
    assert '"production" from one-configuration until 2999-12-31 (Moves in December.) exempts nothing' in result.output


def test_up_checks_values_that_were_unknown(project: Guarded, omni_service: OmniSimulator) -> None:
    """A violation that the preview could not find stops the update before the resource is created."""
    first = {"connection_id": {"$output": ["dbt", "connection_id"]}, "name": "first", "target_schema": "one"}
    second = {**first, "name": "second", "target_schema": LATER}
    program: Program = {
        "dbt": GOOD["dbt"],
        "first": ("DbtEnvironment", first),
        "second": ("DbtEnvironment", second),
    }
    project.write(program, CONFIG)
    previewed = project.guarded("preview")
    assert previewed.status == 0, previewed.output
    assert "because target_schema is unknown" in previewed.output
    updated = project.guarded("up", "--yes", "--skip-preview")
    assert updated.status != 0
    assert shown("schema-names", "mandatory") in updated.output
    assert "second" not in {environment["name"] for environment in omni_service.environments(CONNECTION_ID)}


def test_remediation(project: Guarded, omni_service: OmniSimulator) -> None:
    """At level remediate, secrets are moved: they are secret in Omni and encrypted in the state."""
    environment = {
        "connection_id": {"$output": ["dbt", "connection_id"]},
        "name": "moved",
        "target_schema": "moved",
        "variables": {"DBT_TOKEN": "hunter4", "DBT_TARGET": "x", "HIDDEN": {"$secret": "hunter5"}},
        "secret_variables": {"OTHER": {"$secret": "hunter6"}},
    }
    program: Program = {"dbt": GOOD["dbt"], "moved": ("DbtEnvironment", environment)}
    project.write(program, {**CONFIG, "no-plain-secrets": {"enforcementLevel": "remediate"}})
    updated = project.guarded("up", "--yes", "--skip-preview")
    assert updated.status == 0, updated.output
    assert "[remediate] no-plain-secrets (1 resource)" in updated.output
    stored = next(e for e in omni_service.environments(CONNECTION_ID) if e["name"] == "moved")
    assert {v["name"]: (v["value"], v["is_secret"]) for v in stored["variables"]} == {
        "DBT_TOKEN": ("hunter4", True),
        "DBT_TARGET": ("x", False),
        "HIDDEN": ("hunter5", True),
        "OTHER": ("hunter6", True),
    }
    again = project.guarded("preview", "--expect-no-changes")
    assert again.status == 0, again.output
    state = "\n".join(path.read_text() for path in (project.project / ".pulumi-state").rglob("*.json*"))
    everything = updated.output + again.output + state
    assert [secret for secret in ("hunter4", "hunter5", "hunter6") if secret in everything] == []
