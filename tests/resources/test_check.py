"""Validation at preview: every rule of every resource that needs no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pulumi.output import Unknown
from pydantic.alias_generators import to_snake

from omni_pulumi.errors import ConfigurationError
from omni_pulumi.simulator import CONNECTION_ID
from tests.catalogue import SAMPLES, Sample, every_sample
from tests.servicer import UNKNOWN, ProviderError, Refusal, Servicer

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
    "azure_devops": {
        **REPOSITORY,
        "repository": "dbt",
        "organization": "acme",
        "project": "data",
        "personalAccessToken": SECRET,
    },
    "dbt_cloud_ide": {"apiKey": SECRET, "environmentId": "42"},
    "dbt": {},
    "none": {},
    "manifest": {"manifest": "{}", "hideRefreshButton": True},
}
"""The required properties of each type of connection."""


@pytest.fixture
def servicer() -> Servicer:
    """A configured provider process. It sends no request."""
    keys = ("omni:baseUrl", "omni-eu:baseUrl", "lightdash:url", "lightdash-eu:url")
    return Servicer(
        dict.fromkeys(keys, "https://bi.acme.test") | {f"{key.partition(':')[0]}:apiKey": "made-up-key" for key in keys}
    )


def label(value: object) -> str | None:
    """Return the test ID of a parameter: the resource, or the changed properties."""
    if isinstance(value, Sample):
        return value.name
    return ",".join(value) if isinstance(value, dict) else None


def connection(kind: str = "github", **changes: Any) -> dict[str, Any]:
    """Return a connection of this type with its required properties and with changes."""
    return {"dbtConnection": {"type": kind, **CONNECTIONS[kind], **changes}}


def github(**changes: Any) -> dict[str, Any]:
    return connection("github", **changes)


def without(properties: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key != name}


INVALID: list[tuple[Sample, dict[str, Any], str, str]] = [
    (CONFIGURATION, {"connectionId": "abc"}, "connection_id", "get_connection("),
    (CONFIGURATION, {"connectionId": f"{CONNECTION_ID}\n"}, "connection_id", "get_connection("),
    (CONFIGURATION, {"connectionId": 1}, "connection_id", "string"),
    (CONFIGURATION, {"sshUrl": ""}, "ssh_url", "empty"),
    (CONFIGURATION, {"branch": ""}, "branch", "empty"),
    (CONFIGURATION, {"branch": 1}, "branch", "string"),
    (CONFIGURATION, {"autogenRelationships": "true"}, "autogen_relationships", "True or False"),
    (CONFIGURATION, {"enableVirtualSchemas": 1}, "enable_virtual_schemas", "True or False"),
    (CONFIGURATION, {"enableSemanticLayer": "no"}, "enable_semantic_layer", "True or False"),
    (CONFIGURATION, {"dbtVersion": ""}, "dbt_version", "empty"),
    (CONFIGURATION, {"dbtVersion": 1.1}, "dbt_version", "string"),
    (CONFIGURATION, {"projectRootPath": "/dbt"}, "project_root_path", '".."'),
    (CONFIGURATION, {"projectRootPath": "a/../b"}, "project_root_path", '".."'),
    (CONFIGURATION, {"projectRootPath": "a*b"}, "project_root_path", '".."'),
    (CONFIGURATION, {"projectRootPath": 1}, "project_root_path", "string"),
    (CONFIGURATION, {"rotateKeysTrigger": 1}, "rotate_keys_trigger", "string"),
    (CONFIGURATION, {"sshURL": "x"}, "ssh_url", "not an argument"),
    (CONFIGURATION, {"adopt": "yes"}, "adopt", '"existing"'),
    (ENVIRONMENT, {"unmanagedVariables": ["A"]}, "unmanaged_variables", "A"),
    (ENVIRONMENT, {"unmanagedVariables": ["S", "T"]}, "unmanaged_variables", "S"),
    (ENVIRONMENT, {"unmanagedVariables": [""]}, "unmanaged_variables.0", "empty"),
    (ENVIRONMENT, {"unmanagedVariables": "A"}, "unmanaged_variables", "list"),
    (ENVIRONMENT, {"secretsTrigger": 1}, "secrets_trigger", "string"),
    (CONFIGURATION, {"profile": "EU!"}, "profile", ""),
    (CONFIGURATION, {"profile": "us"}, "", "omni-us:apiKey"),
    (ENVIRONMENT, {"connectionId": "abc"}, "connection_id", "get_connection("),
    (ENVIRONMENT, {"name": ""}, "name", "empty"),
    (ENVIRONMENT, {"targetSchema": ""}, "target_schema", "empty"),
    (ENVIRONMENT, {"targetDatabase": 1}, "target_database", "string"),
    (ENVIRONMENT, {"targetName": True}, "target_name", "string"),
    (ENVIRONMENT, {"targetRole": ["a"]}, "target_role", "string"),
    (ENVIRONMENT, {"ownerId": "ann"}, "owner_id", "UUID"),
    (ENVIRONMENT, {"variables": "A"}, "variables", "map"),
    (ENVIRONMENT, {"variables": {"A": 1}}, "variables.A", "string"),
    (ENVIRONMENT, {"variables": {"": "1"}}, "variables", "empty"),
    (ENVIRONMENT, {"secretVariables": "S"}, "secret_variables", "map"),
    (ENVIRONMENT, {"secretVariables": {"S": 1}}, "secret_variables.S", "string"),
    (ENVIRONMENT, {"secretVariables": {"": "1"}}, "secret_variables", "empty"),
    (ENVIRONMENT, {"variables": {"TWICE": "1"}, "secretVariables": {"TWICE": "1"}}, "secret_variables", "TWICE"),
    (CONNECTION_ENVIRONMENT, {"baseConnectionId": "abc"}, "base_connection_id", "get_connection("),
    (CONNECTION_ENVIRONMENT, {"environmentConnectionId": "abc"}, "environment_connection_id", "get_connection("),
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
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": [1]}, "user_attribute_values.0", "string"),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": ["a", ""]}, "user_attribute_values.1", "empty"),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": ["a,b"]}, "user_attribute_values.0", "comma"),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": [" a"]}, "user_attribute_values.0", "spaces"),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": ["a", "a"]}, "user_attribute_values", "twice"),
    (ATTRIBUTE, {"connectionId": "abc"}, "connection_id", "get_connection("),
    (ATTRIBUTE, {"attributeName": ""}, "attribute_name", "empty"),
    (ATTRIBUTE, {"defaultValues": ["a,b"]}, "default_values.0", "comma"),
    (ATTRIBUTE, {"defaultValues": ["a", "a"]}, "default_values", "twice"),
    (SOURCE, {"projectUuid": "abc"}, "project_uuid", "get_lightdash_project("),
    (SOURCE, {"projectUuid": UUID_OF_VERSION_1}, "project_uuid", "UUID of version 4"),
    (SOURCE, {"name": ""}, "name", "255"),
    (SOURCE, {"name": "x" * 256}, "name", "255"),
    (SOURCE, {"name": "a\0b"}, "name", "NUL"),
    (SOURCE, {"dbtConnection": {"branch": "main"}}, "dbt_connection", "type"),
    (SOURCE, {"dbtConnection": {"type": "svn"}}, "dbt_connection", "'gitlab'"),
    (SOURCE, {"dbtConnection": "github"}, "dbt_connection", ""),
    (SOURCE, github(tagline="x"), "dbt_connection.tagline", "not an argument"),
    (SOURCE, github(branch=""), "dbt_connection.branch", "empty"),
    (SOURCE, github(environment={"A": 1}), "dbt_connection.environment.A", "string"),
    (SOURCE, github(personalAccessToken=None), "dbt_connection", "neither"),
    (SOURCE, github(installationId="42"), "dbt_connection", "both"),
    (
        SOURCE,
        github(authorizationMethod="installation_id"),
        "dbt_connection.authorization_method",
        "personal_access_token",
    ),
    (SOURCE, {"secretsTrigger": 1}, "secrets_trigger", "string"),
    (SOURCE, github(personalAccessToken=""), "dbt_connection.personal_access_token", "empty"),
    (SOURCE, connection("gitlab", installationId="42"), "dbt_connection.installation_id", "not an argument"),
    (SOURCE, connection("dbt_cloud_ide", tags="a"), "dbt_connection.tags", "list"),
    (SOURCE, connection("dbt_cloud_ide", tags=[1]), "dbt_connection.tags.0", "string"),
    (SOURCE, connection("dbt_cloud_ide", webhookHmacSecret=""), "dbt_connection.webhook_hmac_secret", "empty"),
    (SOURCE, connection("none", hideRefreshButton="no"), "dbt_connection.hide_refresh_button", "True or False"),
    (SOURCE, connection("dbt", profilesDir=1), "dbt_connection.profiles_dir", "string"),
    (SOURCE, connection("manifest", manifest=""), "dbt_connection.manifest", "empty"),
    *((CONFIGURATION, {"branch": text}, "branch", "git accepts") for text in ("a b", "-a", "/a", "a..b", "a/", "a:b")),
    *(
        (CONFIGURATION, {"sshUrl": text}, "ssh_url", "git can clone")
        for text in ("acme/dbt", "github.com/acme/dbt", "/srv/dbt", "file:///srv/dbt", "C:/dbt", "git@github.com")
    ),
    *(
        (SOURCE, connection(kind, repository=text), "dbt_connection.repository", "no URL")
        for kind, texts in {
            "github": ("dbt", "a/b/c", "https://github.com/acme/dbt", "git@github.com:acme/dbt", "/acme/dbt"),
            "gitlab": ("dbt", "https://gitlab.com/acme/dbt", "acme/dbt/"),
            "bitbucket": ("dbt", "git@bitbucket.org:acme/dbt"),
            "azure_devops": ("acme/dbt", "https://dev.azure.com/acme/bi/_git/dbt"),
        }.items()
        for text in texts
    ),
    *(
        (SOURCE, connection(kind, hostDomain=text), "dbt_connection.host_domain", "without https://")
        for kind in ("github", "gitlab", "bitbucket")
        for text in ("https://git.acme.com", "git.acme.com/", "me@git.acme.com", "git.acme.com?a")
    ),
    *(
        (SOURCE, github(projectSubPath=text), "dbt_connection.project_sub_path", "inside")
        for text in ("..", "/../a", "a/..")
    ),
    (
        SOURCE,
        connection("dbt_cloud_ide", discoveryApiEndpoint="metadata"),
        "dbt_connection.discovery_api_endpoint",
        "URL",
    ),
]
"""A resource, changes that make it invalid, the property path of the failure, and a part of the failure's text."""

