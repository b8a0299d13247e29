"""The eight kinds of a dbt source's connection: as a program writes them, as they are checked, as they are sent."""

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
from omni_pulumi import DbtConnection, GithubConnection, connections
from omni_pulumi.connections import SECRET_PROPERTIES, ConnectionArgs, connection_properties, stored, stored_connection

FULL: dict[str, dict[str, Any]] = {
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
    cls(**FULL[kind]).to_properties()["type"]: cls
    for kind, cls in zip(
        ("github", "gitlab", "bitbucket", "azure_devops", "dbt_cloud_ide", "dbt", "none", "manifest"),
        typing.get_args(DbtConnection),
        strict=True,
    )
}
ARGS: dict[str, type[pydantic.BaseModel]] = {
    kind: getattr(connections, f"{cls.__name__}Args") for kind, cls in CLASSES.items()
}

kinds = pytest.mark.parametrize("kind", FULL)


async def _resolved(value: Any) -> Any:
    """A value with its outputs' values in the place of the outputs, and without ``None``."""
    if isinstance(value, pulumi.Output):
        return await _resolved(await value.future())
    if isinstance(value, Mapping):
        return {name: await _resolved(item) for name, item in value.items() if item is not None}
    return value


async def _is_secret(value: Any) -> bool:
    return isinstance(value, pulumi.Output) and await value.is_secret()


def properties_of(connection: Callable[[], Any]) -> Any:
    """The properties of a connection, outputs resolved; made where a program makes it, inside of an event loop."""

    async def look() -> Any:
        return await _resolved(connection_properties(connection()))

    return asyncio.run(look())


def secrets_of(connection: Callable[[], Any]) -> set[str] | bool:
    """Names of the properties that are marked as secret, or whether all is as a whole."""

    async def look() -> set[str] | bool:
        properties = connection_properties(connection())
        if isinstance(properties, pulumi.Output):
            return await _is_secret(properties)
        assert isinstance(properties, Mapping)
        return {name for name, value in properties.items() if await _is_secret(value)}

    return asyncio.run(look())


def parsed(properties: Mapping[str, Any]) -> Any:
    adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(ConnectionArgs)
    return adapter.validate_python(properties)


@kinds
def test_every_way_to_write_one_is_the_same(kind: str) -> None:
    """A typed connection, and a plain dict under Python's or Pulumi's names, give the same properties."""
    typed = properties_of(lambda: CLASSES[kind](**FULL[kind]))
    assert typed == {"type": kind, **{to_camel(name): value for name, value in FULL[kind].items()}}
    assert properties_of(lambda: {"type": kind, **FULL[kind]}) == typed
    camel = {to_camel(name): value for name, value in FULL[kind].items()}
    assert properties_of(lambda: {"type": kind, **camel}) == typed
    assert properties_of(lambda: pulumi.Output.from_input({"type": kind, **FULL[kind]})) == typed


@kinds
def test_tokens_are_secret_even_when_plain(kind: str) -> None:
    """Each token is marked as secret and nothing else, so that a preview stays readable."""
    expected = {to_camel(name) for name, value in FULL[kind].items() if value == "made-up-token"}
    assert secrets_of(lambda: CLASSES[kind](**FULL[kind])) == expected
    assert secrets_of(lambda: {"type": kind, **FULL[kind]}) == expected


def test_a_connection_that_is_an_output_is_secret_as_a_whole() -> None:
    """What is inside of an output shows too late to mark its tokens alone."""
    assert secrets_of(lambda: pulumi.Output.from_input({"type": "github", **FULL["github"]})) is True


def test_a_token_that_is_an_output_is_secret() -> None:
    """A token may come from another resource, secret there or not."""
    connection = {name: value for name, value in FULL["github"].items() if name != "personal_access_token"}
    assert secrets_of(
        lambda: GithubConnection(**connection, personal_access_token=pulumi.Output.from_input("made-up-token"))
    ) == {"personalAccessToken"}


