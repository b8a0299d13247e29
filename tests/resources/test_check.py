"""What a preview refuses: every rule that can be known without the network, of every resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pulumi.output import Unknown
from pydantic.alias_generators import to_snake

from omni_pulumi.simulator import CONNECTION_ID
from tests.catalogue import SAMPLES, Sample, every_sample
from tests.servicer import UNKNOWN, Refusal, Servicer

UUID_OF_VERSION_1 = "0b7a2f7e-51c4-1c57-9d0e-6a1f0c9be001"
SECRET = "s3cr3t-value"

CONFIGURATION = SAMPLES["DbtConfiguration"]
ENVIRONMENT = SAMPLES["DbtEnvironment"]
CONNECTION_ENVIRONMENT = SAMPLES["ConnectionEnvironment"]
ATTRIBUTE = SAMPLES["ConnectionEnvironmentAttribute"]
SOURCE = SAMPLES["LightdashDbtSource"]

REPOSITORY = {"repository": "acme/dbt", "branch": "main", "projectSubPath": "/"}
CONNECTIONS: dict[str, dict[str, Any]] = {
    "github": {**REPOSITORY, "personalAccessToken": SECRET},
    "gitlab": {**REPOSITORY, "personalAccessToken": SECRET},
    "bitbucket": {**REPOSITORY, "username": "ann", "personalAccessToken": SECRET},
    "azure_devops": {**REPOSITORY, "organization": "acme", "project": "data", "personalAccessToken": SECRET},
    "dbt_cloud_ide": {"apiKey": SECRET, "environmentId": "42"},
    "dbt": {},
    "none": {},
    "manifest": {"manifest": "{}", "hideRefreshButton": True},
}
"""The least of each kind of connection."""


@pytest.fixture
def servicer() -> Servicer:
    """A configured provider process; no request leaves it."""
    keys = ("omni:baseUrl", "omni-eu:baseUrl", "lightdash:url", "lightdash-eu:url")
    return Servicer(
        dict.fromkeys(keys, "https://bi.acme.test") | {f"{key.partition(':')[0]}:apiKey": "made-up-key" for key in keys}
    )


def label(value: object) -> str | None:
    """A short name of a case's parts: the resource, the properties that are changed."""
    if isinstance(value, Sample):
        return value.name
    return ",".join(value) if isinstance(value, dict) else None


def connection(kind: str = "github", **changes: Any) -> dict[str, Any]:
    """The least connection of a kind with changes."""
    return {"dbtConnection": {"type": kind, **CONNECTIONS[kind], **changes}}


def github(**changes: Any) -> dict[str, Any]:
    return connection("github", **changes)


def without(properties: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key != name}


