"""Lookups by name: results, requests, errors, outputs, and Pulumi's mocks."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pulumi
import pytest
from pulumi.runtime import mocks, settings

import omni_pulumi
from omni_pulumi import errors
from omni_pulumi.api.omni.client import OmniClient
from omni_pulumi.dynamic.options import OptionError
from omni_pulumi.invoke import InvokeError
from omni_pulumi.process import PROCESS
from omni_pulumi.secret_text import SECRET
from omni_pulumi.simulator import (
    CONNECTION_ID,
    OTHER_CONNECTION_ID,
    OTHER_DIALECT_CONNECTION_ID,
    OTHER_PROJECT_ID,
    OTHER_USER_ID,
    PROJECT_ID,
    USER_ID,
    LightdashSimulator,
    OmniSimulator,
    faults,
)
from tests.conftest import DIALECTS

T = TypeVar("T")

FUNCTIONS = ("get_connection", "get_connections", "get_dbt_environment", "get_lightdash_project")


@pytest.fixture
def omni(request: pytest.FixtureRequest, omni_services: dict[str, OmniSimulator]) -> OmniSimulator:
    """An empty Omni of one dialect."""
    service = omni_services[getattr(request, "param", "pages")]
    service.reset()
    return service


every_dialect = pytest.mark.parametrize("omni", DIALECTS, indirect=True)


@pytest.fixture(autouse=True)
def _program(omni: OmniSimulator, lightdash: LightdashSimulator) -> Iterator[None]:
    """A program whose stack is configured for the simulators. Its run is a preview."""
    config = {
        "omni:baseUrl": omni.url,
        "omni:apiKey": omni.api_key,
        "omni:requestsPerMinute": "1000000",
        "lightdash:url": lightdash.url,
        "lightdash:apiKey": lightdash.api_key,
    }
    pulumi.runtime.set_all_config(config, ["omni:apiKey", "lightdash:apiKey"])
    pulumi.runtime.reset_options(project="project", stack="stack", preview=True)
    yield
    PROCESS.reset()
    pulumi.runtime.set_all_config({}, [])
    pulumi.runtime.reset_options()


def begin_update() -> None:
    """Begin the run of an update."""
    PROCESS.reset()
    pulumi.runtime.reset_options(project="project", stack="stack", preview=False)


def resolved(declare: Callable[[], pulumi.Output[Any]]) -> tuple[Any, bool, bool]:
    """Return the value of an output, and whether it is known and secret."""

    async def resolve() -> tuple[Any, bool, bool]:
        output = declare()
        return await output.future(), await output.is_known(), await output.is_secret()

    return asyncio.run(resolve())


def value_of(declare: Callable[[], pulumi.Output[Any]]) -> Any:
    return resolved(declare)[0]


def output_of(resource: pulumi.Resource, value: Any) -> pulumi.Output[Any]:
    """Return an output of a resource whose value is known."""

    async def future(result: Any) -> Any:
        return result

    return pulumi.Output({resource}, future(value), future(result=True))


def a_resource(*, created: bool = True) -> pulumi.CustomResource:
    """Return a resource that exists, or has yet to be created."""

    async def future(result: Any) -> Any:
        return result

    resource = object.__new__(pulumi.CustomResource)
    resource_id: pulumi.Output[Any] = pulumi.Output({resource}, future("an ID"), future(result=created))
    vars(resource).update(id=resource_id, urn=pulumi.Output.from_input("a URN"))
    return resource


def paths(service: OmniSimulator | LightdashSimulator) -> list[str]:
    return [request.path for request in service.requests]


def text_and_error(call: Callable[[], object]) -> tuple[str, errors.Error]:
    with pytest.raises(InvokeError) as raised:
        call()
    return str(raised.value), raised.value.error


@every_dialect
def test_connection(omni: OmniSimulator) -> None:
    """A connection is found by its exact name."""
    found = omni_pulumi.get_connection(name="Events")
    assert (found.connection_id, found.name, found.dialect) == (OTHER_DIALECT_CONNECTION_ID, "Events", "snowflake")
    assert (found.database, found.default_schema) == (None, None)
    assert isinstance(text_and_error(lambda: omni_pulumi.get_connection(name="events"))[1], errors.NoMatchError)
    assert paths(omni) == ["/api/v1/connections"]


@every_dialect
def test_connections(omni: OmniSimulator) -> None:
    """Connections are selected by dialect, and sorted by name. No connection is not an error."""
    postgres = omni_pulumi.get_connections(dialect="postgres").connections
    assert [each.name for each in postgres] == [
        "Other warehouse",
        "Warehouse",
        "Warehouse (development)",
        "Warehouse (staging)",
    ]
    assert len(omni_pulumi.get_connections().connections) == 6
    assert omni_pulumi.get_connections(dialect="bigquery").connections == []
    assert len(omni.requests) == 1


@every_dialect
def test_dbt_environment(omni: OmniSimulator) -> None:
    """A dbt environment is found by name and owner. Without an owner it is a shared one."""
    omni.configure_dbt(CONNECTION_ID)
    fields = {"target_database": "db", "target_name": "prod", "target_role": "dbt"}
    shared = omni.add_environment(CONNECTION_ID, name="Staging", target_schema="shared", **fields)
    own = omni.add_environment(CONNECTION_ID, name="Staging", target_schema="own", owner_id=USER_ID)
    found = omni_pulumi.get_dbt_environment(connection_id=CONNECTION_ID.upper(), name="Staging")
    assert (found.environment_id, found.connection_id, found.name) == (shared, CONNECTION_ID, "Staging")
    assert (found.target_schema, found.target_database, found.target_name) == ("shared", "db", "prod")
    assert (found.target_role, found.owner_id, found.is_default_environment) == ("dbt", None, False)
    found = omni_pulumi.get_dbt_environment(connection_id=CONNECTION_ID, name="Staging", owner_id=USER_ID)
    assert (found.environment_id, found.owner_id) == (own, USER_ID)
    assert omni_pulumi.get_dbt_environment(connection_id=CONNECTION_ID, name="Production").is_default_environment

    text, error = text_and_error(
        lambda: omni_pulumi.get_dbt_environment(connection_id=CONNECTION_ID, name="Staging", owner_id=OTHER_USER_ID)
    )
    assert isinstance(error, errors.NoMatchError)
    assert {shared, own} < {*error.existing}
    assert f'"Staging" ({own}, owner {USER_ID})' in text
    assert len(omni.requests) == 1


def test_lightdash_project(lightdash: LightdashSimulator) -> None:
    """A project is found by its name, and a preview project if no other one has the name."""
    lightdash.add_project("Finance", is_preview=True)
    preview = lightdash.add_project("Pull request 7", is_preview=True)
    found = omni_pulumi.get_lightdash_project(name="Finance")
    assert (found.project_uuid, found.name, found.is_preview) == (OTHER_PROJECT_ID, "Finance", False)
    found = omni_pulumi.get_lightdash_project(name="Pull request 7")
    assert (found.project_uuid, found.is_preview) == (preview, True)
    assert paths(lightdash) == ["/api/v1/org/projects"]


@every_dialect
def test_one_request_for_all_lookups_of_a_kind(omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """Both forms, in parallel too, share one list of each kind. A further connection has its own environments."""
    for connection_id in (CONNECTION_ID, OTHER_CONNECTION_ID):
        omni.configure_dbt(connection_id)

    def declare() -> pulumi.Output[Any]:
        names = ["Warehouse", "Events", "Spreadsheets"] * 10
        return pulumi.Output.all(
            *(omni_pulumi.get_connection_output(name=name) for name in names),
            *(omni_pulumi.get_lightdash_project_output(name=name) for name in ["Finance", "Jaffle shop"] * 10),
            *(
                omni_pulumi.get_dbt_environment_output(connection_id=each, name="Production")
                for each in [CONNECTION_ID, OTHER_CONNECTION_ID] * 10
            ),
            omni_pulumi.get_connections_output(dialect="snowflake"),
            omni_pulumi.get_connections_output(),
        )

    found = value_of(declare)
    assert [len(each.connections) for each in found[-2:]] == [1, 6]
    assert found[0].connection_id == omni_pulumi.get_connection(name="Warehouse").connection_id == CONNECTION_ID
    assert found[31].project_uuid == omni_pulumi.get_lightdash_project(name="Jaffle shop").project_uuid == PROJECT_ID
    assert sorted(paths(omni)) == [
        "/api/v1/connections",
        f"/api/v1/connections/{CONNECTION_ID}/dbt/environments",
        f"/api/v1/connections/{OTHER_CONNECTION_ID}/dbt/environments",
    ]
    assert paths(lightdash) == ["/api/v1/org/projects"]


def test_lists_do_not_expire(
    omni: OmniSimulator, lightdash: LightdashSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list is read once, no matter how long a run takes."""
    for hours in range(3):
        monkeypatch.setattr(PROCESS, "clock", lambda hours=hours: 3600.0 * hours)
        omni_pulumi.get_connection(name="Warehouse")
        omni_pulumi.get_lightdash_project(name="Finance")
    assert (len(omni.requests), len(lightdash.requests)) == (1, 1)


