"""Values that a service had are no input errors, whatever the rules for programs say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from pydantic.alias_generators import to_camel, to_snake

from omni_pulumi.errors import BadRequestError, ServerError
from omni_pulumi.fields import own_fields
from omni_pulumi.simulator import CONNECTION_ID, OTHER_USER_ID, PROJECT_ID, LightdashSimulator, OmniSimulator
from omni_pulumi.simulator.omni import dbt_configuration, dbt_environments
from omni_pulumi.simulator.omni.schema import string
from tests.catalogue import SAMPLES, Sample
from tests.harness import ResourceHarness
from tests.logged import warnings
from tests.servicer import InvalidInputsError, ProviderError, Refusal, Stack

CONFIGURATION = SAMPLES["DbtConfiguration"]
ENVIRONMENT = SAMPLES["DbtEnvironment"]
CONNECTION_ENVIRONMENT = SAMPLES["ConnectionEnvironment"]
ATTRIBUTE = SAMPLES["ConnectionEnvironmentAttribute"]
SOURCE = SAMPLES["LightdashDbtSource"]

TEXTS = ["", " a,b ", "packages/@acme/../dbt", "x" * 300]
"""Texts that break the rules of one argument or another."""

Change = Callable[["Services", str], object]
"""Changes what a service has: takes the services and the ID of the object."""


class Services:
    """The two services, as their users change them."""

    def __init__(self, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
        self.omni, self.lightdash = omni, lightdash


def by(function: Callable[..., object], **values: Any) -> Change:
    """Return the change that a function makes with these values."""
    return partial(function, **values)


def configure(services: Services, _id: str, **fields: Any) -> None:
    services.omni.configure_dbt(CONNECTION_ID, **fields)


def edit(services: Services, id_: str, **fields: Any) -> None:
    services.omni.edit_environment(id_, **fields)


def set_variable(services: Services, id_: str, name: str, value: str, *, is_secret: bool) -> None:
    services.omni.set_variable(id_, name, value, is_secret=is_secret)


def set_values(services: Services, id_: str, values: list[str]) -> None:
    services.omni.edit_connection_environment(id_, values)


def set_attribute(services: Services, id_: str, name: str, values: list[str]) -> None:
    services.omni.set_environment_user_attribute(id_, name, values)


def connect(services: Services, id_: str, **fields: Any) -> None:
    services.lightdash.edit_source(id_, connection=fields)


def rename(services: Services, id_: str, name: str) -> None:
    services.lightdash.edit_source(id_, name=name)


def lose_connection(services: Services, id_: str) -> None:
    services.lightdash.break_credentials(id_)


OTHER_CONNECTIONS: list[dict[str, Any]] = [
    {"type": "gitlab"},
    {"type": "gitlab", "repository": "", "branch": "main"},
    {"type": "a kind of next year", "address": "x"},
    {"type": "github", "repository": None, "branch": "main", "project_sub_path": ""},
    {"type": "github", "branch": "main", "authorization_method": "of next year"},
    {"type": "manifest", "manifest": ""},
]

RETURNED: list[tuple[Sample, str, Change]] = [
    *(
        (CONFIGURATION, name, by(configure, **{to_snake(name): text}))
        for name in ("sshUrl", "branch", "dbtVersion", "projectRootPath")
        for text in TEXTS
    ),
    *(
        (CONFIGURATION, name, by(configure, **{to_snake(name): value}))
        for name in ("autogenRelationships", "enableVirtualSchemas", "enableSemanticLayer")
        for value in (True, False)
    ),
    *(
        (ENVIRONMENT, name, by(edit, **{to_snake(name): text}))
        for name in ("name", "targetSchema", "targetDatabase", "targetName", "targetRole")
        for text in TEXTS
    ),
    (ENVIRONMENT, "ownerId", by(edit, owner_id=None)),
    (ENVIRONMENT, "ownerId", by(edit, owner_id=OTHER_USER_ID)),
    *(
        (ENVIRONMENT, name, by(set_variable, name=text, value=text, is_secret=is_secret))
        for name, is_secret in (("variables", False), ("secretVariables", True))
        for text in [*TEXTS, "A", "S", "TEAM_1"]
    ),
    *((CONNECTION_ENVIRONMENT, "userAttributeValues", by(set_values, values=[text])) for text in TEXTS),
    (CONNECTION_ENVIRONMENT, "userAttributeValues", by(set_values, values=["a", "a"])),
    *((ATTRIBUTE, "attributeName", by(set_attribute, name=text, values=["production"])) for text in TEXTS),
    *((ATTRIBUTE, "defaultValues", by(set_attribute, name="environment", values=[text])) for text in TEXTS),
    (ATTRIBUTE, "defaultValues", by(set_attribute, name="environment", values=["a", "a"])),
    *((SOURCE, "name", by(rename, name=text)) for text in TEXTS),
    *(
        (SOURCE, "dbtConnection", by(connect, **{name: text}))
        for name in ("repository", "branch", "project_sub_path", "target", "selector", "host_domain")
        for text in [*TEXTS, None]
    ),
    *((SOURCE, "dbtConnection", by(connect, environment=[{"key": text, "value": text}])) for text in TEXTS),
    *((SOURCE, "dbtConnection", by(connect, **fields)) for fields in OTHER_CONNECTIONS),
    (SOURCE, "dbtConnection", lose_connection),
]
"""A resource, an argument, and a change of it that a user of the service makes."""

OTHER: dict[Sample, dict[str, Any]] = {
    CONFIGURATION: {"autogenRelationships": False, "enableVirtualSchemas": True, "rotateKeysTrigger": "2"},
    ENVIRONMENT: {"targetRole": "another", "targetName": "another"},
    ATTRIBUTE: {"attributeName": "region", "defaultValues": ["another"]},
    SOURCE: {"name": "another", "secretsTrigger": "2"},
}
"""Changes of other arguments. A connection environment has no other argument that can change."""

IN_NO_SERVICE = {"rotateKeysTrigger", "secretsTrigger", "unmanagedVariables"}
"""Arguments that no service has."""


@pytest.fixture
def services(omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator) -> Services:
    """The services of ``stack``."""
    return Services(omni_services["generated"], lightdash)


@pytest.fixture(autouse=True)
def _accept_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service accept again what it has."""
    monkeypatch.setattr(dbt_configuration, "project_root_path", string)
    monkeypatch.setattr(dbt_configuration, "non_empty_string", string)
    monkeypatch.setattr(dbt_environments, "non_empty_string", string)


