"""Calls functions of a service from a program, in the direct form and in the output form of Pulumi's own SDKs.

Pulumi has no dynamic functions. So a function sends its request from the program's process, with a client of its own.
With mocks, ``Mocks.call`` gets the token and the arguments that a provider plugin would get.

Source: https://www.pulumi.com/docs/iac/concepts/functions/provider-functions/
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import pulumi
import pydantic
from pulumi.runtime import mocks
from pulumi.runtime.settings import get_monitor
from pydantic.alias_generators import to_camel

from omni_pulumi.check import check_failures, configuration_error
from omni_pulumi.dynamic import options
from omni_pulumi.dynamic.inputs import Examination
from omni_pulumi.dynamic.resource import warn_about_settings
from omni_pulumi.errors import ConfigurationError, Error
from omni_pulumi.fields import Inputs, Profile
from omni_pulumi.process import PROCESS
from omni_pulumi.redact import redact
from omni_pulumi.settings import Service

if TYPE_CHECKING:
    from omni_pulumi.api.instance import Client, Instance


class FunctionArgs(Inputs):
    """The arguments of a function."""

    profile: Profile | None = None


T = TypeVar("T")
C = TypeVar("C", bound="Client")
A = TypeVar("A", bound=FunctionArgs)
R = TypeVar("R")


class InvokeError(pulumi.RunError):
    """A function failed. Pulumi prints an error of this kind without a traceback.

    Attributes:
        function: name of the function.
        error: why it failed.
    """

    def __init__(self, function: str, error: Error) -> None:
        super().__init__(f"{function}: {error}")
        self.function = function
        self.error = error


@dataclass(frozen=True)
class Call(Generic[C, A]):
    """A call of a function with known arguments.

    Attributes:
        client: the client of the instance.
        url: URL of the instance.
        args: the arguments.
        run: the run of the program.
        after: the resources that the call waited for. In a preview nothing changes, so there are none.
        is_preview: whether the run is a preview.
    """

    client: C
    url: str
    args: A
    run: Hashable
    after: frozenset[pulumi.Resource]
    is_preview: bool

    def select(
        self, key: Hashable, read: Callable[[], list[T]], matches: Callable[[T], bool]
    ) -> tuple[list[T], list[T]]:
        """Return the items of a list that match, and the whole list.

        All calls of a run share a list, unless they waited for different resources. In an update, a list without a
        match is read again, because a resource may have created the object since.

        Args:
            key: what the list contains.
            read: reads the list.
            matches: whether an item matches.
        """
        key = (key, self.run, self.after)
        listed: list[T] = self.client.lookups.get(key, read)
        if not self.is_preview and not any(map(matches, listed)):
            self.client.lookups.invalidate(key)
            listed = self.client.lookups.get(key, read)
        return [item for item in listed if matches(item)], listed


@dataclass(frozen=True)
class Function(Generic[C, A, R]):
    """A function.

    Attributes:
        token: its type token.
        name: its name in a program, without ``_output``.
        args: model of its arguments.
        result: class of its result.
        service: the service that it reads from.
        connect: returns a client of an instance.
        find: finds the result.
    """

    token: str
    _: KW_ONLY
    name: str
    args: type[A]
    result: type[R]
    service: Service
    connect: Callable[[Instance], C]
    find: Callable[[Call[C, A]], R]

    def invoke(self, arguments: Mapping[str, Any], opts: pulumi.InvokeOptions | None) -> R:
        """Return the result for plain arguments.

        Raises:
            InvokeError: the function failed.
            OptionError: an option has no effect.
        """
        options.check_invoke(opts, function=self.name)
        outputs = [name for name, value in arguments.items() if isinstance(value, pulumi.Output)]
        if outputs:
            reason = f"{outputs[0]} is an output. Call {self.name}_output, which accepts outputs."
            raise InvokeError(self.name, ConfigurationError(reason, settings=(outputs[0],)))
        properties = self._properties(arguments)
        if _has_mocks():
            return cast("R", pulumi.runtime.invoke(self.token, properties, opts, self.result).value)
        self._begin(arguments)
        return self._call(properties)

    def invoke_output(self, arguments: Mapping[str, Any], opts: pulumi.InvokeOptions | None) -> pulumi.Output[R]:
        """Return the result for arguments that may be outputs.

        As in Pulumi's own SDKs, the call waits for the resources that the arguments and ``depends_on`` come from. In a
        preview the result is unknown if one of these has yet to be created.

        Raises:
            OptionError: an option has no effect.
        """
        options.check_invoke(opts, function=self.name)
        properties = self._properties(arguments)
        if _has_mocks():
            return pulumi.runtime.invoke_output(self.token, properties, opts, self.result)
        self._begin(arguments)
        given: pulumi.Output[Any] = pulumi.Output.from_input(properties)
        dependencies: Awaitable[Any] = _dependencies(given, opts)

        def call(ready: list[Any]) -> Any:
            known, waited_for = ready
            hidden = map(str, known.values()) if waited_for["is_secret"] else ()
            return asyncio.to_thread(self._call, known, after=waited_for["resources"], hidden=tuple(hidden))

        return pulumi.Output.all(given, dependencies).apply(call)

    def _properties(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments that are given, under camelCase names."""
        examination = Examination(self.args, lambda failures: InvokeError(self.name, configuration_error(failures)))
        return {to_camel(name): value for name, value in examination.examine(arguments).items() if value is not None}

    def _begin(self, arguments: Mapping[str, Any]) -> None:
        PROCESS.log.install()
        profile = arguments["profile"]
        if profile is None or isinstance(profile, str):
            warn_about_settings(self.service, profile)

    def _call(
        self,
        properties: Mapping[str, Any],
        *,
        after: Iterable[pulumi.Resource] = (),
        hidden: tuple[str, ...] = (),
    ) -> R:
        """Run the function.

        Args:
            properties: the arguments under camelCase names.
            after: the resources that the call waited for.
            hidden: values that an error must not contain.
        """
        is_preview = pulumi.runtime.is_dry_run()
        try:
            args = self._args(properties)
            instance = self.service.instance(pulumi.runtime.get_config, args.profile)
            call = Call(
                PROCESS.clients.get(self.service.name, instance, self.connect),
                instance.url,
                args,
                run=pulumi.runtime.get_root_resource(),
                after=frozenset() if is_preview else frozenset(after),
                is_preview=is_preview,
            )
            return self.find(call)
        except Error as error:
            if hidden:
                error = _redacted(error, hidden)
            raise InvokeError(self.name, error) from None

    def _args(self, properties: Mapping[str, Any]) -> A:
        try:
            return self.args.model_validate(properties)
        except pydantic.ValidationError as error:
            raise configuration_error(check_failures(error, properties)) from None


