"""Drives providers through Pulumi's own dynamic-provider servicer, with real protobufs, as the engine does.

:class:`Stack` keeps the inputs and outputs that an engine would keep, so that a test reads as a program's life: ``up``
until it is clean, ``refresh``, ``destroy``.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.output import UNKNOWN
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2
from pydantic.alias_generators import to_snake

from omni_pulumi.api.errors import Error
from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.process import PROCESS

PROVIDER_KEY = "__provider"


def claim_nothing(_object_id: str) -> None:
    """Stands for the claim of a lifecycle that is called without a provider: nothing else manages the object."""


def _import_servicer() -> Any:
    """Import the module of ``python -m pulumi.dynamic``, which would serve for ever."""
    with (
        mock.patch.object(grpc, "server"),
        mock.patch.object(threading.Event, "wait", side_effect=KeyboardInterrupt),
        contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())),
    ):
        return importlib.import_module("pulumi.dynamic.__main__")


_pulumi = _import_servicer()

_pickled: dict[type, str] = {}
"""Providers have no attributes, so one pickled form serves all of a class."""


class ProviderError(Exception):
    """What the engine shows when a provider raises: a whole traceback.

    Attributes:
        error: the error that the provider raised. Its text is the last line of the traceback, the one that people read.
    """

    def __init__(self, text: str, error: Error) -> None:
        super().__init__(text)
        self.error = error
        last_line = text.strip().splitlines()[-1]
        assert last_line == f"{type(error).__module__}.{type(error).__name__}: {error}", text


class InvalidInputsError(Exception):
    """`check` refused the inputs of a program. Nothing was sent.

    Attributes:
        failures: reasons by property path.
    """

    def __init__(self, failures: Mapping[str, str]) -> None:
        super().__init__(str(failures))
        self.failures = failures


class _Context:
    def abort(self, _code: grpc.StatusCode, details: str) -> None:
        """Called by Pulumi's servicer in its ``except`` clause."""
        error = sys.exc_info()[1]
        assert isinstance(error, Error), details
        raise ProviderError(details, error)


def to_struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties as the engine sends them; ``UNKNOWN`` for what a preview does not know."""
    serializing = rpc.serialize_properties(dict(properties), {})
    try:
        serializing.send(None)
    except StopIteration as done:
        struct: struct_pb2.Struct = done.value
        return struct
    raise AssertionError("plain values have nothing to wait for")


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Properties as a provider returned them, without the pickled provider."""
    properties = rpc.deserialize_properties(struct, keep_unknowns=True)
    return {key: value for key, value in properties.items() if key != PROVIDER_KEY}


@dataclass
class Refusal:
    """A refused preview: reasons by property path. Settings are no property: their reason stands under ``""``."""

    failures: dict[str, str]


def _failure(text: str, properties: set[str]) -> tuple[str, str]:
    """Property path and reason of a failure, whose text begins with the path of one of the properties."""
    path, _, reason = text.partition(" ")
    return (path, reason) if path.partition(".")[0] in properties else ("", text)


@dataclass
class Diff:
    """An answer to ``Diff``."""

    changes: bool
    replaces: list[str]
    delete_before_replace: bool