def test_another_run_in_the_same_process_reads_again(omni: OmniSimulator) -> None:
    """Programs of Pulumi's Automation API run in one process, and each run sees what exists at its time."""
    assert len(omni_pulumi.get_connections().connections) == 6
    omni.add_connection("New")
    assert len(omni_pulumi.get_connections().connections) == 6
    settings.set_root_resource(object.__new__(pulumi.ComponentResource))
    assert len(omni_pulumi.get_connections().connections) == 7


def test_no_match(omni: OmniSimulator) -> None:
    """The error lists what exists, the most similar names first."""
    text, error = text_and_error(lambda: omni_pulumi.get_connection(name="Warehuose"))
    assert isinstance(error, errors.NoMatchError)
    assert len(error.existing) == 6
    assert error.existing[0] == CONNECTION_ID
    assert [
        each for each in ('"Warehuose"', f'"Warehouse" ({CONNECTION_ID})', '"Events"', omni.url) if each not in text
    ] == []


def test_no_match_among_many(omni: OmniSimulator) -> None:
    """The error shows 20 objects and the number of the others, and has the IDs of all."""
    for number in range(100):
        omni.add_connection(f"Connection {number:03}")
    text, error = text_and_error(lambda: omni_pulumi.get_connection(name="Warehuose"))
    assert isinstance(error, errors.NoMatchError)
    assert len(error.existing) == 106
    assert '"Warehouse"' in text
    assert "86 more" in text
    assert len(text) < 2000