LINES: list[tuple[Sample, str, Callable[[str], dict[str, Any]]]] = [
    *(
        (CONFIGURATION, to_snake(name), lambda text, name=name: {name: text})
        for name in ("sshUrl", "branch", "dbtVersion")
    ),
    (CONFIGURATION, "project_root_path", lambda text: {"projectRootPath": text}),
    *(
        (ENVIRONMENT, to_snake(name), lambda text, name=name: {name: text})
        for name in ("targetSchema", "targetDatabase", "targetName", "targetRole")
    ),
    (ATTRIBUTE, "attribute_name", lambda text: {"attributeName": text}),
    *(
        (
            SOURCE,
            f"dbt_connection.{to_snake(name)}",
            lambda text, kind=kind, name=name: connection(kind, **{name: text}),
        )
        for kind, properties in CONNECTIONS.items()
        for name in properties
        if name not in {"manifest", "hideRefreshButton"}
    ),
    (SOURCE, "dbt_connection.target", lambda text: connection("none", target=text)),
    (SOURCE, "dbt_connection.host_domain", lambda text: connection("gitlab", hostDomain=text)),
    (SOURCE, "dbt_connection.tags.0", lambda text: connection("dbt_cloud_ide", tags=[text])),
]
"""The texts that can never have line breaks, or blanks at either end."""

