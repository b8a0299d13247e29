"""What a program must not pass: ``None`` from a source that is not set, the text of an output, other objects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pydantic.alias_generators import to_camel, to_snake

import omni_pulumi
from omni_pulumi.dynamic.inputs import ArgumentError
from omni_pulumi.fields import is_nullable
from omni_pulumi.invoke import InvokeError
from omni_pulumi.lightdash_connections import CONNECTION_ARGS
from tests.catalogue import SAMPLES, Sample, every_sample
from tests.servicer import Refusal, Stack
from tests.test_lightdash_connections import ALL_FIELDS, CLASSES

Location = tuple[str | int, ...]


def arguments_of(sample: Sample) -> dict[str, Any]:
    """Return the arguments of a program with all arguments. Connections are spelled in snake_case."""
    arguments = {to_snake(name): value for name, value in sample.complete.items()}
    if "dbt_connection" in arguments:
        arguments["dbt_connection"] = {to_snake(name): value for name, value in arguments["dbt_connection"].items()}
    return arguments


def leaves(value: Any, location: Location = ()) -> Iterator[Location]:
    """Yield the locations of all values that are no map and no list."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, (*location, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*location, index))
    else:
        yield location


def maps(value: Any, location: Location = ()) -> Iterator[Location]:
    """Yield the locations of all maps below the arguments."""
    if isinstance(value, Mapping):
        if location:
            yield location
        for key, item in value.items():
            yield from maps(item, (*location, key))


def changed(value: Any, location: Location, change: Callable[[Any], Any]) -> Any:
    """Return a copy of a value with a change at a location."""
    if not location:
        return change(value)
    first, *rest = location
    copy = value.copy()
    copy[first] = changed(copy[first], tuple(rest), change)
    return copy


def output_of(value: Any) -> pulumi.Output[Any]:
    return pulumi.Output.from_input(value)


def text_of_an_output(before: str = "") -> str:
    """Return what the installed Pulumi writes for an output in an f-string."""

    async def text() -> str:
        return f"{before}{output_of(1)}"

    return asyncio.run(text())


async def resolve(value: Any) -> Any:
    """Wait for all outputs of a value."""
    if isinstance(value, pulumi.Output):
        return await resolve(await value.future())
    if isinstance(value, Mapping):
        return {key: await resolve(item) for key, item in value.items()}
    return [await resolve(item) for item in value] if isinstance(value, list) else value