@kinds
def test_program_and_check_know_the_same_fields(kind: str) -> None:
    """What a program can write is what is checked; GitHub's method follows from its credential."""
    written = {field.name for field in dataclasses.fields(CLASSES[kind])}
    checked = ARGS[kind].model_fields.keys()
    assert checked - written == {"type", "authorization_method"} & checked
    assert written - checked == set()


@kinds
def test_program_and_check_require_the_same_fields(kind: str) -> None:
    """What a program must write is what the check requires."""
    written = {field.name for field in dataclasses.fields(CLASSES[kind]) if field.default is dataclasses.MISSING}
    checked = {name for name, field in ARGS[kind].model_fields.items() if field.is_required()}
    assert checked - {"type"} == written


@kinds
def test_every_token_of_lightdash_is_known(kind: str) -> None:
    """A field whose name speaks of a token, a key or a secret is one that is hidden."""
    names = {to_camel(name) for name in ARGS[kind].model_fields}
    telling = {name for name in names if any(word in name.lower() for word in ("token", "key", "secret", "password"))}
    assert telling == names & SECRET_PROPERTIES


def test_every_kind_is_exported() -> None:
    """A program finds each kind in the package itself."""
    assert {cls.__name__ for cls in CLASSES.values()} <= set(omni_pulumi.__all__)


def test_the_wire_form() -> None:
    """Lightdash has names of its own, the environment as a list, and GitHub's method spelt out; it takes no null."""
    wire = parsed({"type": "github", **{to_camel(name): value for name, value in FULL["github"].items()}}).to_wire()
    assert wire == {
        "type": "github",
        "authorization_method": "personal_access_token",
        **{name: value for name, value in FULL["github"].items() if name != "environment"},
        "environment": [{"key": "A", "value": "1"}],
    }
    assert parsed({"type": "none", "hideRefreshButton": True}).to_wire() == {"type": "none", "hideRefreshButton": True}


def test_the_wire_form_of_an_installation() -> None:
    """With an installation of the GitHub app instead of a token, the method is the other one."""
    properties = {
        "type": "github",
        "repository": "a/b",
        "branch": "main",
        "projectSubPath": "/",
        "installationId": "42",
    }
    assert parsed(properties).to_wire()["authorization_method"] == "installation_id"


@kinds
def test_tokens_are_not_printed(kind: str) -> None:
    """Neither what is checked nor what is stored shows a token when it is printed by accident."""
    args = parsed({"type": kind, **{to_camel(name): value for name, value in FULL[kind].items()}})
    assert "made-up-token" not in repr(args)
    assert "made-up-token" not in repr(stored(args))


text = st.text(min_size=1, max_size=8)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True).filter(lambda name: not name.startswith("LIGHT"))


def _strategy(name: str) -> st.SearchStrategy[Any]:
    if name == "environment":
        return st.dictionaries(names, st.text(max_size=8), min_size=1, max_size=3)
    if name == "tags":
        return st.lists(st.text(max_size=8), min_size=1, max_size=3)
    return st.booleans() if name == "hide_refresh_button" else text


def _properties(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any properties of a kind that are right."""
    left_out = {"type", "authorization_method", "installation_id"}
    if kind == "github":
        left_out.discard("personal_access_token")
    fields = {name: field for name, field in ARGS[kind].model_fields.items() if name not in left_out}
    required = {
        to_camel(name): _strategy(name)
        for name, field in fields.items()
        if field.is_required() or (kind == "github" and name == "personal_access_token")
    }
    optional = {to_camel(name): _strategy(name) for name in fields if to_camel(name) not in required}
    return st.fixed_dictionaries({"type": st.just(kind), **required}, optional=optional)


@given(st.sampled_from(list(FULL)).flatmap(_properties))
def test_there_and_back_is_the_identity(properties: dict[str, Any]) -> None:
    """What Lightdash answers to what was sent, its secrets left out, is what the state had: never a change."""
    args = parsed(properties)
    before = stored(args)
    answer = {
        name: value
        for name, value in json.loads(json.dumps(args.to_wire())).items()
        if to_camel(name) not in SECRET_PROPERTIES
    }
    assert stored_connection(answer, before) == before