REQUIRED = [(sample, name) for sample in SAMPLES.values() for name in sample.minimal]

SECRETS_IN_WRONG_PLACES: list[tuple[Sample, dict[str, Any]]] = [
    (ENVIRONMENT, {"secretVariables": SECRET}),
    (ENVIRONMENT, {"secretVariables": {"S": [SECRET]}}),
    (ENVIRONMENT, {"variables": {"S": [SECRET]}}),
    (ENVIRONMENT, {"secretVariables": {"A": SECRET}}),
    (ENVIRONMENT, {"connectionId": SECRET}),
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
"""Invalid changes that contain a secret."""

NESTED_UNKNOWNS: list[tuple[Sample, dict[str, Any]]] = [
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
"""Changes with an unknown value inside a map, a list or a connection."""


def failures_of(servicer: Servicer, sample: Sample, properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the failures of invalid properties, by property path."""
    result = servicer.check(sample.provider(), properties)
    assert isinstance(result, Refusal), result
    return result.failures


def valid_inputs(servicer: Servicer, sample: Sample, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs that validation returns for valid properties."""
    result = servicer.check(sample.provider(), properties)
    assert not isinstance(result, Refusal), result
    return result


@pytest.mark.parametrize(
    ("sample", "path", "changed"), LINES, ids=lambda value: value if isinstance(value, str) else None
)
@pytest.mark.parametrize("text", ["acme/dbt\n", " acme/dbt", "acme/dbt\u00a0", "acme\ndbt"])
def test_outer_blanks_and_line_breaks(
    servicer: Servicer, sample: Sample, path: str, changed: Callable[[str], dict[str, Any]], text: str
) -> None:
    """A text that was read from a file with its line break is refused before a request, and is not shown."""
    failures = failures_of(servicer, sample, {**sample.complete, **changed(text)})
    assert "must not begin or end with a blank" in failures[path]
    assert "acme" not in failures[path]


@pytest.mark.parametrize("key", [" A", "A\n", "A\nB"])
@pytest.mark.parametrize(
    ("sample", "changes"),
    [
        (ENVIRONMENT, lambda names: {"variables": names}),
        (ENVIRONMENT, lambda names: {"secretVariables": names}),
        (SOURCE, lambda names: github(environment=names)),
    ],
)
def test_names_of_variables_are_one_line(
    servicer: Servicer, sample: Sample, changes: Callable[[dict[str, str]], dict[str, Any]], key: str
) -> None:
    """The name of a variable never has line breaks, or blanks at either end."""
    (failure,) = failures_of(servicer, sample, {**sample.complete, **changes({key: "1"})}).values()
    assert "begins or ends with a blank" in failure


@pytest.mark.parametrize(
    ("sample", "changes"),
    [
        *(
            (CONFIGURATION, {"sshUrl": url})
            for url in (
                "https://github.com/acme/dbt.git",
                "ssh://git@host:7999/proj/dbt.git",
                "acme@vs-ssh.visualstudio.com:v3/acme/bi team/dbt",
                "github.com:acme/dbt",
                "git@[::1]:acme/dbt.git",
            )
        ),
        (CONFIGURATION, {"branch": "feature/ÄB#1@x"}),
        (ENVIRONMENT, {"name": " Team A ", "variables": {"A b": " 1\n"}}),
        (SOURCE, {"name": " Team A "}),
        (SOURCE, connection("gitlab", repository="a/b/c.d", hostDomain="git.acme.com:8443/gitlab")),
        (SOURCE, connection("azure_devops", repository="my dbt", project="My Team")),
        (SOURCE, github(projectSubPath="/a b/..c", environment={"A": "1\n"})),
        (SOURCE, github(projectSubPath="dbt")),
    ],
)
def test_texts_that_a_service_accepts(servicer: Servicer, sample: Sample, changes: dict[str, Any]) -> None:
    """Names with blanks, values with line breaks, and the less usual forms of repositories are valid."""
    assert not isinstance(servicer.check(sample.provider(), {**sample.complete, **changes}), Refusal)


@every_sample
def test_complete_program(servicer: Servicer, sample: Sample) -> None:
    """A program with every property is valid, and its values are unchanged."""
    inputs = valid_inputs(servicer, sample, sample.complete)
    assert {name: inputs[name] for name in without(sample.complete, "dbtConnection")} == without(
        sample.complete, "dbtConnection"
    )


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_connection_with_required_properties(servicer: Servicer, kind: str) -> None:
    """A connection is valid with only the required properties of its type."""
    valid_inputs(servicer, SOURCE, {**SOURCE.complete, **connection(kind)})


@pytest.mark.parametrize(("sample", "change", "property_", "reason"), INVALID, ids=label)
def test_invalid_value(servicer: Servicer, sample: Sample, change: dict[str, Any], property_: str, reason: str) -> None:
    """An invalid value causes one failure, which names the property and the rule."""
    failures = failures_of(servicer, sample, {**sample.complete, **change})
    assert failures.keys() == {property_}
    assert reason in failures[property_]


@pytest.mark.parametrize(("sample", "name"), REQUIRED, ids=label)
def test_missing_argument(servicer: Servicer, sample: Sample, name: str) -> None:
    """A missing required argument causes one failure, which names it."""
    failures = failures_of(servicer, sample, without(sample.complete, name))
    assert failures.keys() == {to_snake(name)}
    assert "required" in failures[to_snake(name)]


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind, properties in CONNECTIONS.items() for name in properties if kind != "github"]
    + [("github", name) for name in REPOSITORY],
)
def test_missing_property_of_a_connection(servicer: Servicer, kind: str, name: str) -> None:
    """A missing required property of a connection causes one failure, with its path as in a program."""
    incomplete = {"type": kind, **without(CONNECTIONS[kind], name)}
    failures = failures_of(servicer, SOURCE, {**SOURCE.complete, "dbtConnection": incomplete})
    assert failures.keys() == {f"dbt_connection.{to_snake(name)}"}
    assert "required" in failures[f"dbt_connection.{to_snake(name)}"]


@every_sample
def test_every_argument_has_an_invalid_value(sample: Sample) -> None:
    """``INVALID`` has at least one case for each argument of each resource."""
    tested = {property_.partition(".")[0] for each, _, property_, _ in INVALID if each is sample}
    assert set(map(to_snake, sample.complete)) <= tested


@pytest.mark.parametrize(
    ("sample", "properties", "broken"),
    [
        pytest.param(
            CONFIGURATION,
            {"connectionId": "abc", "sshUrl": "", "autogenRelationships": 1, "dbtVersion": "", "extra": "x"},
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
def test_all_failures_are_reported_together(
    servicer: Servicer, sample: Sample, properties: dict[str, Any], broken: set[str]
) -> None:
    """One preview reports all failures of a resource."""
    assert failures_of(servicer, sample, properties).keys() == broken


@pytest.mark.parametrize(("sample", "change"), SECRETS_IN_WRONG_PLACES, ids=label)
def test_a_failure_shows_no_value(servicer: Servicer, sample: Sample, change: dict[str, Any]) -> None:
    """No failure contains a value, because any value may be a secret and a provider cannot know which."""
    assert SECRET not in str(failures_of(servicer, sample, {**sample.complete, **change}))


@pytest.mark.parametrize(
    ("sample", "name"), [(sample, name) for sample in SAMPLES.values() for name in sample.complete], ids=label
)
def test_unknown_argument(servicer: Servicer, sample: Sample, name: str) -> None:
    """An unknown value of a preview is valid for every argument, stays unknown, and counts as a change."""
    inputs = valid_inputs(servicer, sample, {**sample.complete, name: UNKNOWN})
    assert isinstance(inputs[name], Unknown)
    assert has_changes(servicer, sample, inputs)


@pytest.mark.parametrize(("sample", "change"), NESTED_UNKNOWNS, ids=label)
def test_nested_unknown_value(servicer: Servicer, sample: Sample, change: dict[str, Any]) -> None:
    """An unknown value is valid inside a map, a list or a connection, beside known values."""
    inputs = valid_inputs(servicer, sample, {**sample.complete, **change})
    assert "Unknown" in str(inputs)
    assert has_changes(servicer, sample, inputs)


def test_an_unknown_value_hides_no_failure(servicer: Servicer) -> None:
    """Known values are validated beside unknown values."""
    properties = {**SOURCE.complete, "name": UNKNOWN, **github(branch=UNKNOWN, repository="")}
    failures = failures_of(servicer, SOURCE, properties)
    assert failures.keys() == {"dbt_connection.repository"}
    assert "empty" in failures["dbt_connection.repository"]


def test_an_unknown_credential_counts(servicer: Servicer) -> None:
    """Two credentials cause a failure even when one of them is unknown."""
    properties = {**SOURCE.complete, **github(installationId=UNKNOWN)}
    assert failures_of(servicer, SOURCE, properties).keys() == {"dbt_connection"}


def test_a_value_that_the_preview_did_not_know(servicer: Servicer) -> None:
    """A create and an update validate their inputs. The error names the properties and shows no value."""
    state = {**ENVIRONMENT.minimal, "environmentId": "an ID"}
    news = {**ENVIRONMENT.minimal, "connectionId": SECRET, "name": ""}
    operations: dict[str, Callable[[], object]] = {
        "create DbtEnvironment": lambda: servicer.create(ENVIRONMENT.provider(), news),
        "update DbtEnvironment": lambda: servicer.update(ENVIRONMENT.provider(), "an ID", state, news),
    }
    for operation, run in operations.items():
        with pytest.raises(ProviderError) as caught:
            run()
        error = caught.value.error
        assert isinstance(error, ConfigurationError)
        assert error.settings == ("connection_id", "name")
        assert [each for each in (operation, *error.settings) if each not in str(error)] == []
        assert SECRET not in str(error)


@every_sample
def test_a_proxy_that_cannot_be_read(servicer: Servicer, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """The preview fails, and names the variable and its entry without the password."""
    monkeypatch.setenv("https_proxy", f"ftp://ann:{SECRET}@proxy.test")
    monkeypatch.setenv("no_proxy", "localhost,[::1]")
    (reason,) = failures_of(servicer, sample, sample.complete).values()
    assert [
        text for text in ("https_proxy", "ftp://[secret]@proxy.test", "no_proxy", "[::1]") if text not in reason
    ] == []
    assert SECRET not in reason


@every_sample
def test_missing_settings(sample: Sample) -> None:
    """Without a URL and a key the preview fails, and names the commands that set them."""
    (reason,) = failures_of(Servicer({}), sample, sample.complete).values()
    service = sample.service
    assert f"`pulumi config set {service.namespace}:{service.url_key} " in reason
    assert f"`pulumi config set --secret {service.namespace}:apiKey`" in reason


@every_sample
def test_profile_with_settings(servicer: Servicer, sample: Sample) -> None:
    """A profile with settings is valid."""
    assert valid_inputs(servicer, sample, {**sample.complete, "profile": "eu"})["profile"] == "eu"


def has_changes(servicer: Servicer, sample: Sample, inputs: Mapping[str, Any]) -> bool:
    """Return whether the inputs differ from an object that has the complete program's values."""
    lifecycle = sample.provider.lifecycle
    args = lifecycle.validate(sample.complete)
    assert not isinstance(args, list)
    state = lifecycle.state_model.from_args(args).to_properties()
    return servicer.diff(sample.provider(), "id", state, inputs).changes


def test_unknown_secret_is_not_logged(servicer: Servicer, log: pytest.LogCaptureFixture) -> None:
    """A preview logs a changed value. It does not log an unknown one, which may be unchanged."""
    provider = ENVIRONMENT.provider()
    olds = {**ENVIRONMENT.minimal, "secretVariables": {"S": "old", "T": "old"}}
    news = {**ENVIRONMENT.minimal, "secretVariables": {"S": UNKNOWN, "T": "new"}}
    servicer.check(provider, news, olds)
    assert servicer.diff(provider, "id", olds, news).changes
    assert [line for line in log.messages if "secretVariables.T" in line]
    assert [line for line in log.messages if "secretVariables.S" in line] == []
