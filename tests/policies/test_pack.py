"""The policy pack as a whole: descriptions, settings, imports and messages."""

from __future__ import annotations

import pkgutil
import re
from typing import Any

import jsonschema
import pytest
from pulumi_policy import EnforcementLevel, Policy, ResourceValidationPolicy, StackValidationPolicy

from omni_pulumi.policies import exemptions, rules
from omni_pulumi.policies.common import NotYetKnownError, for_stack, matches
from tests.catalogue import Sample, every_sample
from tests.policies.evaluation import Declared, evaluate
from tests.policies.pack import PACK, POLICIES
from tests.policies.stacks import TWO, configuration, environment, of_connection, source

BY_NAME = {policy.name: policy for policy in POLICIES}
IDS = [*BY_NAME]


@pytest.mark.parametrize("policy", POLICIES, ids=IDS)
def test_each_policy_describes_itself(policy: Policy) -> None:
    """A policy has everything that Pulumi shows: name, description, severity, enforcement level and steps."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", policy.name)
    assert policy.description.endswith(".")
    assert policy.severity is not None
    assert policy.enforcement_level in {EnforcementLevel.MANDATORY, EnforcementLevel.ADVISORY}
    assert policy.remediation_steps
    assert isinstance(policy, ResourceValidationPolicy | StackValidationPolicy)


def test_one_rule_per_file() -> None:
    """Each file has one rule with the name of the file, and the pack has each rule once, and then ``exemptions``."""
    files = {module.name.replace("_", "-") for module in pkgutil.iter_modules(rules.__path__)}
    assert sorted(IDS[:-1]) == sorted(files)
    assert IDS[-1] == exemptions.NAME


def test_only_no_plain_secrets_remediates() -> None:
    """Only no-plain-secrets can change a program, and not at its default enforcement level."""
    remediating = [p for p in POLICIES if isinstance(p, ResourceValidationPolicy) and p.has_remediation()]
    assert [(policy.name, policy.enforcement_level) for policy in remediating] == [
        ("no-plain-secrets", EnforcementLevel.MANDATORY)
    ]


SETTINGS = {f"{rule.name}-{name}": schema for rule in rules.RULES for name, schema in rule.schema.items()}


@pytest.mark.parametrize("schema", SETTINGS.values(), ids=SETTINGS)
def test_settings(schema: dict[str, Any]) -> None:
    """Each setting has a description, and a default and examples of its type, so no setting is required."""
    assert schema["description"].endswith(".")
    for value in (schema["default"], *schema.get("examples", [])):
        jsonschema.validate(value, schema)


def test_mandatory_policies_come_first() -> None:
    """The list of policies has the mandatory ones first, then the advisory ones."""
    is_advisory = [policy.enforcement_level == EnforcementLevel.ADVISORY for policy in POLICIES]
    assert is_advisory == sorted(is_advisory)


def test_readme_quotes_the_line_about_unknown_values() -> None:
    """The line that the README quotes is the message of the error, with ``...`` for the names of properties."""
    (quoted,) = re.findall(r"`can't run policy \.\.\. (.+?)`", (PACK / "README.md").read_text())
    assert NotYetKnownError(["..."]).message.startswith(quoted)


@every_sample
def test_each_type_is_known(sample: Sample) -> None:
    """The rules know each resource: ``adopt-is-temporary`` applies to all of them."""
    declared = Declared(sample.type_token, "it", {"adopt": True}, stack="prod")
    reported = [name for name, _message in evaluate(BY_NAME["adopt-is-temporary"], [declared]).reports]
    assert reported == ["it"], "add it to omni_pulumi/policies/common.py and to its rule adopt_is_temporary.py"


@pytest.mark.parametrize(
    "declared",
    [
        configuration(sshUrl="https://me:S3cr3t@github.com/acme/dbt.git"),
        configuration(sshUrl="https://me:pa/S3cr3t@github.com/acme/dbt.git"),
        configuration(sshUrl="https://S3cr3t/x@github.com/acme/dbt.git"),
        configuration(sshUrl="git@github.com:acme/dbt.git?token=S3cr3t"),
        configuration(sshUrl="me:S3cr3t@github.com:acme/dbt.git"),
        source(repository="https://me:S3cr3t@github.com/acme/dbt"),
        source(repository="me:S3cr3t@github.com/acme/dbt"),
        source(hostDomain="me:S3cr3t@git.acme.com"),
        of_connection({"type": "dbt_cloud_ide", "discoveryApiEndpoint": "https://me:S3cr3t@cloud.getdbt.com"}),
        environment(variables={"A_TOKEN": "S3cr3t", "URL": "postgres://dbt:hun/S3cr3t@w/db"}),
    ],
)
def test_messages_contain_no_credential(declared: Declared) -> None:
    """No policy shows a credential, whichever property contains it."""
    config = {"hosts": ["acme.com"], "repositories": ["else/*"]}
    others = [configuration("other", connectionId=TWO), source("other")]
    text = ""
    for policy in POLICIES:
        known = policy.config_schema.properties if policy.config_schema else {}
        settings = {name: value for name, value in config.items() if name in known}
        text += evaluate(policy, [declared, *others], settings).text.casefold()
    assert text
    assert "s3cr3t" not in text


def test_patterns() -> None:
    """A pattern is a shell pattern of the whole text, without case."""
    assert matches("release/2026", ["main", "Release/*"])
    assert not matches("domain", ["main"])
    assert not matches("anything", [])


def test_most_specific_pattern_wins() -> None:
    """An exact name wins, then the pattern with the most literal characters, in any order."""
    patterns = {"*": "any", "prod*": "production", "prod": "the one", "prod-eu": "Europe", "dev-[ab]": "one of two"}
    for ordered in (patterns, dict(reversed(patterns.items()))):
        assert [for_stack(ordered, stack) for stack in ("prod-eu", "prod", "prod-us", "dev-a", "dev-c")] == [
            "Europe",
            "the one",
            "production",
            "one of two",
            "any",
        ]
    assert for_stack({"prod": "x"}, "dev") is None
