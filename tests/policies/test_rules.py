"""Each rule passes, fails and meets an unknown value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from pulumi_policy import ResourceValidationPolicy
from rules import POLICIES

from tests.policies.stacks import ONE, PERSON, TWO, configuration, environment, of_connection, route, source
from tests.policies.verdict import UNKNOWN, Given, judge

RULES = {policy.name: policy for policy in POLICIES}


class Case(NamedTuple):
    """Resources, and what a rule says of them: texts that are in its reports, or what it could not know."""

    rule: str
    given: Sequence[Given]
    says: Sequence[str] = ()
    unknown: Sequence[str] = ()
    config: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return self.rule


PASS = [
    Case("no-plain-secrets", [environment(variables={"DBT_TARGET": "x", "TOKEN_URL": "y", "EMPTY_TOKEN": ""})]),
    Case("no-plain-secrets", [environment(variables={"MY_TOKEN": "x"})], config={"allowedNames": ["my_*"]}),
    Case("no-plain-secrets", [environment(secretVariables={"MY_TOKEN": "ghp_0123456789abcdef"})]),
    Case("no-plain-secrets", [source(environment={"DBT_ENV": "x"}), configuration(), route()]),
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
    Case("same-repository", [configuration(sshUrl="nonsense"), source()]),
    Case("same-repository", [configuration(), source(repository="nonsense?")], config={"lightdashOnly": ["*"]}),
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
    Case("distinct-attribute-values", [route(), route("b", userAttributeValues=["b"])]),
    Case("distinct-attribute-values", [route(), route("b", baseConnectionId=TWO)]),
    Case("distinct-attribute-values", [route(), route("b", profile="eu")]),
    Case("distinct-attribute-values", [route(baseConnectionId=UNKNOWN)]),
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
    Case("selectable-environment", [route()]),
]

FAIL = [
    Case("no-plain-secrets", [environment(variables={"MY_TOKEN": "x"})], ["variables.MY_TOKEN", "secret_variables"]),
    Case("no-plain-secrets", [environment(variables={"MY_TOKEN": UNKNOWN})], ["by its name"], ["variables.MY_TOKEN"]),
    Case("no-plain-secrets", [environment(variables={"A": "ghp_0123456789abcdef"})], ["variables.A", "by its value"]),
    Case(
        "no-plain-secrets", [environment(variables={"ACME": "x"})], ["variables.ACME"], config={"secretNames": ["AC*"]}
    ),
    Case("no-plain-secrets", [source(environment={"A_PASSWORD": "x"})], ["dbtConnection.environment.A_PASSWORD"]),
    Case("no-plain-secrets", [configuration(sshUrl="https://me:ghp_x@github.com/a/b")], ["sshUrl", "git@host:"]),
    Case("no-plain-secrets", [configuration(sshUrl="git@github.com:a/b.git?token=x")], ["sshUrl", "git@host:"]),
    Case(
        "no-plain-secrets",
        [source(repository="https://me:pw@github.com/a/b", hostDomain="x?token=x", tags=["a", "ghp_0123456789ab"])],
        ["dbtConnection.repository looks", "dbtConnection.hostDomain looks", "dbtConnection.tags looks"],
    ),
    Case("allowed-branches", [configuration(stack="prod", branch="wip")], ['branch is "wip"', "main, master"]),
    Case("allowed-branches", [configuration(stack="eu-prod", branch="Main")], ['branch is "Main"', "main, master"]),
    Case("allowed-branches", [source(stack="prod", branch="wip")], ['dbtConnection.branch is "wip"', "Merge to"]),
    Case("allowed-branches", [configuration(branch="x")], ["r/*"], config={"stacks": {"*": ["*"], "test": ["r/*"]}}),
    Case("allowed-hosts", [configuration(sshUrl="git@evil.com:a/b")], ["sshUrl leads to evil.com", "add the host"]),
    Case("allowed-hosts", [configuration(sshUrl="nonsense")], ["sshUrl is no plain git URL"]),
    Case("allowed-hosts", [source(hostDomain="evil.com:443")], ["dbtConnection.hostDomain leads to evil.com,"]),
    Case("allowed-hosts", [source(hostDomain="https://github.com")], ["dbtConnection.hostDomain is no host name"]),
    Case("allowed-hosts", [source(hostDomain="evil.com#.getdbt.com")], ["dbtConnection.hostDomain is no host name"]),
    Case("allowed-hosts", [source(hostDomain="gitlab.com/evil")], ["dbtConnection.hostDomain is no host name"]),
    Case(
        "allowed-hosts",
        [of_connection({"type": "dbt_cloud_ide", "discoveryApiEndpoint": "https://evil.com/graphql"})],
        ["dbtConnection.discoveryApiEndpoint leads to evil.com"],
    ),
    *(
        Case(
            "allowed-hosts",
            [of_connection({"type": "dbt_cloud_ide", "discoveryApiEndpoint": endpoint})],
            ["dbtConnection.discoveryApiEndpoint is no plain https URL"],
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
        ["sshUrl is github.com/evil/dbt", "dbtConnection.repository is github.com/evil/bi", "acme/*"],
        config={"repositories": ["acme/*"]},
    ),
    Case(
        "allowed-repositories",
        [configuration(sshUrl="https://github.com/acme/%2e%2e/evil/dbt"), source(repository="acme/../evil/dbt")],
        ["sshUrl is no plain git URL", "dbtConnection.repository is no plain path"],
        config={"repositories": ["acme/*"]},
    ),
    Case("allowed-repositories", [source()], ["gitlab.com/acme/*"], config={"repositories": ["gitlab.com/acme/*"]}),
    Case("same-repository", [configuration(), source(repository="acme/dbt?x")], ["repository is no plain path"]),
    Case(
        "same-repository", [configuration(), source(repository="acme/bi")], ["github.com/acme/bi", "Use one repository"]
    ),
    Case("same-repository", [configuration(), source(branch="b")], ['dbtConnection.branch is "b"', "Use one branch"]),
    Case("production-shared", [environment(called="Production EU", ownerId=PERSON)], ["ownerId is set"]),
    Case("production-shared", [environment(called="PRD", ownerId=PERSON)], ["ownerId is set", "Leave owner_id out"]),
    Case("production-shared", [environment(called="PROD", ownerId=PERSON)], ["ownerId is set", "Leave owner_id out"]),
    Case(
        "production-protected", [environment(called="Production")], ["option protect", "ResourceOptions(protect=True)"]
    ),
    Case("production-protected", [environment(called="Live")], ["protect"]),
    Case("production-protected", [environment(called="main")], ["protect"], config={"names": ["main"]}),
    Case("production-configuration-protected", [configuration(), environment(called="prod")], [ONE, "protect=True"]),
    Case("schema-names", [environment(targetSchema="my schema")], ['targetSchema is "my schema"', "Rename it"]),
    Case("schema-names", [environment()], ["no regular expression"], config={"pattern": "("}),
    Case(
        "distinct-schemas",
        [environment("a"), environment("b", targetSchema="STAGING")],
        ["of environment a", "its own"],
    ),
    Case(
        "distinct-schemas",
        [environment("a", targetDatabase="db"), environment("b", targetDatabase="DB", connectionId=TWO)],
        ['database "DB" is also that of environment a'],
    ),
    Case(
        "distinct-schemas",
        [environment("a", targetSchema='"staging"'), environment("b", targetSchema=" [STAGING]`")],
        ["of environment a"],
    ),
    Case(
        "distinct-schemas",
        [environment("a", targetDatabase="db"), environment("b", targetDatabase="db")],
        ["of environment a"],
        config={"separateConnections": [ONE]},
    ),
    Case(
        "distinct-schemas",
        [
            environment("a", targetDatabase="db", connectionId=UNKNOWN),
            environment("b", targetDatabase="db", connectionId=UNKNOWN),
        ],
        ["of environment a"],
    ),
    Case("distinct-attribute-values", [route("a"), route("b")], ['userAttributeValues has "staging"', "Take it out"]),
    Case("environment-has-configuration", [environment()], [ONE, "Declare it here"]),
    Case("environment-has-configuration", [configuration(), environment(connectionId=TWO)], [TWO]),
    Case("environment-has-configuration", [configuration(), environment(profile="eu")], [ONE]),
    Case(
        "one-configuration",
        [configuration("a"), configuration("b")],
        ["configured by a too", "Take one of them out of the program", "pulumi state delete"],
    ),
    Case("no-key-rotation", [configuration(rotateKeysTrigger="1")], ["rotateKeysTrigger is set", "allowedStacks"]),
    Case("no-key-rotation", [configuration(rotateKeysTrigger="")], ["rotateKeysTrigger is set"]),
    Case(
        "virtual-schemas-as-decided",
        [configuration(enableVirtualSchemas=True)],
        ["enableVirtualSchemas is true", "decided to be false", "plan the migration"],
        config={"stacks": {"te*": False}},
    ),
    Case("virtual-schemas-decision-stated", [configuration()], ["enableVirtualSchemas has no decision"]),
    Case(
        "virtual-schemas-decision-stated",
        [configuration(enableVirtualSchemas=True)],
        ["enableVirtualSchemas is true", "the decision in this rule's configuration is false"],
        config={"stacks": {"*": False}},
    ),
    Case("pinned-dbt-version", [configuration(dbtVersion="Auto")], ['dbtVersion is "Auto"', "Set dbt_version"]),
    Case("lightdash-app-installation", [source(personalAccessToken="x")], ["personalAccessToken", "installation_id"]),
    Case(
        "lightdash-app-installation", [source(personalAccessToken=UNKNOWN)], [], ["dbtConnection.personalAccessToken"]
    ),
    Case("adopt-is-temporary", [configuration(stack="prod-eu", adopt=True)], ["adopt is true", "pulumi up"]),
    Case("adopt-is-temporary", [configuration(stack="prod", adopt="existing")], ['"existing"', "replaces"]),
    Case("adopt-is-temporary", [environment(stack="prod", called="Production", adopt="existing")], ['"existing"']),
    Case("adopt-is-temporary", [environment(stack="prod", called="Staging", adopt=True)], ["adopt is true"]),
    Case("adopt-is-temporary", [configuration(stack="eu-prod", adopt=True)], ["adopt is true"]),
    Case("no-personal-environments", [environment(ownerId=PERSON)], ["ownerId is set", "personalStacks"]),
    Case("selectable-environment", [route(userAttributeValues=[])], ["userAttributeValues is empty"]),
]

UNKNOWNS = [
    Case("no-plain-secrets", [environment(variables=UNKNOWN)], unknown=["variables"]),
    Case("no-plain-secrets", [environment(variables={"A": UNKNOWN, "B": "b"})], unknown=["variables.A"]),
    Case("no-plain-secrets", [of_connection(UNKNOWN)], unknown=["dbtConnection"]),
    Case("no-plain-secrets", [source(target=UNKNOWN)], unknown=["dbtConnection.target"]),
    Case("allowed-branches", [configuration(stack="prod", branch=UNKNOWN)], unknown=["branch"]),
    Case("allowed-hosts", [configuration(sshUrl=UNKNOWN)], unknown=["sshUrl"]),
    Case("allowed-hosts", [source(hostDomain=UNKNOWN)], unknown=["dbtConnection.hostDomain"]),
    Case("allowed-hosts", [of_connection(UNKNOWN)], unknown=["dbtConnection"]),
    Case("allowed-repositories", [source(repository=UNKNOWN)], unknown=["dbtConnection.repository"]),
    Case("same-repository", [configuration(branch=UNKNOWN), source()], unknown=["dbt.branch"]),
    Case("same-repository", [configuration(), source(branch=UNKNOWN)], unknown=["finance.dbtConnection.branch"]),
    Case("production-shared", [environment(called=UNKNOWN, ownerId=PERSON)], unknown=["name"]),
    Case("production-shared", [environment(called="prod", ownerId=UNKNOWN)], unknown=["ownerId"]),
    Case("production-protected", [environment(called=UNKNOWN)], unknown=["name"]),
    Case(
        "production-configuration-protected",
        [configuration(), environment(called="prod", connectionId=UNKNOWN)],
        unknown=["staging.connectionId"],
    ),
    Case("schema-names", [environment(targetSchema=UNKNOWN)], unknown=["targetSchema"]),
    Case("distinct-schemas", [environment(), environment("b", targetSchema=UNKNOWN)], unknown=["b.targetSchema"]),
    Case(
        "distinct-attribute-values",
        [route(), route("b", userAttributeValues=["b", UNKNOWN])],
        unknown=["b.userAttributeValues[1]"],
    ),
    Case("distinct-attribute-values", [route(), route("b", baseConnectionId=UNKNOWN)], unknown=["b.baseConnectionId"]),
    Case("environment-has-configuration", [environment(connectionId=UNKNOWN)], unknown=["staging.connectionId"]),
    Case(
        "environment-has-configuration",
        [configuration(connectionId=UNKNOWN), environment()],
        unknown=["dbt.connectionId"],
    ),
    Case("one-configuration", [configuration(), configuration("b", connectionId=UNKNOWN)], unknown=["b.connectionId"]),
    Case("no-key-rotation", [configuration(rotateKeysTrigger=UNKNOWN)], unknown=["rotateKeysTrigger"]),
    Case(
        "virtual-schemas-as-decided",
        [configuration(enableVirtualSchemas=UNKNOWN)],
        unknown=["enableVirtualSchemas"],
        config={"stacks": {"*": True}},
    ),
    Case(
        "virtual-schemas-decision-stated",
        [configuration(connectionId=UNKNOWN)],
        unknown=["connectionId"],
        config={"connections": {ONE: True}},
    ),
    Case(
        "virtual-schemas-decision-stated",
        [configuration(enableVirtualSchemas=UNKNOWN)],
        unknown=["enableVirtualSchemas"],
        config={"stacks": {"*": True}},
    ),
    Case("pinned-dbt-version", [configuration(dbtVersion=UNKNOWN)], unknown=["dbtVersion"]),
    Case("lightdash-app-installation", [of_connection(UNKNOWN)], unknown=["dbtConnection"]),
    Case("adopt-is-temporary", [configuration(stack="prod", adopt=UNKNOWN)], unknown=["adopt"]),
    Case("adopt-is-temporary", [environment(stack="prod", called=UNKNOWN, adopt=True)], unknown=["name"]),
    Case("no-personal-environments", [environment(ownerId=UNKNOWN)], unknown=["ownerId"]),
    Case("selectable-environment", [route(userAttributeValues=UNKNOWN)], unknown=["userAttributeValues"]),
]


@pytest.mark.parametrize("case", PASS, ids=str)
def test_pass(case: Case) -> None:
    """What a rule allows, it says nothing about; nor does it ask for values that it does not need."""
    verdict = judge(RULES[case.rule], case.given, case.config)
    assert verdict.reports == []
    assert verdict.unknown == []


@pytest.mark.parametrize("case", FAIL, ids=str)
def test_fail(case: Case) -> None:
    """A violation names the property, says why and what to do."""
    verdict = judge(RULES[case.rule], case.given, case.config)
    assert verdict.reports
    assert [text for text in case.says if text not in verdict.text] == []
    assert verdict.unknown == list(case.unknown)


@pytest.mark.parametrize("case", UNKNOWNS, ids=str)
def test_unknown(case: Case) -> None:
    """A rule that meets an unknown value ends as not applicable and names the property: it neither passes nor fails."""
    verdict = judge(RULES[case.rule], case.given, case.config)
    assert verdict.reports == []
    assert verdict.unknown == list(case.unknown)


@pytest.mark.parametrize("cases", [PASS, FAIL, UNKNOWNS], ids=["pass", "fail", "unknown"])
def test_each_rule_has_each_case(cases: list[Case]) -> None:
    """No rule is without a case that passes, one that fails and one that meets an unknown value."""
    assert {case.rule for case in cases} == {*RULES}


@pytest.mark.parametrize("rule", RULES)
def test_other_resources(rule: str) -> None:
    """Of resources of other types a rule says that it is not about them, whatever their properties are called."""
    other = environment()._replace(
        type="aws:s3/bucket:Bucket", properties={"name": UNKNOWN, "variables": {"TOKEN": "x"}}
    )
    verdict = judge(RULES[rule], [other, other._replace(name="b")])
    assert (verdict.reports, verdict.unknown) == ([], [])
    assert verdict.other == (["staging", "b"] if isinstance(RULES[rule], ResourceValidationPolicy) else [])


def test_every_violation_and_every_unknown() -> None:
    """One resource may break a rule several times and have unknown values too, and nothing of it is lost."""
    given = environment(variables={"A_TOKEN": "x", "B": UNKNOWN, "C": "ghp_0123456789abcdef", "D": UNKNOWN})
    verdict = judge(RULES["no-plain-secrets"], [given])
    assert [message.split(" ", 1)[0] for _, message in verdict.reports] == ["variables.A_TOKEN", "variables.C"]
    assert verdict.unknown == ["variables.B", "variables.D"]


def test_second_one_is_reported() -> None:
    """Of two resources that get in each other's way the second by name is reported, in whatever order they come."""
    given = [configuration("b"), configuration("a")]
    for order in (given, given[::-1]):
        assert [name for name, _ in judge(RULES["one-configuration"], order).reports] == ["b"]
