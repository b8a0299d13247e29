"""Each policy passes, is violated, and needs an unknown value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from pulumi_policy import ResourceValidationPolicy

from tests.policies.evaluation import UNKNOWN, Declared, evaluate
from tests.policies.pack import POLICIES
from tests.policies.stacks import (
    ONE,
    PERSON,
    TWO,
    attribute,
    configuration,
    connection_environment,
    environment,
    of_connection,
    source,
)

RULES = {policy.name: policy for policy in POLICIES[:-1]}


class Case(NamedTuple):
    """Resources and the expected outcome of a policy.

    Attributes:
        rule: name of the policy.
        declared: the resources.
        facts: texts in the violations.
        unknown: paths of the unknown values that the policy needs.
        config: configuration of the policy.
    """

    rule: str
    declared: Sequence[Declared]
    facts: Sequence[str] = ()
    unknown: Sequence[str] = ()
    config: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return self.rule


PASS = [
    Case("no-plain-secrets", [environment(variables={"DBT_TARGET": "x", "TOKEN_URL": "y", "EMPTY_TOKEN": ""})]),
    Case("no-plain-secrets", [environment(variables={"MY_TOKEN": "x"})], config={"allowedNames": ["my_*"]}),
    Case("no-plain-secrets", [environment(secretVariables={"MY_TOKEN": "ghp_0123456789abcdef"})]),
    Case("no-plain-secrets", [source(environment={"DBT_ENV": "x"}), configuration(), connection_environment()]),
    Case("no-plain-secrets", [source(personalAccessToken="ghp_0123456789abcdef")]),
    Case("no-plain-secrets", [source(branch="sk-orders-incremental-1")], config={"allowedNames": ["branch"]}),
    Case("no-plain-secrets", [of_connection({"type": "manifest", "manifest": '{"url": "s3://a:b@c"}'})]),
    Case("no-plain-secrets", [configuration(sshUrl="https://acme@dev.azure.com/acme/bi/_git/dbt")]),
    Case("allowed-branches", [configuration(branch="wip"), source(branch="wip")]),
    Case("allowed-branches", [configuration(stack="production"), source(stack="production")]),
    Case(
        "allowed-branches", [configuration(stack="prod", branch="x")], config={"stacks": {"prod*": [], "prod": ["x"]}}
    ),
    Case("allowed-branches", [configuration(branch="r/1")], config={"stacks": {"*": ["main"], "te*": ["r/*"]}}),
    Case("allowed-branches", [of_connection({"type": "manifest", "manifest": "{}"}, stack="prod")]),
    Case("allowed-hosts", [configuration(), source(), source(type="gitlab"), source(type="azure_devops")]),
    Case("allowed-hosts", [configuration(sshUrl="acme@vs-ssh.visualstudio.com:v3/acme/bi/dbt")]),
    Case("allowed-hosts", [configuration(sshUrl="ssh://git@ssh.github.com:443/acme/dbt.git")]),
    Case("allowed-hosts", [source(hostDomain="git.acme.com:8443")], config={"hosts": ["git.acme.com"]}),
    Case(
        "allowed-hosts", [of_connection({"type": "dbt_cloud_ide", "discoveryApiEndpoint": "metadata.cloud.getdbt.com"})]
    ),
    Case("allowed-repositories", [configuration(sshUrl="git@github.com:else/where.git"), source(repository="a/b")]),
    Case("allowed-repositories", [configuration(sshUrl="nonsense"), source(repository="a/../b")]),
    Case("allowed-repositories", [configuration(), source()], config={"repositories": ["acme/*"]}),
    Case("allowed-repositories", [configuration(), source()], config={"repositories": ["github.com/acme/*"]}),
    Case("allowed-repositories", [of_connection({"type": "none"})], config={"repositories": []}),
    Case("same-repository", [configuration(sshUrl="https://github.com/Acme/DBT"), source()]),
    Case("same-repository", [configuration(), configuration("b", connectionId=TWO, branch="b"), source(branch="b")]),
    Case("same-repository", [configuration(sshUrl=UNKNOWN)]),
    Case("same-repository", [configuration(sshUrl="nonsense")]),
    Case(
        "same-repository",
        [configuration(sshUrl="nonsense"), source(repository="nonsense?")],
        config={"lightdashOnly": ["*"]},
    ),
    Case(
        "same-repository",
        [
            configuration(sshUrl="https://me@dev.azure.com/Acme/BI%20Team/_git/dbt"),
            source(type="azure_devops", organization="acme", project="BI Team", repository="dbt"),
        ],
    ),
    Case(
        "same-repository",
        [configuration(), source(repository="acme/bi")],
        config={"lightdashOnly": ["github.com/acme/bi"]},
    ),
    Case("same-repository", [configuration(), source(repository="acme/bi")], config={"lightdashOnly": ["acme/bi"]}),
    Case("same-repository", [configuration(), of_connection({"type": "none"})]),
    Case("production-shared", [environment(called="Production"), environment(ownerId=PERSON)]),
    Case("production-protected", [environment(called="Production", protect=True), environment()]),
    Case("production-protected", [environment(called="Production")], config={"names": ["live"]}),
    Case("production-configuration-protected", [configuration(protect=True), environment(called="prod")]),
    Case("production-configuration-protected", [configuration(), environment(called="prod", connectionId=TWO)]),
    Case("production-configuration-protected", [configuration(), environment(called="prod", profile="eu")]),
    Case("schema-names", [environment(targetSchema="ANALYTICS_2")]),
    Case("schema-names", [environment(targetSchema="dbt-x")], config={"pattern": "dbt-.*"}),
    Case("distinct-schemas", [environment(), environment("b", targetSchema="b")]),
    Case("distinct-schemas", [environment(), environment("b", targetDatabase="b")]),
    Case("distinct-schemas", [environment(), environment("b", connectionId=TWO)]),
    Case("distinct-schemas", [environment(), environment("b", profile="eu")]),
    Case(
        "distinct-schemas",
        [environment("a", targetDatabase="db"), environment("b", targetDatabase="db", connectionId=TWO)],
        config={"separateConnections": [TWO]},
    ),
    Case("distinct-schemas", [environment(targetSchema=UNKNOWN)]),
    Case(
        "distinct-attribute-values", [connection_environment(), connection_environment("b", userAttributeValues=["b"])]
    ),
    Case("distinct-attribute-values", [connection_environment(), connection_environment("b", baseConnectionId=TWO)]),
    Case("distinct-attribute-values", [connection_environment(), connection_environment("b", profile="eu")]),
    Case("distinct-attribute-values", [connection_environment(baseConnectionId=UNKNOWN)]),
    Case("environment-has-configuration", [configuration(connectionId=ONE.upper()), environment()]),
    Case("environment-has-configuration", [environment()], config={"declaredElsewhere": [ONE]}),
    Case("environment-has-configuration", [configuration(connectionId=UNKNOWN)]),
    Case("one-configuration", [configuration(), configuration("b", connectionId=TWO)]),
    Case("one-configuration", [configuration(), configuration("b", profile="eu")]),
    Case("one-configuration", [configuration(connectionId=UNKNOWN)]),
    Case("no-key-rotation", [configuration()]),
    Case("no-key-rotation", [configuration(rotateKeysTrigger=UNKNOWN)], config={"allowedStacks": ["te*"]}),
    Case("virtual-schemas-as-decided", [configuration(enableVirtualSchemas=True)]),
    Case("virtual-schemas-as-decided", [configuration()], config={"stacks": {"*": False}}),
    Case(
        "virtual-schemas-as-decided",
        [configuration(enableVirtualSchemas=True)],
        config={"stacks": {"*": False}, "connections": {ONE: True}},
    ),
    Case("virtual-schemas-decision-stated", [configuration()], config={"stacks": {"test": False}}),
    Case("virtual-schemas-decision-stated", [configuration()], config={"connections": {ONE: False}}),
    Case("pinned-dbt-version", [configuration()]),
    Case("lightdash-app-installation", [source(), source(type="gitlab", personalAccessToken="x")]),
    Case("adopt-is-temporary", [configuration(adopt=True), configuration(stack="prod")]),
    Case("adopt-is-temporary", [environment(stack="prod", called="Production", adopt=True)]),
    Case("no-personal-environments", [environment(), environment(stack="dev-ada", ownerId=PERSON)]),
    Case("selectable-environment", [connection_environment()]),
]

FAIL = [
    Case("no-plain-secrets", [environment(variables={"MY_TOKEN": "x"})], ["variables.MY_TOKEN", "secret_variables"]),
    Case("no-plain-secrets", [environment(variables={"MY_TOKEN": UNKNOWN})], ["its name"], ["variables.MY_TOKEN"]),
    Case("no-plain-secrets", [environment(variables={"A": "ghp_0123456789abcdef"})], ["variables.A", "its value"]),
    Case(
        "no-plain-secrets", [environment(variables={"ACME": "x"})], ["variables.ACME"], config={"secretNames": ["AC*"]}
    ),
    Case("no-plain-secrets", [source(environment={"A_PASSWORD": "x"})], ["dbt_connection.environment.A_PASSWORD"]),
    Case("no-plain-secrets", [configuration(sshUrl="https://me:ghp_x@github.com/a/b")], ["ssh_url", "git@host:"]),
    Case("no-plain-secrets", [configuration(sshUrl="git@github.com:a/b.git?token=x")], ["ssh_url", "git@host:"]),
    Case(
        "no-plain-secrets",
        [source(repository="https://me:pw@github.com/a/b", hostDomain="x?token=x", tags=["a", "ghp_0123456789ab"])],
        ["dbt_connection.repository", "dbt_connection.host_domain", "dbt_connection.tags"],
    ),
    Case("allowed-branches", [configuration(stack="prod", branch="wip")], ['branch is "wip"', "main, master"]),
    Case("allowed-branches", [configuration(stack="eu-prod", branch="Main")], ['branch is "Main"', "main, master"]),
    Case("allowed-branches", [source(stack="prod", branch="wip")], ['dbt_connection.branch is "wip"', "main, master"]),
    Case("allowed-branches", [configuration(branch="x")], ["r/*"], config={"stacks": {"*": ["*"], "test": ["r/*"]}}),
    Case("allowed-hosts", [configuration(sshUrl="git@evil.com:a/b")], ["ssh_url", "evil.com"]),
    Case("allowed-hosts", [configuration(sshUrl="nonsense")], ["ssh_url", "git@host:"]),
    Case("allowed-hosts", [source(hostDomain="evil.com:443")], ["dbt_connection.host_domain", "evil.com,"]),
    Case("allowed-hosts", [source(hostDomain="https://github.com")], ["dbt_connection.host_domain", "git.acme.com"]),
    Case("allowed-hosts", [source(hostDomain="evil.com#.getdbt.com")], ["dbt_connection.host_domain", "git.acme.com"]),
    Case("allowed-hosts", [source(hostDomain="gitlab.com/evil")], ["dbt_connection.host_domain", "git.acme.com"]),
    Case(
        "allowed-hosts",
        [of_connection({"type": "dbt_cloud_ide", "discoveryApiEndpoint": "https://evil.com/graphql"})],
        ["dbt_connection.discovery_api_endpoint", "evil.com"],
    ),
    *(
        Case(
            "allowed-hosts",
            [of_connection({"type": "dbt_cloud_ide", "discoveryApiEndpoint": endpoint})],
            ["dbt_connection.discovery_api_endpoint", "https://metadata.cloud.getdbt.com"],
        )
        for endpoint in (
            "https://evil.com\\.getdbt.com/graphql",
            "https://evil.com\\@metadata.cloud.getdbt.com/graphql",
            "https://cloud.getdbt.com:443@evil.com/graphql",
            "https://cloud.getdbt.com\t.evil.com/graphql",
            "https:evil.com",
            "https://[bad",
            "http://cloud.getdbt.com",
        )
    ),
    Case(
        "allowed-repositories",
        [configuration(sshUrl="git@github.com:evil/dbt.git"), source(repository="evil/bi")],
        ["ssh_url is github.com/evil/dbt", "dbt_connection.repository is github.com/evil/bi", "acme/*"],
        config={"repositories": ["acme/*"]},
    ),
    Case(
        "allowed-repositories",
        [configuration(sshUrl="https://github.com/acme/%2e%2e/evil/dbt"), source(repository="acme/../evil/dbt")],
        ["ssh_url", "git@host:", "dbt_connection.repository", "owner/repository"],
        config={"repositories": ["acme/*"]},
    ),
    Case("allowed-repositories", [source()], ["gitlab.com/acme/*"], config={"repositories": ["gitlab.com/acme/*"]}),
    Case(
        "same-repository",
        [configuration(), source(repository="acme/dbt?x")],
        ["dbt_connection.repository", "owner/repository"],
    ),
    Case(
        "same-repository",
        [configuration(sshUrl=UNKNOWN), configuration("b", sshUrl="nonsense"), source(repository="acme/dbt?x")],
        ["ssh_url", "git@host:", "dbt_connection.repository", "owner/repository"],
        unknown=["dbt.ssh_url"],
    ),
    Case(
        "same-repository",
        [configuration(), source(repository="acme/bi")],
        ["github.com/acme/bi", "github.com/acme/dbt", "lightdashOnly"],
    ),
    Case(
        "same-repository", [configuration(), source(branch="b")], ['dbt_connection.branch is "b"', "from branch main"]
    ),
    Case("production-shared", [environment(called="Production EU", ownerId=PERSON)], ["owner_id", '"Production EU"']),
    Case("production-shared", [environment(called="PRD", ownerId=PERSON)], ["owner_id"]),
    Case("production-shared", [environment(called="PROD", ownerId=PERSON)], ["owner_id"]),
    Case("production-protected", [environment(called="Production")], ['"Production"', "ResourceOptions(protect=True)"]),
    Case("production-protected", [environment(called="Live")], ["protect"]),
    Case("production-protected", [environment(called="main")], ["protect"], config={"names": ["main"]}),
    Case("production-configuration-protected", [configuration(), environment(called="prod")], [ONE, "protect=True"]),
    Case(
        "schema-names",
        [environment(targetSchema="my schema")],
        ['target_schema is "my schema"', "[A-Za-z_][A-Za-z0-9_]*"],
    ),
    Case(
        "distinct-schemas",
        [environment("a"), environment("b", targetSchema="STAGING")],
        ["environment a", "target_schema or target_database"],
    ),
    Case(
        "distinct-schemas",
        [environment("a", targetDatabase="db"), environment("b", targetDatabase="DB", connectionId=TWO)],
        ['database "DB"', "environment a"],
    ),
    Case(
        "distinct-schemas",
        [environment("a", targetSchema='"staging"'), environment("b", targetSchema=" [STAGING]`")],
        ["environment a"],
    ),
    Case(
        "distinct-schemas",
        [environment("a", targetDatabase="db"), environment("b", targetDatabase="db")],
        ["environment a"],
        config={"separateConnections": [ONE]},
    ),
    Case(
        "distinct-schemas",
        [
            environment("a", targetDatabase="db", connectionId=UNKNOWN),
            environment("b", targetDatabase="db", connectionId=UNKNOWN),
        ],
        ["environment a"],
    ),
    Case(
        "distinct-attribute-values",
        [connection_environment("a"), connection_environment("b")],
        ['user_attribute_values has "staging"', "connection environment a"],
    ),
    Case("environment-has-configuration", [environment()], [ONE, "declaredElsewhere"]),
    Case("environment-has-configuration", [configuration(), environment(connectionId=TWO)], [TWO]),
    Case("environment-has-configuration", [configuration(), environment(profile="eu")], [ONE]),
    Case(
        "one-configuration",
        [configuration("a"), configuration("b")],
        [ONE, "a configures", "stays in Omni"],
    ),
    Case("no-key-rotation", [configuration(rotateKeysTrigger="1")], ["rotate_keys_trigger", "allowedStacks"]),
    Case("no-key-rotation", [configuration(rotateKeysTrigger="")], ["rotate_keys_trigger"]),
    Case(
        "virtual-schemas-as-decided",
        [configuration(enableVirtualSchemas=True)],
        ["enable_virtual_schemas is True", "False", "migrat"],
        config={"stacks": {"te*": False}},
    ),
    Case(
        "virtual-schemas-decision-stated", [configuration()], ["enable_virtual_schemas", "virtual-schemas-as-decided"]
    ),
    Case(
        "virtual-schemas-decision-stated",
        [configuration(enableVirtualSchemas=True)],
        ["enable_virtual_schemas is True", "False", "virtual-schemas-as-decided"],
        config={"stacks": {"*": False}},
    ),
    Case("pinned-dbt-version", [configuration(dbtVersion="Auto")], ['dbt_version is "Auto"', '"1.11"']),
    Case(
        "lightdash-app-installation",
        [source(personalAccessToken="x")],
        ["dbt_connection.personal_access_token", "installation_id"],
    ),
    Case(
        "lightdash-app-installation",
        [source(personalAccessToken=UNKNOWN)],
        [],
        ["dbt_connection.personal_access_token"],
    ),
    Case("adopt-is-temporary", [configuration(stack="prod-eu", adopt=True)], ["adopt is True", "pulumi up"]),
    Case("adopt-is-temporary", [configuration(stack="prod", adopt="existing")], ['"existing"', "replaces"]),
    Case("adopt-is-temporary", [attribute(stack="prod", adopt=True)], ["adopt is True"]),
    Case("adopt-is-temporary", [environment(stack="prod", called="Production", adopt="existing")], ['"existing"']),
    Case("adopt-is-temporary", [environment(stack="prod", called="Staging", adopt=True)], ["adopt is True"]),
    Case("adopt-is-temporary", [configuration(stack="eu-prod", adopt=True)], ["adopt is True"]),
    Case("no-personal-environments", [environment(ownerId=PERSON)], ["owner_id", "personalStacks"]),
    Case("selectable-environment", [connection_environment(userAttributeValues=[])], ["user_attribute_values"]),
]

UNKNOWNS = [
    Case("no-plain-secrets", [environment(variables=UNKNOWN)], unknown=["variables"]),
    Case("no-plain-secrets", [environment(variables={"A": UNKNOWN, "B": "b"})], unknown=["variables.A"]),
    Case("no-plain-secrets", [of_connection(UNKNOWN)], unknown=["dbt_connection"]),
    Case("no-plain-secrets", [source(target=UNKNOWN)], unknown=["dbt_connection.target"]),
    Case("allowed-branches", [configuration(stack="prod", branch=UNKNOWN)], unknown=["branch"]),
    Case("allowed-hosts", [configuration(sshUrl=UNKNOWN)], unknown=["ssh_url"]),
    Case("allowed-hosts", [source(hostDomain=UNKNOWN)], unknown=["dbt_connection.host_domain"]),
    Case("allowed-hosts", [of_connection(UNKNOWN)], unknown=["dbt_connection"]),
    Case("allowed-repositories", [source(repository=UNKNOWN)], unknown=["dbt_connection.repository"]),
    Case("same-repository", [configuration(branch=UNKNOWN), source()], unknown=["dbt.branch"]),
    Case("same-repository", [configuration(), source(branch=UNKNOWN)], unknown=["finance.dbt_connection.branch"]),
    Case("production-shared", [environment(called=UNKNOWN, ownerId=PERSON)], unknown=["name"]),
    Case("production-shared", [environment(called="prod", ownerId=UNKNOWN)], unknown=["owner_id"]),
    Case("production-protected", [environment(called=UNKNOWN)], unknown=["name"]),
    Case(
        "production-configuration-protected",
        [configuration(), environment(called="prod", connectionId=UNKNOWN)],
        unknown=["staging.connection_id"],
    ),
    Case("schema-names", [environment(targetSchema=UNKNOWN)], unknown=["target_schema"]),
    Case("distinct-schemas", [environment(), environment("b", targetSchema=UNKNOWN)], unknown=["b.target_schema"]),
    Case(
        "distinct-attribute-values",
        [connection_environment(), connection_environment("b", userAttributeValues=["b", UNKNOWN])],
        unknown=["b.user_attribute_values[1]"],
    ),
    Case(
        "distinct-attribute-values",
        [connection_environment(), connection_environment("b", baseConnectionId=UNKNOWN)],
        unknown=["b.base_connection_id"],
    ),
    Case("environment-has-configuration", [environment(connectionId=UNKNOWN)], unknown=["staging.connection_id"]),
    Case(
        "environment-has-configuration",
        [configuration(connectionId=UNKNOWN), environment()],
        unknown=["dbt.connection_id"],
    ),
    Case("one-configuration", [configuration(), configuration("b", connectionId=UNKNOWN)], unknown=["b.connection_id"]),
    Case("no-key-rotation", [configuration(rotateKeysTrigger=UNKNOWN)], unknown=["rotate_keys_trigger"]),
    Case(
        "virtual-schemas-as-decided",
        [configuration(enableVirtualSchemas=UNKNOWN)],
        unknown=["enable_virtual_schemas"],
        config={"stacks": {"*": True}},
    ),
    Case(
        "virtual-schemas-decision-stated",
        [configuration(connectionId=UNKNOWN)],
        unknown=["connection_id"],
        config={"connections": {ONE: True}},
    ),
    Case(
        "virtual-schemas-decision-stated",
        [configuration(enableVirtualSchemas=UNKNOWN)],
        unknown=["enable_virtual_schemas"],
        config={"stacks": {"*": True}},
    ),
    Case("pinned-dbt-version", [configuration(dbtVersion=UNKNOWN)], unknown=["dbt_version"]),
    Case("lightdash-app-installation", [of_connection(UNKNOWN)], unknown=["dbt_connection"]),
    Case("adopt-is-temporary", [configuration(stack="prod", adopt=UNKNOWN)], unknown=["adopt"]),
    Case("adopt-is-temporary", [environment(stack="prod", called=UNKNOWN, adopt=True)], unknown=["name"]),
    Case("no-personal-environments", [environment(ownerId=UNKNOWN)], unknown=["owner_id"]),
    Case(
        "selectable-environment",
        [connection_environment(userAttributeValues=UNKNOWN)],
        unknown=["user_attribute_values"],
    ),
]


@pytest.mark.parametrize("case", PASS, ids=str)
def test_pass(case: Case) -> None:
    """A policy reports nothing for allowed resources, and does not read values that it does not need."""
    result = evaluate(RULES[case.rule], case.declared, case.config)
    assert result.reports == []
    assert result.unknown == []


@pytest.mark.parametrize("case", FAIL, ids=str)
def test_fail(case: Case) -> None:
    """A violation names the property and has the facts."""
    result = evaluate(RULES[case.rule], case.declared, case.config)
    assert result.reports
    assert [text for text in case.facts if text not in result.text] == []
    assert result.unknown == list(case.unknown)


@pytest.mark.parametrize("case", UNKNOWNS, ids=str)
def test_unknown(case: Case) -> None:
    """A policy that needs an unknown value names the property, and neither passes nor fails."""
    result = evaluate(RULES[case.rule], case.declared, case.config)
    assert result.reports == []
    assert result.unknown == list(case.unknown)


@pytest.mark.parametrize("cases", [PASS, FAIL, UNKNOWNS], ids=["pass", "fail", "unknown"])
def test_each_rule_has_each_case(cases: list[Case]) -> None:
    """Each policy has a case that passes, one that violates it and one with an unknown value."""
    assert {case.rule for case in cases} == {*RULES}


@pytest.mark.parametrize("rule", RULES)
def test_other_resources(rule: str) -> None:
    """A policy does not apply to resources of other types, even with the same property names."""
    other = environment()._replace(
        type="aws:s3/bucket:Bucket", properties={"name": UNKNOWN, "variables": {"TOKEN": "x"}}
    )
    result = evaluate(RULES[rule], [other, other._replace(name="b")])
    assert (result.reports, result.unknown) == ([], [])
    assert result.other == (["staging", "b"] if isinstance(RULES[rule], ResourceValidationPolicy) else [])


def test_invalid_regular_expression() -> None:
    """An invalid regular expression is an error instead of a violation of each environment."""
    with pytest.raises(ValueError, match=r"pattern in the configuration of schema-names .* position 0"):
        evaluate(RULES["schema-names"], [environment()], {"pattern": "("})


def test_every_violation_and_every_unknown() -> None:
    """All violations and all unknown values of one resource are reported."""
    declared = environment(variables={"A_TOKEN": "x", "B": UNKNOWN, "C": "ghp_0123456789abcdef", "D": UNKNOWN})
    result = evaluate(RULES["no-plain-secrets"], [declared])
    assert [message.split(" ", 1)[0] for _, message in result.reports] == ["variables.A_TOKEN", "variables.C"]
    assert result.unknown == ["variables.B", "variables.D"]


def test_unreadable_repository_may_be_that_of_any_source() -> None:
    """If a repository of Omni is unreadable, only its configuration is reported, and no source that differs."""
    declared = [
        configuration(),
        configuration("unreadable", sshUrl="nonsense"),
        source(repository="acme/bi"),
        source("b", branch="b"),
    ]
    assert [name for name, _ in evaluate(RULES["same-repository"], declared).reports] == ["unreadable"]


def test_second_of_two_is_reported() -> None:
    """Of two conflicting resources the second by name is reported, in any order."""
    declared = [configuration("b"), configuration("a")]
    for order in (declared, declared[::-1]):
        assert [name for name, _ in evaluate(RULES["one-configuration"], order).reports] == ["b"]