def created(stack: Stack, sample: Sample) -> ResourceHarness:
    if sample is CONNECTION_ENVIRONMENT:
        assert stack.up("attribute", ATTRIBUTE.provider(), {**ATTRIBUTE.minimal, "connectionId": CONNECTION_ID})
    harness = ResourceHarness(stack, sample.provider(), sample.complete)
    assert harness.up() == "create"
    return harness


def stored(services: Services, sample: Sample) -> Any:
    """Return what the service has."""
    found: dict[Sample, Callable[[], Any]] = {
        CONFIGURATION: lambda: services.omni.dbt_configuration(CONNECTION_ID),
        ENVIRONMENT: lambda: services.omni.environments(CONNECTION_ID),
        ATTRIBUTE: lambda: services.omni.environment_user_attribute(ATTRIBUTE.minimal["connectionId"]),
        SOURCE: lambda: services.lightdash.sources(PROJECT_ID),
    }
    return found[sample]()


def test_every_argument_has_a_change() -> None:
    """`RETURNED` has each argument that does not identify the object or its parent, and that a service has."""
    for sample in SAMPLES.values():
        lifecycle = sample.provider.lifecycle
        expected = set(map(to_camel, own_fields(lifecycle.args_model).keys() - lifecycle.replacing))
        assert {name for each, name, _ in RETURNED if each is sample} == expected - IN_NO_SERVICE, sample.name


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=lambda sample: sample.name)
def test_a_refreshed_value_passes(sample: Sample, stack: Stack, services: Services) -> None:
    """With `ignore_changes`, a preview after a refresh passes, whatever the service has, and so does another change."""
    failed: list[object] = []
    for each, name, change in RETURNED:
        if each is not sample:
            continue
        stack.resources.clear()
        services.omni.reset()
        services.lightdash.reset()
        harness = created(stack, sample)
        change(services, str(harness.outputs[sample.id_key]))
        assert harness.refresh()
        try:
            assert stack.preview("it", harness.provider, harness.program, ignore=[name]) in {"same", "update"}
            if other := {key: value for key, value in OTHER.get(sample, {}).items() if key != name}:
                before = stack.resources["it"].inputs
                program = {**harness.program, **other}
                assert stack.up("it", harness.provider, program, ignore=[name]) == "update"
                assert {key: harness.inputs.get(key) for key in other} == other
                if name not in {"variables", "secretVariables"}:
                    assert harness.inputs.get(name) == before.get(name)
                assert stack.preview("it", harness.provider, program, ignore=[name]) == "same"
        except ProviderError as error:
            if not isinstance(error.error, BadRequestError | ServerError):  # the service may refuse what it has
                failed.append((name, getattr(change, "keywords", change), error.error))
        except Exception as error:  # noqa: BLE001 - the test shows all failures at once
            failed.append((name, getattr(change, "keywords", change), error))
    assert failed == [], "\n".join(map(repr, failed))


