"""The eight types of dbt connections: in a program, in `check` and in requests."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import typing
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

import omni_pulumi
from omni_pulumi import DbtConnection, GithubConnection
from omni_pulumi import lightdash_connections as connections
from omni_pulumi.dynamic.inputs import Examination
from omni_pulumi.lightdash_connections import (
    SECRET_PROPERTIES,
    ConnectionArgs,
    as_stored,
    connection_properties,
    stored_from_response,
)
from omni_pulumi.resources.lightdash_dbt_source import LightdashDbtSourceArgs

ALL_FIELDS: dict[str, dict[str, Any]] = {
    "github": {
        "repository": "acme/dbt",
        "branch": "main",
        "project_sub_path": "/",
        "target": "prod",
        "environment": {"A": "1"},
        "selector": "tag:a",
        "personal_access_token": "made-up-token",
        "host_domain": "github.acme.com",
    },
    "gitlab": {
        "repository": "acme/dbt",
        "branch": "main",
        "project_sub_path": "/",
        "personal_access_token": "made-up-token",
        "host_domain": "gitlab.acme.com",
    },
    "bitbucket": {
        "repository": "acme/dbt",
        "branch": "main",
        "project_sub_path": "/",
        "username": "ann",
        "personal_access_token": "made-up-token",
    },
    "azure_devops": {
        "repository": "dbt",
        "branch": "main",
        "project_sub_path": "/",
        "organization": "acme",
        "project": "data",
        "personal_access_token": "made-up-token",
    },
    "dbt_cloud_ide": {
        "api_key": "made-up-token",
        "environment_id": "42",
        "discovery_api_endpoint": "https://metadata.cloud.getdbt.com/graphql",
        "tags": ["a", "b"],
        "webhook_hmac_secret": "made-up-token",
    },
    "dbt": {"target": "prod", "profiles_dir": "/profiles", "project_dir": "/dbt"},
    "none": {"selector": "tag:a", "hide_refresh_button": True},
    "manifest": {"manifest": "{}", "hide_refresh_button": False},
}
CLASSES: dict[str, type[Any]] = {
    cls(**ALL_FIELDS[type_]).arguments()["type"]: cls
    for type_, cls in zip(
        ("github", "gitlab", "bitbucket", "azure_devops", "dbt_cloud_ide", "dbt", "none", "manifest"),
        typing.get_args(DbtConnection),
        strict=True,
    )
}
ARGS: dict[str, type[pydantic.BaseModel]] = {
    type_: getattr(connections, f"{cls.__name__}Args") for type_, cls in CLASSES.items()
}

every_type = pytest.mark.parametrize("type_", ALL_FIELDS)


async def _resolved(value: Any) -> Any:
    """Return a value with all outputs replaced by their values, without fields that are ``None``."""
    if isinstance(value, pulumi.Output):
        return await _resolved(await value.future())
    if isinstance(value, Mapping):
        return {name: await _resolved(item) for name, item in value.items() if item is not None}
    return value


async def _is_secret(value: Any) -> bool:
    return isinstance(value, pulumi.Output) and await value.is_secret()


def declared(connection: Any) -> Any:
    """Return a connection as a resource hands it to Pulumi."""
    examination = Examination(LightdashDbtSourceArgs, lambda failures: AssertionError(failures))
    return connection_properties(examination.examine({"dbt_connection": connection})["dbt_connection"])


def properties_of(connection: Callable[[], Any]) -> Any:
    """Return the properties of a connection, with outputs resolved. An output needs an event loop, as in a program."""

    async def resolve() -> Any:
        return await _resolved(declared(connection()))

    return asyncio.run(resolve())


def secrets_of(connection: Callable[[], Any]) -> set[str] | bool:
    """Return the names of the secret properties, or whether the connection is secret as a whole."""

    async def find_secrets() -> set[str] | bool:
        properties = declared(connection())
        if isinstance(properties, pulumi.Output):
            return await _is_secret(properties)
        assert isinstance(properties, Mapping)
        return {name for name, value in properties.items() if await _is_secret(value)}

    return asyncio.run(find_secrets())


def parsed(properties: Mapping[str, Any]) -> Any:
    """Return a connection as `check` validates it."""
    adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(ConnectionArgs)
    return adapter.validate_python(properties)


@every_type
def test_classes_and_dicts_are_equivalent(type_: str) -> None:
    """A class, a dict with snake_case keys, a dict with camelCase keys and an output give the same properties."""
    typed = properties_of(lambda: CLASSES[type_](**ALL_FIELDS[type_]))
    assert typed == {"type": type_, **{to_camel(name): value for name, value in ALL_FIELDS[type_].items()}}
    assert properties_of(lambda: {"type": type_, **ALL_FIELDS[type_]}) == typed
    camel = {to_camel(name): value for name, value in ALL_FIELDS[type_].items()}
    assert properties_of(lambda: {"type": type_, **camel}) == typed
    assert properties_of(lambda: pulumi.Output.from_input({"type": type_, **ALL_FIELDS[type_]})) == typed


@every_type
def test_tokens_are_marked_as_secret(type_: str) -> None:
    """Tokens that the program gives as plain text are marked as secret, and no other property is."""
    expected = {to_camel(name) for name, value in ALL_FIELDS[type_].items() if value == "made-up-token"}
    assert secrets_of(lambda: CLASSES[type_](**ALL_FIELDS[type_])) == expected
    assert secrets_of(lambda: {"type": type_, **ALL_FIELDS[type_]}) == expected


def test_a_connection_that_is_an_output_is_secret_as_a_whole() -> None:
    """The fields of an output are not known when the program runs, so the whole connection is secret."""
    assert secrets_of(lambda: pulumi.Output.from_input({"type": "github", **ALL_FIELDS["github"]})) is True


def test_a_token_that_is_an_output_is_secret() -> None:
    """A token that is a plain output is marked as secret."""
    connection = {name: value for name, value in ALL_FIELDS["github"].items() if name != "personal_access_token"}
    assert secrets_of(
        lambda: GithubConnection(**connection, personal_access_token=pulumi.Output.from_input("made-up-token"))
    ) == {"personalAccessToken"}


@every_type
def test_a_class_has_the_fields_of_its_model(type_: str) -> None:
    """The class of a program and the model of `check` have the same fields, except GitHub's authorization method."""
    written = {field.name for field in dataclasses.fields(CLASSES[type_])}
    checked = ARGS[type_].model_fields.keys()
    assert checked - written == {"type", "authorization_method"} & checked
    assert written - checked == set()