def test_nothing_exists(omni: OmniSimulator) -> None:
    """The error says that the key sees nothing."""
    for connection in omni_pulumi.get_connections().connections:
        omni.delete_connection(connection.connection_id)
    PROCESS.reset()
    text, error = text_and_error(lambda: omni_pulumi.get_connection(name="Warehouse"))
    assert isinstance(error, errors.NoMatchError)
    assert error.existing == ()
    assert "none" in text


def test_several_matches(omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """The error lists all objects that match."""
    omni.configure_dbt(CONNECTION_ID)
    second = omni.add_connection("Warehouse")
    environments = [
        omni.add_environment(CONNECTION_ID, name="Staging", target_schema=schema, owner_id=USER_ID)
        for schema in ("a", "b")
    ]
    projects = [lightdash.add_project("Sales") for _ in range(2)]
    calls: Mapping[Callable[[], object], list[str]] = {
        lambda: omni_pulumi.get_connection(name="Warehouse"): [CONNECTION_ID, second],
        lambda: omni_pulumi.get_dbt_environment(
            connection_id=CONNECTION_ID, name="Staging", owner_id=USER_ID
        ): environments,
        lambda: omni_pulumi.get_lightdash_project(name="Sales"): projects,
    }
    for call, expected in calls.items():
        text, error = text_and_error(call)
        assert isinstance(error, errors.SeveralMatchesError)
        assert sorted(error.matches) == sorted(expected)
        assert [each for each in expected if each not in text] == []


@every_dialect
def test_a_refused_key(omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """A refused key is an error that does not contain the key."""
    pulumi.runtime.set_config("omni:apiKey", "omni_osk_wrongwrongwrong")
    pulumi.runtime.set_config("lightdash:apiKey", "ldpat_wrongwrongwrong")
    omni_text, omni_error = text_and_error(lambda: omni_pulumi.get_connection(name="Warehouse"))
    lightdash_text, lightdash_error = text_and_error(lambda: omni_pulumi.get_lightdash_project(name="Finance"))
    assert isinstance(omni_error, errors.AuthenticationError | errors.PermissionDeniedError)
    assert isinstance(lightdash_error, errors.AuthenticationError)
    assert "wrongwrongwrong" not in omni_text + lightdash_text
    assert (len(omni.requests), len(lightdash.requests)) == (1, 1)


def test_a_failed_read_is_not_remembered(omni: OmniSimulator) -> None:
    """A program that handles an error can look again."""
    omni.inject(faults.Status(500, processed=False))
    assert isinstance(text_and_error(lambda: omni_pulumi.get_connection(name="Warehouse"))[1], errors.ServerError)
    assert omni_pulumi.get_connection(name="Warehouse").connection_id == CONNECTION_ID


def test_names_that_look_like_secrets(omni: OmniSimulator) -> None:
    """An error shows no name that looks like a secret, and no line break of a name."""
    omni.add_connection("https://user:made-up-password@warehouse.test")
    omni.add_connection("two\nlines")
    text, _ = text_and_error(lambda: omni_pulumi.get_connection(name="ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"))
    assert [each for each in ("made-up-password", "ghp_", "\n") if each in text] == []
    assert '"two lines"' in text


def test_secret_arguments(omni: OmniSimulator) -> None:
    """The result of a secret argument is secret. An error does not contain the argument."""
    omni.add_connection("Classified")
    found, is_known, is_secret = resolved(
        lambda: omni_pulumi.get_connection_output(name=pulumi.Output.secret("Warehouse"))
    )
    assert (found.connection_id, is_known, is_secret) == (CONNECTION_ID, True, True)
    omni.add_connection("Classified")
    PROCESS.reset()
    expected: dict[str, type[errors.Error]] = {
        "Secret name": errors.NoMatchError,
        "Classified": errors.SeveralMatchesError,
    }
    for name, error_class in expected.items():
        declare = functools.partial(_find_secret, name)
        text, error = text_and_error(functools.partial(value_of, declare))
        assert isinstance(error, error_class)
        assert name not in text + str(error) + error.operation


def _find_secret(name: str) -> pulumi.Output[Any]:
    return omni_pulumi.get_connection_output(name=pulumi.Output.secret(name))


def test_secret_arguments_in_attributes_of_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret argument is masked in each text of an error. It changes no attribute with fixed values."""
    secret = "request"

    def refuse(_: OmniClient) -> None:
        raise errors.NotFoundError(
            f"message {secret}",
            status=404,
            detail=f"detail {secret}",
            advice=f"advice {secret}",
            operation=f"operation {secret}",
            resource_id=secret,
        )

    monkeypatch.setattr(OmniClient, "list_connections", refuse)
    _, error = text_and_error(lambda: value_of(lambda: _find_secret(secret)))
    assert isinstance(error, errors.NotFoundError)
    texts = (error.message, error.detail, error.advice, error.operation)
    assert texts == tuple(f"{name} {SECRET}" for name in ("message", "detail", "advice", "operation"))
    assert (error.resource_id, error.status, error.scope) == (SECRET, 404, "request")


@every_dialect
def test_a_secret_id_that_the_service_repeats(omni: OmniSimulator) -> None:
    """An error does not contain a secret ID, although the service's message does."""
    missing = "99999999-0000-4000-8000-000000000000"

    def declare() -> pulumi.Output[Any]:
        return omni_pulumi.get_dbt_environment_output(connection_id=pulumi.Output.secret(missing), name="Staging")

    text, error = text_and_error(lambda: value_of(declare))
    assert isinstance(error, errors.NotFoundError)
    assert SECRET in error.detail
    assert missing not in f"{text} {vars(error)}"
    assert len(omni.requests) == 1


@pytest.mark.parametrize("name", ["connection", "dbt_environment", "lightdash_project"])
def test_unknown_arguments(name: str, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """The result of an unknown argument is unknown, and no request is sent."""

    async def future(*, result: bool) -> Any:
        return result

    def declare() -> pulumi.Output[Any]:
        unknown: pulumi.Output[Any] = pulumi.Output(set(), future(result=False), future(result=False))
        arguments = {"name": unknown} | ({"connection_id": CONNECTION_ID} if name == "dbt_environment" else {})
        function: Callable[..., pulumi.Output[Any]] = getattr(omni_pulumi, f"get_{name}_output")
        return function(**arguments)

    _, is_known, _ = resolved(declare)
    assert not is_known
    assert (omni.requests, lightdash.requests) == ([], [])


class Component(pulumi.ComponentResource):
    """A component with one child."""

    def __init__(self, child: pulumi.Resource) -> None:
        vars(self).update(_childResources={child}, urn=pulumi.Output.from_input("a URN"))


@pytest.mark.parametrize("created", [True, False])
@pytest.mark.parametrize("dependency", ["argument", "depends_on", "single", "output", "component"])
def test_dependencies(dependency: str, created: bool, omni: OmniSimulator) -> None:  # noqa: FBT001 - a parameter
    """The result depends on the resources of the arguments and of ``depends_on``, and is unknown until they exist."""

    async def resolve() -> tuple[bool, bool]:
        resource = a_resource(created=created)
        name = output_of(resource, "Warehouse") if dependency == "argument" else "Warehouse"
        depends_on: Mapping[str, Any] = {
            "depends_on": [resource],
            "single": resource,
            "output": output_of(resource, [a_resource()]),
            "component": [Component(resource)],
        }
        opts = pulumi.InvokeOutputOptions(depends_on=depends_on.get(dependency))
        output = omni_pulumi.get_connection_output(name=name, opts=opts)
        return await output.is_known(), dependency == "component" or resource in await output.resources()

    assert asyncio.run(resolve()) == (created, True)
    assert len(omni.requests) == created


def test_lookups_after_resources_read_again_in_an_update(omni: OmniSimulator) -> None:
    """In an update, lookups share a list if they waited for the same resources. In a preview all share one."""

    async def resolve() -> list[Any]:
        first, second = a_resource(), a_resource()
        found = []
        for resources in ([], [first], [first], [first, second], [first, second], []):
            opts = pulumi.InvokeOutputOptions(depends_on=resources)
            connection = omni_pulumi.get_connection_output(name="Warehouse", opts=opts)
            environment = omni_pulumi.get_dbt_environment_output(
                connection_id=CONNECTION_ID, name="Production", opts=opts
            )
            found += [await connection.connection_id.future(), await environment.connection_id.future()]
        return found

    omni.configure_dbt(CONNECTION_ID)
    assert asyncio.run(resolve()) == [CONNECTION_ID] * 12
    assert len(omni.requests) == 2
    omni.clear_requests()
    begin_update()
    assert asyncio.run(resolve()) == [CONNECTION_ID] * 12
    assert len(omni.requests) == 6


def test_an_update_looks_twice(omni: OmniSimulator) -> None:
    """In an update, an object is found that a resource created after the list was read."""
    begin_update()
    assert omni_pulumi.get_connection(name="Warehouse").connection_id == CONNECTION_ID
    created = omni.add_connection("New")
    assert omni_pulumi.get_connection(name="New").connection_id == created
    assert len(omni.requests) == 2


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: omni_pulumi.get_connection(name=""), "name"),
    (lambda: omni_pulumi.get_connection(name=7), "name"),  # type: ignore[arg-type]
    (lambda: omni_pulumi.get_connection(name=pulumi.Output.from_input("Warehouse")), "name"),  # type: ignore[arg-type]
    (lambda: omni_pulumi.get_connection(name="Warehouse", profile="EU"), "profile"),
    (lambda: omni_pulumi.get_connections(dialect=""), "dialect"),
    (lambda: omni_pulumi.get_dbt_environment(connection_id="Warehouse", name="Production"), "connection_id"),
    (
        lambda: omni_pulumi.get_dbt_environment(connection_id=CONNECTION_ID, name="Production", owner_id="me"),
        "owner_id",
    ),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_wrong_arguments(number: int, omni: OmniSimulator) -> None:
    """A wrong argument is named, and no request is sent."""
    call, argument = WRONG[number]

    async def run() -> tuple[str, errors.Error]:
        return text_and_error(call)

    text, error = asyncio.run(run())
    assert isinstance(error, errors.ConfigurationError)
    assert error.settings == (argument,)
    assert argument in text
    assert omni.requests == []


def test_an_output_in_the_direct_form() -> None:
    """The error names the output form."""

    async def run() -> str:
        name: Any = pulumi.Output.from_input("Warehouse")
        return text_and_error(lambda: omni_pulumi.get_connection(name=name))[0]

    assert "get_connection_output" in asyncio.run(run())


@pytest.mark.parametrize("option", ["provider", "version", "plugin_download_url"])
def test_options_without_effect(option: str, omni: OmniSimulator) -> None:
    """Options for provider plugins are errors, in both forms."""
    options: dict[str, Any] = {option: "a value"}
    with pytest.raises(OptionError) as plain:
        omni_pulumi.get_connection(name="Warehouse", opts=pulumi.InvokeOptions(**options))
    with pytest.raises(OptionError) as output:
        omni_pulumi.get_connection_output(name="Warehouse", opts=pulumi.InvokeOutputOptions(**options))
    assert (plain.value.option, output.value.option) == (option, option)
    assert omni.requests == []


def test_settings(omni: OmniSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile has settings of its own, from the stack or the environment. Missing ones are named."""
    text, error = text_and_error(lambda: omni_pulumi.get_connection(name="Warehouse", profile="eu"))
    assert isinstance(error, errors.ConfigurationError)
    assert error.settings == ("omni-eu:baseUrl", "omni-eu:apiKey")
    assert "OMNI_EU_API_KEY" in text
    with OmniSimulator() as europe:
        connection = europe.add_connection("Europe")
        monkeypatch.setenv("OMNI_EU_BASE_URL", europe.url)
        pulumi.runtime.set_config("omni-eu:apiKey", europe.api_key)
        assert omni_pulumi.get_connection(name="Europe", profile="eu").connection_id == connection
        assert omni.requests == []


def test_programs_print_no_traceback() -> None:
    """Pulumi prints an error of this class without a traceback."""
    assert issubclass(InvokeError, pulumi.RunError)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_two_forms(name: str) -> None:
    """Both forms have the same arguments, by keyword only. The output form takes inputs and returns an output."""
    direct, output = (getattr(omni_pulumi, each) for each in (name, f"{name}_output"))
    names = inspect.signature(direct).parameters
    assert names.keys() == inspect.signature(output).parameters.keys()
    assert {parameter.kind for parameter in names.values()} == {inspect.Parameter.KEYWORD_ONLY}
    result = inspect.signature(direct).return_annotation
    assert inspect.signature(output).return_annotation == f"pulumi.Output[{result}]"
    assert {*omni_pulumi.__all__} >= {name, f"{name}_output", result}


def run_with_mocks(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine whose threads share an event loop. Pulumi's mocks would create one and leave it open."""
    loop = asyncio.new_event_loop()

    async def run() -> T:
        executor = ThreadPoolExecutor(1, initializer=lambda: asyncio.set_event_loop(loop))
        asyncio.get_running_loop().set_default_executor(executor)
        return await main

    try:
        return asyncio.run(run())
    finally:
        loop.close()


class Mocks(mocks.Mocks):
    """Records calls and returns a result."""

    def __init__(self, result: dict[Any, Any]) -> None:
        self.result = result
        self.calls: list[tuple[str, dict[Any, Any]]] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return "", args.inputs

    def call(self, args: mocks.MockCallArgs) -> Any:
        self.calls.append((args.token, args.args))
        return self.result


CONNECTION = {"connectionId": "an ID", "name": "Warehouse", "dialect": "snowflake", "defaultSchema": "public"}
ENVIRONMENT = {"environmentId": "an ID", "targetSchema": "analytics", "isDefaultEnvironment": True}
MOCKED: list[tuple[str, dict[str, str], str, dict[str, str], dict[str, Any], str]] = [
    (
        "get_connection",
        {"name": "Warehouse", "profile": "eu"},
        "omni:index:getConnection",
        {"name": "Warehouse", "profile": "eu"},
        CONNECTION,
        "default_schema",
    ),
    (
        "get_connections",
        {"dialect": "snowflake"},
        "omni:index:getConnections",
        {"dialect": "snowflake"},
        {"connections": [CONNECTION]},
        "connections",
    ),
    (
        "get_dbt_environment",
        {"connection_id": "any text", "name": "Production", "owner_id": "any text"},
        "omni:index:getDbtEnvironment",
        {"connectionId": "any text", "name": "Production", "ownerId": "any text"},
        ENVIRONMENT,
        "target_schema",
    ),
    (
        "get_lightdash_project",
        {"name": "Finance"},
        "lightdash:index:getProject",
        {"name": "Finance"},
        {"projectUuid": "a UUID", "isPreview": False},
        "project_uuid",
    ),
]


@pytest.mark.parametrize(
    ("name", "arguments", "token", "properties", "result", "attribute"), MOCKED, ids=[case[0] for case in MOCKED]
)
def test_mocks(
    name: str,
    arguments: dict[str, str],
    token: str,
    properties: dict[str, str],
    result: dict[str, Any],
    attribute: str,
    omni: OmniSimulator,
    lightdash: LightdashSimulator,
) -> None:
    """With mocks, both forms call ``Mocks.call`` with the token and the camelCase arguments, and send no request."""
    mocked = Mocks(result)

    async def resolve() -> tuple[Any, Any]:
        mocks.set_mocks(mocked)
        direct = getattr(omni_pulumi, name)(**arguments)
        inputs = {
            key: pulumi.Output.from_input(value) if key != "profile" else value for key, value in arguments.items()
        }
        output = await getattr(omni_pulumi, f"{name}_output")(**inputs).future()
        return direct, output

    direct, output = run_with_mocks(resolve())
    assert mocked.calls == [(token, properties)] * 2
    result_class = getattr(omni_pulumi, inspect.signature(getattr(omni_pulumi, name)).return_annotation)
    assert type(direct) is type(output) is result_class
    (expected,) = (value for key, value in result.items() if key.lower() == attribute.replace("_", "").lower())
    for found in (direct, output):
        value = getattr(found, attribute)
        assert [each.connection_id for each in value] == ["an ID"] if isinstance(value, list) else value == expected
    assert (omni.requests, lightdash.requests) == ([], [])


def test_mocks_refuse_an_output_in_the_direct_form() -> None:
    """With mocks, the direct form refuses an output too, as it does in an update."""

    async def resolve() -> Any:
        mocks.set_mocks(Mocks({}))
        return omni_pulumi.get_connection(name=pulumi.Output.from_input("Warehouse"))  # type: ignore[arg-type]

    with pytest.raises(InvokeError, match="get_connection_output"):
        run_with_mocks(resolve())


def test_mocks_that_return_nothing() -> None:
    """The attributes of a result that mocks leave empty are ``None``."""

    async def resolve() -> Any:
        mocks.set_mocks(Mocks({}))
        return omni_pulumi.get_connection(name="Warehouse").connection_id

    assert run_with_mocks(resolve()) is None