class Servicer:
    """One provider process: the stack's configuration and any provider."""

    def __init__(self, config: Mapping[str, str]) -> None:
        _pulumi._PROVIDER_CACHE.clear()  # noqa: SLF001 - Pulumi has no public way to forget unpickled providers
        PROCESS.reset()
        self._servicer = _pulumi.DynamicResourceProviderServicer()
        self._servicer.Configure(provider_pb2.ConfigureRequest(args=to_struct(config)), _Context())

    def check(
        self, provider: Provider[Any, Any, Any], news: Mapping[str, Any], olds: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | Refusal:
        """Validate inputs. ``olds`` are the inputs in the state, ``None`` for a resource that is not there."""
        old_inputs = to_struct({}) if olds is None else self._bag(provider, olds)
        request = provider_pb2.CheckRequest(olds=old_inputs, news=self._bag(provider, news))
        answer = self._servicer.Check(request, _Context())
        if answer.failures:
            assert {failure.property for failure in answer.failures} == {""}, "the engine would print the values"
            properties = {*provider.lifecycle.args.model_fields, *map(to_snake, news)}
            return Refusal(dict(_failure(failure.reason, properties) for failure in answer.failures))
        return from_struct(answer.inputs)

    def diff(
        self, provider: Provider[Any, Any, Any], id_: str, outputs: Mapping[str, Any], news: Mapping[str, Any]
    ) -> Diff:
        request = provider_pb2.DiffRequest(id=id_, olds=self._bag(provider, outputs), news=self._bag(provider, news))
        answer = self._servicer.Diff(request, _Context())
        assert answer.changes in {provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE}
        changes = answer.changes == provider_pb2.DiffResponse.DIFF_SOME
        return Diff(changes, list(answer.replaces), answer.deleteBeforeReplace)

    def create(self, provider: Provider[Any, Any, Any], inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        request = provider_pb2.CreateRequest(properties=self._bag(provider, inputs))
        answer = self._servicer.Create(request, _Context())
        return answer.id, from_struct(answer.properties)

    def read(
        self, provider: Provider[Any, Any, Any], id_: str, outputs: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        request = provider_pb2.ReadRequest(id=id_, properties=self._bag(provider, outputs))
        answer = self._servicer.Read(request, _Context())
        return answer.id, from_struct(answer.properties), from_struct(answer.inputs)

    def update(
        self, provider: Provider[Any, Any, Any], id_: str, outputs: Mapping[str, Any], news: Mapping[str, Any]
    ) -> dict[str, Any]:
        request = provider_pb2.UpdateRequest(id=id_, olds=self._bag(provider, outputs), news=self._bag(provider, news))
        return from_struct(self._servicer.Update(request, _Context()).properties)

    def delete(self, provider: Provider[Any, Any, Any], id_: str, outputs: Mapping[str, Any]) -> None:
        request = provider_pb2.DeleteRequest(id=id_, properties=self._bag(provider, outputs))
        assert isinstance(self._servicer.Delete(request, _Context()), empty_pb2.Empty)

    @staticmethod
    def _bag(provider: Provider[Any, Any, Any], properties: Mapping[str, Any]) -> struct_pb2.Struct:
        kind = type(provider)
        if kind not in _pickled:
            _pickled[kind] = serialize_provider(provider)
        return to_struct({**properties, PROVIDER_KEY: _pickled[kind]})


@dataclass
class Resource:
    """A resource in a stack's state."""

    provider: Provider[Any, Any, Any]
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


@dataclass
class Stack:
    """The engine's bookkeeping for a few resources, by name."""

    config: Mapping[str, str]
    resources: dict[str, Resource] = field(default_factory=dict)
    _process: Servicer | None = None

    @property
    def servicer(self) -> Servicer:
        """The provider process of this ``pulumi`` command, or of another one."""
        return self._process or Servicer(self.config)

    @contextlib.contextmanager
    def command(self) -> Iterator[None]:
        """What is done meanwhile is one ``pulumi`` command: one provider process serves it, with one memory."""
        self._process = Servicer(self.config)
        try:
            yield
        finally:
            self._process = None

    def inputs(self, name: str, program: Mapping[str, Any], ignore: Collection[str]) -> dict[str, Any]:
        """What the engine gives to `check`: with `ignore_changes`, the inputs in the state replace the program's."""
        resource = self.resources.get(name)
        if resource is None:
            return dict(program)
        kept = {key: value for key, value in resource.inputs.items() if key in ignore}
        return {**{key: value for key, value in program.items() if key not in ignore}, **kept}

    def preview(
        self,
        name: str,
        provider: Provider[Any, Any, Any],
        program: Mapping[str, Any],
        *,
        ignore: Collection[str] = (),
    ) -> str:
        """What an ``up`` would do: ``create``, ``update``, ``replace`` or ``same``."""
        servicer = self.servicer
        resource = self.resources.get(name)
        inputs = self._checked(servicer, provider, self.inputs(name, program, ignore), resource)
        if resource is None:
            return "create"
        diff = servicer.diff(provider, resource.id, resource.outputs, inputs)
        return "replace" if diff.replaces else "update" if diff.changes else "same"

    def up(
        self,
        name: str,
        provider: Provider[Any, Any, Any],
        program: Mapping[str, Any],
        *,
        ignore: Collection[str] = (),
    ) -> str:
        """Make the resource what the program says, and return what was done.

        Args:
            name: the name of the resource in the program.
            provider: its provider.
            program: its arguments.
            ignore: properties that the resource option `ignore_changes` names.
        """
        servicer = self.servicer
        resource = self.resources.get(name)
        inputs = self._checked(servicer, provider, self.inputs(name, program, ignore), resource)
        if resource is None:
            self._create(servicer, name, provider, inputs)
            return "create"
        diff = servicer.diff(provider, resource.id, resource.outputs, inputs)
        if diff.replaces:
            inputs = self._checked(servicer, provider, program, None)
            if diff.delete_before_replace:
                servicer.delete(provider, resource.id, resource.outputs)
                del self.resources[name]
            self._create(servicer, name, provider, inputs)
            if not diff.delete_before_replace:
                servicer.delete(provider, resource.id, resource.outputs)
            return "replace"
        if diff.changes:
            outputs = servicer.update(provider, resource.id, resource.outputs, inputs)
            self.resources[name] = Resource(provider, resource.id, inputs, outputs)
            return "update"
        resource.inputs = inputs
        return "same"

    def replace(self, name: str, provider: Provider[Any, Any, Any], program: Mapping[str, Any]) -> None:
        """Replace the resource as `replacement_trigger` does: the engine decides by itself and calls no `diff`."""
        servicer, resource = self.servicer, self.resources[name]
        self._checked(servicer, provider, program, resource)
        self._create(servicer, name, provider, self._checked(servicer, provider, program, None))
        servicer.delete(resource.provider, resource.id, resource.outputs)

    def refresh(self, name: str) -> bool:
        """Read the resource, and tell whether it is still there."""
        resource = self.resources[name]
        servicer = self.servicer
        id_, outputs, inputs = servicer.read(resource.provider, resource.id, resource.outputs)
        if not id_:
            del self.resources[name]
            return False
        servicer.diff(resource.provider, id_, outputs, resource.inputs)  # as the engine does
        self.resources[name] = Resource(resource.provider, id_, inputs, outputs)
        return True

    def destroy(self, name: str) -> None:
        """Delete the resource."""
        resource = self.resources[name]
        self.servicer.delete(resource.provider, resource.id, resource.outputs)
        del self.resources[name]

    def _create(self, servicer: Servicer, name: str, provider: Provider[Any, Any, Any], inputs: dict[str, Any]) -> None:
        id_, outputs = servicer.create(provider, inputs)
        self.resources[name] = Resource(provider, id_, inputs, outputs)

    @staticmethod
    def _checked(
        servicer: Servicer, provider: Provider[Any, Any, Any], program: Mapping[str, Any], resource: Resource | None
    ) -> dict[str, Any]:
        inputs = servicer.check(provider, program, resource.inputs if resource else None)
        if isinstance(inputs, Refusal):
            raise InvalidInputsError(inputs.failures)
        return inputs


__all__ = ["UNKNOWN", "InvalidInputsError", "ProviderError", "Refusal", "Servicer", "Stack", "from_struct", "to_struct"]