def _has_mocks() -> bool:
    return isinstance(get_monitor(), mocks.MockMonitor)


def _redacted(error: Error, hidden: tuple[str, ...]) -> Error:
    """Return an error without the hidden values. The attributes that have one of a few values stay."""
    texts = {
        name: redact(value, hidden)
        for name, value in vars(error).items()
        if isinstance(value, str) and name not in {"cause", "meaning", "scope"}
    }
    return error.replace(redact(error.message, hidden), **texts)


async def _dependencies(given: pulumi.Output[Any], opts: pulumi.InvokeOptions | None) -> dict[str, Any]:
    """Return the resources to wait for. Their IDs are outputs, which are unknown until the resources are created.

    Args:
        given: the arguments.
        opts: options of the call.
    """
    depends_on = pulumi.Output.from_input(getattr(opts, "depends_on", None) or [])
    declared: Any = await depends_on.future() or []
    listed = [declared] if isinstance(declared, pulumi.Resource) else declared
    resources = [*_without_components({*await given.resources(), *await depends_on.resources(), *listed})]
    return {
        "resources": resources,
        "ids": [vars(resource).get("id", resource.urn) for resource in resources],
        "is_secret": await given.is_secret(),
    }


def _without_components(resources: Iterable[pulumi.Resource]) -> Iterator[pulumi.Resource]:
    """Yield resources, with its children in place of a component. Pulumi has no public property with the children."""
    for resource in resources:
        children = getattr(resource, "_childResources", ())
        if isinstance(resource, pulumi.ComponentResource) and children:
            yield from _without_components(children)
        else:
            yield resource