BROKEN: list[tuple[Sample, dict[str, Any], str, str]] = [
    (CONFIGURATION, {"connectionId": "abc"}, "connection_id", "UUID"),
    (CONFIGURATION, {"connectionId": f"{CONNECTION_ID}\n"}, "connection_id", "UUID"),
    (CONFIGURATION, {"connectionId": 1}, "connection_id", "text"),
    (CONFIGURATION, {"sshUrl": ""}, "ssh_url", "empty"),
    (CONFIGURATION, {"branch": ""}, "branch", "empty"),
    (CONFIGURATION, {"branch": 1}, "branch", "text"),
    (CONFIGURATION, {"autogenRelationships": "true"}, "autogen_relationships", "true or false"),
    (CONFIGURATION, {"enableVirtualSchemas": 1}, "enable_virtual_schemas", "true or false"),
    (CONFIGURATION, {"enableSemanticLayer": "no"}, "enable_semantic_layer", "true or false"),
    (CONFIGURATION, {"dbtVersion": ""}, "dbt_version", '"Auto"'),
    (CONFIGURATION, {"dbtVersion": "auto"}, "dbt_version", '"Auto"'),
    (CONFIGURATION, {"dbtVersion": "1"}, "dbt_version", '"Auto"'),
    (CONFIGURATION, {"dbtVersion": "1.11.2"}, "dbt_version", '"Auto"'),
    (CONFIGURATION, {"dbtVersion": 1.1}, "dbt_version", "text"),
    (CONFIGURATION, {"projectRootPath": "/dbt"}, "project_root_path", '".."'),
    (CONFIGURATION, {"projectRootPath": "a/../b"}, "project_root_path", '".."'),
    (CONFIGURATION, {"projectRootPath": "a*b"}, "project_root_path", '".."'),
    (CONFIGURATION, {"projectRootPath": 1}, "project_root_path", "text"),
    (CONFIGURATION, {"rotateKeysTrigger": 1}, "rotate_keys_trigger", "text"),
    (CONFIGURATION, {"sshURL": "x"}, "ssh_url", "not an argument"),
    (CONFIGURATION, {"adopt": "yes"}, "adopt", '"existing"'),
    (ENVIRONMENT, {"unmanagedVariables": ["A"]}, "unmanaged_variables", "A"),
    (ENVIRONMENT, {"unmanagedVariables": ["S", "T"]}, "unmanaged_variables", "S"),
    (ENVIRONMENT, {"unmanagedVariables": [""]}, "unmanaged_variables.0", "empty"),
    (ENVIRONMENT, {"unmanagedVariables": "A"}, "unmanaged_variables", "list"),
    (ENVIRONMENT, {"secretsTrigger": 1}, "secrets_trigger", "text"),
    (CONFIGURATION, {"profile": "EU!"}, "profile", ""),
    (CONFIGURATION, {"profile": "us"}, "", "omni-us:apiKey"),
    (ENVIRONMENT, {"connectionId": "abc"}, "connection_id", "UUID"),
    (ENVIRONMENT, {"name": ""}, "name", "empty"),
    (ENVIRONMENT, {"targetSchema": ""}, "target_schema", "empty"),
    (ENVIRONMENT, {"targetDatabase": 1}, "target_database", "text"),
    (ENVIRONMENT, {"targetName": True}, "target_name", "text"),
    (ENVIRONMENT, {"targetRole": ["a"]}, "target_role", "text"),
    (ENVIRONMENT, {"ownerId": "ann"}, "owner_id", "UUID"),
    (ENVIRONMENT, {"variables": "A"}, "variables", "map"),
    (ENVIRONMENT, {"variables": {"A": 1}}, "variables.A", "text"),
    (ENVIRONMENT, {"variables": {"": "1"}}, "variables", "empty"),
    (ENVIRONMENT, {"secretVariables": "S"}, "secret_variables", "map"),
    (ENVIRONMENT, {"secretVariables": {"S": 1}}, "secret_variables.S", "text"),
    (ENVIRONMENT, {"secretVariables": {"": "1"}}, "secret_variables", "empty"),
    (ENVIRONMENT, {"variables": {"TWICE": "1"}, "secretVariables": {"TWICE": "1"}}, "secret_variables", "TWICE"),
    (CONNECTION_ENVIRONMENT, {"baseConnectionId": "abc"}, "base_connection_id", "UUID"),
    (CONNECTION_ENVIRONMENT, {"environmentConnectionId": "abc"}, "environment_connection_id", "UUID"),
    (
        CONNECTION_ENVIRONMENT,
        {"environmentConnectionId": CONNECTION_ID},
        "environment_connection_id",
        "base_connection_id",
    ),
    (
        CONNECTION_ENVIRONMENT,
        {"environmentConnectionId": CONNECTION_ID.upper()},
        "environment_connection_id",
        "base_connection_id",
    ),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": "a"}, "user_attribute_values", "list"),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": [1]}, "user_attribute_values.0", "text"),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": ["a", ""]}, "user_attribute_values.1", "empty"),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": ["a,b"]}, "user_attribute_values.0", "comma"),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": [" a"]}, "user_attribute_values.0", "blanks"),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": ["a", "a"]}, "user_attribute_values", "twice"),
    (ATTRIBUTE, {"connectionId": "abc"}, "connection_id", "UUID"),
    (ATTRIBUTE, {"attributeName": ""}, "attribute_name", "empty"),
    (ATTRIBUTE, {"defaultValues": ["a,b"]}, "default_values.0", "comma"),
    (ATTRIBUTE, {"defaultValues": ["a", "a"]}, "default_values", "twice"),
    (SOURCE, {"projectUuid": "abc"}, "project_uuid", "UUID of version 4"),
    (SOURCE, {"projectUuid": UUID_OF_VERSION_1}, "project_uuid", "UUID of version 4"),
    (SOURCE, {"name": ""}, "name", "255"),
    (SOURCE, {"name": "x" * 256}, "name", "255"),
    (SOURCE, {"name": "a\0b"}, "name", "NUL"),
    (SOURCE, {"dbtConnection": {"branch": "main"}}, "dbt_connection", "type"),
    (SOURCE, {"dbtConnection": {"type": "svn"}}, "dbt_connection", "'gitlab'"),
    (SOURCE, {"dbtConnection": "github"}, "dbt_connection", ""),
    (SOURCE, github(tagline="x"), "dbt_connection.tagline", "not an argument"),
    (SOURCE, github(branch=""), "dbt_connection.branch", "empty"),
    (SOURCE, github(environment={"A": 1}), "dbt_connection.environment.A", "text"),
    (SOURCE, github(environment={"1A": "x"}), "dbt_connection.environment.1A", "letters, digits"),
    (SOURCE, github(environment={"A-B": "x"}), "dbt_connection.environment.A-B", "letters, digits"),
    (
        SOURCE,
        github(environment={"LIGHTDASH_DBT_PROFILE_VAR_A": "x"}),
        "dbt_connection.environment.LIGHTDASH_DBT_PROFILE_VAR_A",
        "LIGHTDASH_DBT_PROFILE_VAR_",
    ),
    (SOURCE, github(personalAccessToken=None), "dbt_connection", "neither"),
    (SOURCE, github(installationId="42"), "dbt_connection", "both"),
    (
        SOURCE,
        github(authorizationMethod="installation_id"),
        "dbt_connection.authorization_method",
        "personal_access_token",
    ),
    (SOURCE, {"secretsTrigger": 1}, "secrets_trigger", "text"),
    (SOURCE, github(personalAccessToken=""), "dbt_connection.personal_access_token", "empty"),
    (SOURCE, connection("gitlab", installationId="42"), "dbt_connection.installation_id", "not an argument"),
    (SOURCE, connection("dbt_cloud_ide", tags="a"), "dbt_connection.tags", "list"),
    (SOURCE, connection("dbt_cloud_ide", tags=[1]), "dbt_connection.tags.0", "text"),
    (SOURCE, connection("dbt_cloud_ide", webhookHmacSecret=""), "dbt_connection.webhook_hmac_secret", "empty"),
    (SOURCE, connection("none", hideRefreshButton="no"), "dbt_connection.hide_refresh_button", "true or false"),
    (SOURCE, connection("dbt", profilesDir=1), "dbt_connection.profiles_dir", "text"),
    (SOURCE, connection("manifest", manifest=""), "dbt_connection.manifest", "empty"),
]