@pytest.mark.parametrize(
    ("sample", "path", "text"),
    [
        (ENVIRONMENT, "variables.A", " "),
        (SOURCE, "dbtConnection.repository", ""),
        (SOURCE, "dbtConnection.environment.A", ""),
    ],
)
def test_one_ignored_leaf(sample: Sample, path: str, text: str, stack: Stack, services: Services) -> None:
    """`ignore_changes` of one leaf keeps that leaf only: the other leaves obey the rules, and are written."""
    harness = created(stack, sample)
    id_ = str(harness.outputs[sample.id_key])
    if sample is ENVIRONMENT:
        set_variable(services, id_, "A", text, is_secret=False)
        other: dict[str, Any] = {"variables": {"A": "1", "B": "another"}}
        wrong: dict[str, Any] = {"variables": {"A": "1", "B": 2}}
    elif path.endswith("A"):
        connect(services, id_, environment=[{"key": "A", "value": text}, {"key": "B", "value": "2"}])
        other = {"dbtConnection": {**SOURCE.complete["dbtConnection"], "branch": "another"}}
        wrong = {"dbtConnection": {**SOURCE.complete["dbtConnection"], "branch": ""}}
    else:
        connect(services, id_, repository=text)
        other = {"dbtConnection": {**SOURCE.complete["dbtConnection"], "branch": "another"}}
        wrong = {"dbtConnection": {**SOURCE.complete["dbtConnection"], "branch": ""}}
    assert harness.refresh()
    program = {**harness.program, **other}
    assert stack.up("it", harness.provider, program, ignore=[path]) == "update"
    assert "another" in str(stored(services, sample))
    with pytest.raises(InvalidInputsError) as caught:
        stack.preview("it", harness.provider, {**harness.program, **wrong}, ignore=[path])
    assert len(caught.value.failures) == 1


BROKEN: list[tuple[Sample, dict[str, Any], str]] = [
    (CONFIGURATION, {"projectRootPath": "packages/@acme/dbt"}, "project_root_path"),
    (ENVIRONMENT, {"variables": {"": "1"}}, "variables"),
    (ENVIRONMENT, {"variables": {"S": "1"}}, "secret_variables"),
    (ENVIRONMENT, {"unmanagedVariables": ["A"]}, "unmanaged_variables"),
    (CONNECTION_ENVIRONMENT, {"userAttributeValues": ["a,b"]}, "user_attribute_values.0"),
    (ATTRIBUTE, {"defaultValues": ["a", "a"]}, "default_values"),
    (SOURCE, {"dbtConnection": {**SOURCE.complete["dbtConnection"], "repository": ""}}, "dbt_connection.repository"),
]


@pytest.mark.parametrize(("sample", "change", "path"), BROKEN)
def test_rules_apply_to_what_changes(sample: Sample, change: Mapping[str, Any], path: str, stack: Stack) -> None:
    """A value that breaks a rule passes only if the inputs in the state have it: not in a create, and not changed."""
    provider, program = sample.provider(), {**sample.complete, **change}
    servicer = stack.servicer
    for olds in (None, sample.complete):
        answer = servicer.check(provider, program, olds)
        assert isinstance(answer, Refusal)
        assert answer.failures.keys() == {path}
    assert not isinstance(servicer.check(provider, program, program), Refusal)
    wrong = {**program, "profile": 1}
    answer = servicer.check(provider, wrong, wrong)
    assert isinstance(answer, Refusal), "a wrong type comes from no service"
    assert answer.failures.keys() == {"profile"}, "the failures do not name what the program does not contain"


@pytest.mark.parametrize("is_secret", [False, True])
def test_a_name_that_changed_its_kind(
    is_secret: bool,  # noqa: FBT001 - a parameter of the test
    stack: Stack,
    services: Services,
) -> None:
    """A variable that became plain or secret in Omni does not contradict the program, which wins."""
    name, ignored = ("A", "secretVariables") if is_secret else ("S", "variables")
    harness = created(stack, ENVIRONMENT)
    set_variable(services, harness.outputs["environmentId"], name, "x", is_secret=is_secret)
    assert harness.refresh()
    assert stack.up("it", harness.provider, harness.program, ignore=[ignored]) == "update"
    (environment,) = services.omni.environments(CONNECTION_ID)
    found = {each["name"]: (each["value"], each["is_secret"]) for each in environment["variables"]}
    assert found == {"A": ("1", False), "B": ("2", False), "S": ("made-up-secret", True)}
    assert stack.preview("it", harness.provider, harness.program, ignore=[ignored]) == "same"


def test_an_unknown_dbt_version_is_a_warning(stack: Stack, log: pytest.LogCaptureFixture) -> None:
    """A preview warns about a form of `dbt_version` that is not known yet, until the state has it. `up` writes it."""
    harness = ResourceHarness(stack, CONFIGURATION.provider(), {**CONFIGURATION.complete, "dbtVersion": "fusion"})
    assert harness.preview() == "create"
    assert [line for line in warnings(log) if "dbt_version" in line]
    assert harness.up() == "create"
    log.clear()
    harness.assert_settled()
    assert [line for line in warnings(log) if "dbt_version" in line] == []