def declare(sample: Sample, arguments: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """Return the properties that a resource hands to Pulumi, once its outputs are known."""

    async def run() -> dict[str, Any]:
        resource = object.__new__(getattr(omni_pulumi, sample.name))
        variables = {**dict.fromkeys(sample.provider.lifecycle.args_model.model_fields), **arguments()}
        _, _, properties, _ = resource._arguments(sample.provider(), "it", variables, None)
        resolved: dict[str, Any] = await resolve(properties)
        return resolved

    return asyncio.run(run())


def refused(sample: Sample, arguments: Callable[[], Mapping[str, Any]]) -> ArgumentError:
    with pytest.raises(ArgumentError) as caught:
        declare(sample, arguments)
    assert caught.value.resource == f'{sample.name} "it"'
    assert str(caught.value).startswith(f"{caught.value.resource}: {caught.value.arguments[0]} ")
    return caught.value


def path_of(location: Location) -> str:
    return ".".join(map(str, location))


def in_each_form(sample: Sample, location: Location, change: Callable[[Any], Any]) -> Iterator[ArgumentError]:
    """Yield the errors for a change at a location: plain, as an output, and inside an argument that is an output."""
    arguments = arguments_of(sample)
    for form in (
        lambda: changed(arguments, location, change),
        lambda: changed(arguments, location, lambda value: output_of(change(value))),
        lambda: changed(changed(arguments, location, change), location[:1], output_of),
    ):
        yield refused(sample, form)


@every_sample
def test_none(sample: Sample) -> None:
    """``None`` in a required argument, a map, a list or a connection is an error that names its path.

    Pulumi would drop it, and the provider would delete what the program seems to declare.
    """
    fields = sample.provider.lifecycle.args_model.model_fields
    for location in leaves(arguments_of(sample)):
        if len(location) > 1 or fields[str(location[0])].is_required():
            for error in in_each_form(sample, location, lambda _: None):
                assert error.arguments == (path_of(location),)
                assert "is None" in str(error)


@every_sample
def test_none_leaves_an_argument_out(sample: Sample) -> None:
    """``None`` leaves an optional argument out. An output that is ``None`` does so if the property can be absent."""
    for name, field in sample.provider.lifecycle.args_model.model_fields.items():
        if field.is_required() or name in {"adopt", "profile"}:
            continue
        arguments = arguments_of(sample)
        assert declare(sample, lambda: {**arguments, name: None})[str(field.alias)] is None  # noqa: B023 - called now
        as_output = lambda: {**arguments, name: output_of(None)}  # noqa: B023, E731
        if is_nullable(field):
            assert declare(sample, as_output)[str(field.alias)] is None
        else:
            assert refused(sample, as_output).arguments == (name,)


@every_sample
def test_the_text_of_an_output(sample: Sample) -> None:
    """The text of an output in an f-string is an error that names the argument, at declaration and in `check`."""
    text = text_of_an_output("dbt_")
    arguments = arguments_of(sample)
    for location in leaves(arguments):
        for error in in_each_form(sample, location, lambda _: text):
            assert error.arguments == (path_of(location),)
            assert text not in str(error)
    for location in maps(arguments):
        for error in in_each_form(sample, location, lambda value: {**value, text: "1"}):
            assert error.arguments == (path_of(location),)


@every_sample
def test_check_refuses_the_text_of_an_output(sample: Sample, stack: Stack) -> None:
    """`check` names the property when a text that another resource computed contains the text of an output."""
    for text in (text_of_an_output("dbt_"), f"dbt_{object()}"):
        for location in leaves(sample.complete):
            answer = stack.servicer.check(sample.provider(), changed(sample.complete, location, lambda _: text))  # noqa: B023
            assert isinstance(answer, Refusal)
            path = path_of((to_snake(str(location[0])), *location[1:]))
            if location[0] == "dbtConnection" and location[1] != "environment":
                path = to_snake(path)
            assert answer.failures.keys() == {path}


def test_check_accepts_what_the_state_has(stack: Stack) -> None:
    """A text that the state already has passes, because a refresh may have found it."""
    sample = SAMPLES["DbtEnvironment"]
    inputs = {**sample.minimal, "targetRole": text_of_an_output()}
    assert not isinstance(stack.servicer.check(sample.provider(), inputs, inputs), Refusal)


@pytest.mark.parametrize("type_", ALL_FIELDS)
def test_every_optional_field_of_a_connection(type_: str) -> None:
    """``None`` in an optional field of a connection is an error. A field that is left out is not handed to Pulumi."""
    sample = SAMPLES["LightdashDbtSource"]
    fields = CONNECTION_ARGS[type_].model_fields
    required = {name: value for name, value in ALL_FIELDS[type_].items() if fields[name].is_required()}
    for name in fields.keys() - required.keys() - {"type", "authorization_method"}:
        for connection in (CLASSES[type_](**required, **{name: None}), {"type": type_, **required, name: None}):
            arguments = {**arguments_of(sample), "dbt_connection": connection}
            assert refused(sample, lambda: arguments).arguments == (f"dbt_connection.{name}",)  # noqa: B023
    connection = CLASSES[type_](**required)
    properties = declare(sample, lambda: {**arguments_of(sample), "dbt_connection": output_of(connection)})
    assert properties["dbtConnection"].keys() == {"type", *map(to_camel, required)}


@every_sample
def test_objects(sample: Sample) -> None:
    """An object that Pulumi cannot serialize is an error that names the argument and the type, and not the value."""
    arguments = arguments_of(sample)
    resource = object.__new__(pulumi.CustomResource)
    for location in leaves(arguments):
        for value, fact in ((b"made-up-token", "bytes"), (Path("made-up-token"), "Path"), (resource, "CustomResource")):
            for error in in_each_form(sample, location, lambda _: value):  # noqa: B023
                assert error.arguments == (path_of(location),)
                assert fact in str(error)
                assert "made-up-token" not in str(error)


def test_keys() -> None:
    """A key that is not a string is an error, and so is an output as a key."""
    sample = SAMPLES["DbtEnvironment"]
    arguments = arguments_of(sample)
    for key in (1, None, ("a", "b")):
        assert refused(sample, lambda: {**arguments, "variables": {key: "1"}}).arguments == ("variables",)  # noqa: B023
    error = refused(sample, lambda: {**arguments, "variables": {output_of("A"): "1"}})
    assert "an output" in str(error)


def test_all_errors_are_reported_together() -> None:
    """One error names all arguments of a resource that cannot be meant."""
    sample = SAMPLES["DbtEnvironment"]
    changes = {"variables": {"A": None, "B": None}, "target_schema": text_of_an_output()}
    error = refused(sample, lambda: {**arguments_of(sample), **changes})
    assert set(error.arguments) == {"variables.A", "variables.B", "target_schema"}


def delete_before_replace(
    sample: Sample, opts: pulumi.ResourceOptions | None, unmanaged: Callable[[], Any] = lambda: None
) -> bool | None:
    """Return the option that Pulumi gets."""

    async def run() -> bool | None:
        resource = object.__new__(getattr(omni_pulumi, sample.name))
        arguments = {to_snake(name): value for name, value in sample.minimal.items()}
        variables = {**dict.fromkeys(sample.provider.lifecycle.args_model.model_fields), **arguments}
        if sample.name == "DbtEnvironment":
            variables["unmanaged_variables"] = unmanaged()
        _, _, _, applied = resource._arguments(sample.provider(), "it", variables, opts)
        result: bool | None = applied.delete_before_replace
        return result

    return asyncio.run(run())


@every_sample
def test_delete_before_replace(sample: Sample) -> None:
    """No object can exist twice, so the old one is deleted first, unless only the service has something of it."""
    expected = None if sample.name == "DbtConfiguration" else True
    assert delete_before_replace(sample, None) is expected
    assert delete_before_replace(sample, pulumi.ResourceOptions(protect=True)) is expected
    assert delete_before_replace(sample, pulumi.ResourceOptions(delete_before_replace=False)) is False
    assert delete_before_replace(sample, pulumi.ResourceOptions(delete_before_replace=True)) is True
    assert delete_before_replace(sample, pulumi.ResourceOptions(ignore_changes=["*"])) is None


def test_delete_before_replace_of_an_environment() -> None:
    """An environment with variables that are managed elsewhere is not deleted first, since they would be lost."""
    sample = SAMPLES["DbtEnvironment"]
    assert delete_before_replace(sample, None, list) is True
    for unmanaged in (lambda: ["TEAM_*"], lambda: ("TEAM_A",), lambda: output_of(["TEAM_*"])):
        assert delete_before_replace(sample, None, unmanaged) is None


@every_sample
@pytest.mark.parametrize("opts", [{}, [], "protect", pulumi.InvokeOptions()], ids=lambda opts: type(opts).__name__)
def test_options_of_another_type(sample: Sample, opts: Any) -> None:
    """`opts` of another type is refused in Pulumi's own words."""
    with pytest.raises(TypeError, match="Expected resource options to be a ResourceOptions instance"):
        getattr(omni_pulumi, sample.name)("it", **arguments_of(sample), opts=opts)


@pytest.mark.parametrize("connection", ["github", 3, ["github"], True])
@pytest.mark.parametrize("form", [lambda value: value, output_of], ids=["plain", "output"])
def test_a_connection_of_another_type(connection: Any, form: Callable[[Any], Any], stack: Stack) -> None:
    """`check` names the type that `dbt_connection` must have."""
    sample = SAMPLES["LightdashDbtSource"]
    properties = declare(sample, lambda: {**arguments_of(sample), "dbt_connection": form(connection)})
    known = {name: value for name, value in properties.items() if value is not None}
    answer = stack.servicer.check(sample.provider(), known)
    assert isinstance(answer, Refusal)
    assert "must be a map" in answer.failures["dbt_connection"]


LOOKUPS: Mapping[str, dict[str, Any]] = {
    "get_connection": {"name": "a"},
    "get_connections": {"dialect": "a"},
    "get_dbt_environment": {"connection_id": "a", "name": "a", "owner_id": "a"},
    "get_lightdash_project": {"name": "a"},
}


@pytest.mark.parametrize("name", LOOKUPS)
def test_lookups(name: str) -> None:
    """A lookup refuses the same values as a resource, in both forms, and options of another type."""

    async def run(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
        await resolve(function(**arguments))

    for argument in LOOKUPS[name]:
        for value in (text_of_an_output("a"), b"made-up-token", object.__new__(pulumi.CustomResource)):
            for function in (getattr(omni_pulumi, name), getattr(omni_pulumi, f"{name}_output")):
                with pytest.raises(InvokeError, match=f"^{name}: {argument} ") as caught:
                    asyncio.run(run(function, {**LOOKUPS[name], argument: value}))
                assert "made-up-token" not in str(caught.value)
        if argument in {"name", "connection_id"}:
            with pytest.raises(InvokeError, match=f"^{name}: {argument} is None"):
                getattr(omni_pulumi, name)(**{**LOOKUPS[name], argument: None})
    with pytest.raises(TypeError, match="InvokeOptions"):
        getattr(omni_pulumi, name)(**LOOKUPS[name], opts=pulumi.ResourceOptions())


def test_every_lookup_is_tested() -> None:
    """`LOOKUPS` has each lookup."""
    assert {name for name in omni_pulumi.__all__ if name.startswith("get_") and not name.endswith("_output")} == {
        *LOOKUPS
    }