@every_type
def test_a_class_requires_the_fields_of_its_model(type_: str) -> None:
    """The class of a program and the model of `check` require the same fields."""
    written = {field.name for field in dataclasses.fields(CLASSES[type_]) if field.default is dataclasses.MISSING}
    checked = {name for name, field in ARGS[type_].model_fields.items() if field.is_required()}
    assert checked - {"type"} == written


@every_type
def test_every_token_is_a_secret_property(type_: str) -> None:
    """Each field with "token", "key", "secret" or "password" in its name is in `SECRET_PROPERTIES`."""
    names = {to_camel(name) for name in ARGS[type_].model_fields}
    secret = {name for name in names if any(word in name.lower() for word in ("token", "key", "secret", "password"))}
    assert secret == names & SECRET_PROPERTIES


def test_every_class_is_exported() -> None:
    """A program can import each class from `omni_pulumi`."""
    assert {cls.__name__ for cls in CLASSES.values()} <= set(omni_pulumi.__all__)


def test_request_body() -> None:
    """A request has Lightdash's names, a list of variables, GitHub's authorization method and no ``null``."""
    body = parsed(
        {"type": "github", **{to_camel(name): value for name, value in ALL_FIELDS["github"].items()}}
    ).to_wire()
    assert body == {
        "type": "github",
        "authorization_method": "personal_access_token",
        **{name: value for name, value in ALL_FIELDS["github"].items() if name != "environment"},
        "environment": [{"key": "A", "value": "1"}],
    }
    assert parsed({"type": "none", "hideRefreshButton": True}).to_wire() == {"type": "none", "hideRefreshButton": True}


def test_request_body_with_an_installation() -> None:
    """The authorization method is ``installation_id`` when the program gives an installation of the GitHub app."""
    properties = {
        "type": "github",
        "repository": "a/b",
        "branch": "main",
        "projectSubPath": "/",
        "installationId": "42",
    }
    assert parsed(properties).to_wire()["authorization_method"] == "installation_id"


@every_type
def test_repr_hides_tokens(type_: str) -> None:
    """The ``repr`` of a checked and of a stored connection has no token."""
    args = parsed({"type": type_, **{to_camel(name): value for name, value in ALL_FIELDS[type_].items()}})
    assert "made-up-token" not in repr(args)
    assert "made-up-token" not in repr(as_stored(args))


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True).filter(lambda name: not name.startswith("LIGHT"))


def _strategy(type_: str, name: str) -> st.SearchStrategy[Any]:
    if name == "repository":
        return names if type_ == "azure_devops" else st.tuples(names, names).map("/".join)
    if name == "project_sub_path":
        return names.map(lambda name: f"/{name}")
    if name == "discovery_api_endpoint":
        return names.map(lambda name: f"https://{name}")
    if name == "manifest":
        return st.text(min_size=1, max_size=8)
    if name == "environment":
        return st.dictionaries(names, st.text(max_size=8), min_size=1, max_size=3)
    if name == "tags":
        return st.lists(names, min_size=1, max_size=3)
    return st.booleans() if name == "hide_refresh_button" else names


def _properties(type_: str) -> st.SearchStrategy[dict[str, Any]]:
    """Generate valid properties of a type of connection."""
    excluded = {"type", "authorization_method", "installation_id"}
    if type_ == "github":
        excluded.discard("personal_access_token")
    fields = {name: field for name, field in ARGS[type_].model_fields.items() if name not in excluded}
    required = {
        to_camel(name): _strategy(type_, name)
        for name, field in fields.items()
        if field.is_required() or (type_ == "github" and name == "personal_access_token")
    }
    optional = {to_camel(name): _strategy(type_, name) for name in fields if to_camel(name) not in required}
    return st.fixed_dictionaries({"type": st.just(type_), **required}, optional=optional)


@given(st.sampled_from(list(ALL_FIELDS)).flatmap(_properties))
def test_a_read_after_a_write_shows_no_change(properties: dict[str, Any]) -> None:
    """Reading a connection, which Lightdash returns without its secrets, gives the same state as writing it."""
    args = parsed(properties)
    before = as_stored(args)
    response = {
        name: value
        for name, value in json.loads(json.dumps(args.to_wire())).items()
        if to_camel(name) not in SECRET_PROPERTIES
    }
    assert stored_from_response(response, before) == before