REQUIRED = [(sample, name) for sample in SAMPLES.values() for name in sample.minimal]

SECRETS_IN_WRONG_PLACES: list[tuple[Sample, dict[str, Any]]] = [
    (ENVIRONMENT, {"secretVariables": SECRET}),
    (ENVIRONMENT, {"secretVariables": {"S": [SECRET]}}),
    (ENVIRONMENT, {"variables": {"S": [SECRET]}}),
    (ENVIRONMENT, {"secretVariables": {"A": SECRET}}),
    (ENVIRONMENT, {"connectionId": SECRET}),
    (CONFIGURATION, {"dbtVersion": SECRET}),
    (CONFIGURATION, {"projectRootPath": f"/{SECRET}"}),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": [SECRET, SECRET]}),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": [f"{SECRET},"]}),
    (SOURCE, {"projectUuid": SECRET}),
    (SOURCE, {"dbtConnection": SECRET}),
    (SOURCE, {"dbtConnection": {"type": SECRET}}),
    (SOURCE, github(personalAccessToken=[SECRET])),
    (SOURCE, github(personalAccessToken={"token": SECRET})),
    (SOURCE, github(authorizationMethod=SECRET)),
    (SOURCE, github(environment={"A": [SECRET]})),
]

UNKNOWN_INSIDE: list[tuple[Sample, dict[str, Any]]] = [
    (ENVIRONMENT, {"variables": {"A": UNKNOWN, "B": "2"}}),
    (ENVIRONMENT, {"secretVariables": {"S": UNKNOWN}}),
    (ENVIRONMENT, {"variables": UNKNOWN, "secretVariables": UNKNOWN}),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": ["b", UNKNOWN, "a"]}),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": [UNKNOWN, UNKNOWN]}),
    (SOURCE, github(type=UNKNOWN)),
    (SOURCE, github(environment={"A": UNKNOWN, "B": "2"})),
    (SOURCE, connection("dbt_cloud_ide", tags=["a", UNKNOWN])),
    *(
        (SOURCE, connection(kind, **{name: UNKNOWN}))
        for kind, properties in CONNECTIONS.items()
        for name in ["target", *properties]
        if not (name == "target" and kind in {"dbt_cloud_ide", "manifest"})
    ),
    (SOURCE, connection("github", personalAccessToken=None, installationId=UNKNOWN)),
]


def refusal(servicer: Servicer, sample: Sample, properties: Mapping[str, Any]) -> dict[str, str]:
    answer = servicer.check(sample.provider(), properties)
    assert isinstance(answer, Refusal), answer
    return answer.failures


def accepted(servicer: Servicer, sample: Sample, properties: Mapping[str, Any]) -> dict[str, Any]:
    answer = servicer.check(sample.provider(), properties)
    assert not isinstance(answer, Refusal), answer
    return answer


@every_sample
def test_accepts_what_is_right(servicer: Servicer, sample: Sample) -> None:
    """A program with every field is accepted, and its values are kept as they are."""
    inputs = accepted(servicer, sample, sample.complete)
    assert {name: inputs[name] for name in without(sample.complete, "dbtConnection")} == without(
        sample.complete, "dbtConnection"
    )


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_accepts_the_least_of_each_connection(servicer: Servicer, kind: str) -> None:
    """What Lightdash requires of a kind of connection is enough."""
    accepted(servicer, SOURCE, {**SOURCE.complete, **connection(kind)})


@pytest.mark.parametrize(("sample", "change", "property_", "reason"), BROKEN, ids=label)
def test_refuses_what_breaks_a_rule(
    servicer: Servicer, sample: Sample, change: dict[str, Any], property_: str, reason: str
) -> None:
    """A broken rule names its property, and what it expects there, and nothing else is refused."""
    failures = refusal(servicer, sample, {**sample.complete, **change})
    assert failures.keys() == {property_}
    assert reason in failures[property_]


@pytest.mark.parametrize(("sample", "name"), REQUIRED, ids=label)
def test_refuses_what_lacks_a_required_field(servicer: Servicer, sample: Sample, name: str) -> None:
    """A required field that is left out is named."""
    failures = refusal(servicer, sample, without(sample.complete, name))
    assert failures.keys() == {to_snake(name)}
    assert "required" in failures[to_snake(name)]


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind, properties in CONNECTIONS.items() for name in properties if kind != "github"]
    + [("github", name) for name in REPOSITORY],
)
def test_refuses_a_connection_that_lacks_a_required_field(servicer: Servicer, kind: str, name: str) -> None:
    """What a kind of connection requires is named under the connection, as it is written in a program."""
    least = {"type": kind, **without(CONNECTIONS[kind], name)}
    failures = refusal(servicer, SOURCE, {**SOURCE.complete, "dbtConnection": least})
    assert failures.keys() == {f"dbt_connection.{to_snake(name)}"}
    assert "required" in failures[f"dbt_connection.{to_snake(name)}"]


@every_sample
def test_every_argument_has_a_rule_that_is_tested(sample: Sample) -> None:
    """The table of broken rules has each argument of each resource."""
    tested = {property_.partition(".")[0] for each, _, property_, _ in BROKEN if each is sample}
    assert set(map(to_snake, sample.complete)) <= tested


@pytest.mark.parametrize(
    ("sample", "properties", "broken"),
    [
        pytest.param(
            CONFIGURATION,
            {"connectionId": "abc", "sshUrl": "", "autogenRelationships": 1, "dbtVersion": "x", "extra": "x"},
            {
                "connection_id",
                "ssh_url",
                "branch",
                "autogen_relationships",
                "enable_virtual_schemas",
                "dbt_version",
                "extra",
            },
            id="DbtConfiguration",
        ),
        pytest.param(
            ENVIRONMENT,
            {"connectionId": "abc", "name": "", "ownerId": "x", "variables": {"A": 1}, "secretVariables": {"S": 1}},
            {"connection_id", "name", "target_schema", "owner_id", "variables.A", "secret_variables.S"},
            id="DbtEnvironment",
        ),
        pytest.param(
            CONNECTION_ENVIRONMENT,
            {"baseConnectionId": "abc", "userAttributeValues": ["a,b", ""]},
            {"base_connection_id", "environment_connection_id", "user_attribute_values.0", "user_attribute_values.1"},
            id="ConnectionEnvironment",
        ),
        pytest.param(
            SOURCE,
            {"projectUuid": "abc", "name": "", "dbtConnection": {"type": "bitbucket", "branch": "", "username": 1}},
            {
                "project_uuid",
                "name",
                *(
                    f"dbt_connection.{name}"
                    for name in ("repository", "branch", "project_sub_path", "username", "personal_access_token")
                ),
            },
            id="LightdashDbtSource",
        ),
    ],
)
def test_tells_all_failures_at_once(
    servicer: Servicer, sample: Sample, properties: dict[str, Any], broken: set[str]
) -> None:
    """A program with many mistakes learns all of them from one preview."""
    assert refusal(servicer, sample, properties).keys() == broken


@pytest.mark.parametrize(("sample", "change"), SECRETS_IN_WRONG_PLACES, ids=label)
def test_a_failure_shows_no_value(servicer: Servicer, sample: Sample, change: dict[str, Any]) -> None:
    """Any value may be a secret, which a provider is not told, so no reason repeats one."""
    assert SECRET not in str(refusal(servicer, sample, {**sample.complete, **change}))


@pytest.mark.parametrize(
    ("sample", "name"), [(sample, name) for sample in SAMPLES.values() for name in sample.complete], ids=label
)
def test_an_unknown_field_is_set_aside(servicer: Servicer, sample: Sample, name: str) -> None:
    """A value that a preview does not know passes as unknown, whatever the field, and counts as a change."""
    inputs = accepted(servicer, sample, {**sample.complete, name: UNKNOWN})
    assert isinstance(inputs[name], Unknown)
    assert changes(servicer, sample, inputs)


@pytest.mark.parametrize(("sample", "change"), UNKNOWN_INSIDE, ids=label)
def test_an_unknown_value_inside_is_set_aside(servicer: Servicer, sample: Sample, change: dict[str, Any]) -> None:
    """A value that a preview does not know may stand in a map, a list or a connection, next to known ones."""
    inputs = accepted(servicer, sample, {**sample.complete, **change})
    assert "Unknown" in str(inputs)
    assert changes(servicer, sample, inputs)


def test_an_unknown_value_hides_no_failure(servicer: Servicer) -> None:
    """The rules of the values that are known hold in a preview, too."""
    properties = {**SOURCE.complete, "name": UNKNOWN, **github(branch=UNKNOWN, repository="")}
    failures = refusal(servicer, SOURCE, properties)
    assert failures.keys() == {"dbt_connection.repository"}
    assert "empty" in failures["dbt_connection.repository"]


def test_an_unknown_credential_counts(servicer: Servicer) -> None:
    """Two credentials are refused although a preview does not know the value of one."""
    properties = {**SOURCE.complete, **github(installationId=UNKNOWN)}
    assert refusal(servicer, SOURCE, properties).keys() == {"dbt_connection"}


@every_sample
def test_a_missing_instance_fails_at_preview(sample: Sample) -> None:
    """Without URL and key a resource is refused with the commands that set them."""
    (reason,) = refusal(Servicer({}), sample, sample.complete).values()
    service = sample.service
    assert f"`pulumi config set {service.namespace}:{service.url_key} " in reason
    assert f"`pulumi config set --secret {service.namespace}:apiKey`" in reason


@every_sample
def test_a_profile_is_accepted_where_it_is_configured(servicer: Servicer, sample: Sample) -> None:
    """A profile's settings stand in the place of the default ones."""
    assert accepted(servicer, sample, {**sample.complete, "profile": "eu"})["profile"] == "eu"


def changes(servicer: Servicer, sample: Sample, inputs: Mapping[str, Any]) -> bool:
    """Whether the inputs differ from an object that is what the whole program says."""
    lifecycle = sample.provider.lifecycle
    args = lifecycle.validate(sample.complete)
    assert not isinstance(args, list)
    state = lifecycle.state.from_args(args).to_properties()
    return servicer.diff(sample.provider(), "id", state, inputs).changes


def test_a_secret_that_is_unknown_is_not_announced(servicer: Servicer, log: pytest.LogCaptureFixture) -> None:
    """Whether a secret that comes from another resource changes is not known in a preview, so nothing is said."""
    provider = ENVIRONMENT.provider()
    olds = {**ENVIRONMENT.minimal, "secretVariables": {"S": "old", "T": "old"}}
    news = {**ENVIRONMENT.minimal, "secretVariables": {"S": UNKNOWN, "T": "new"}}
    assert servicer.diff(provider, "id", olds, news).changes
    assert [line for line in log.messages if "secretVariables.T" in line]
    assert [line for line in log.messages if "secretVariables.S" in line] == []
