"""Calls providers through Pulumi's servicer for dynamic providers, with real protobufs, as the engine does.

:class:`Stack` keeps the state as the engine does, so that a test can run ``preview``, ``up``, ``refresh`` and
``destroy``.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import io
import sys
import threading
from collections.abc import Collection, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest import mock

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.output import UNKNOWN
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2
from pydantic.alias_generators import to_snake

from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.errors import Error
from omni_pulumi.process import PROCESS

PROVIDER_KEY = "__provider"


class NoClaims:
    """The claims of a lifecycle that a test calls without a provider. No other resource manages an object."""

    def __call__(self, _pulumi_id: str) -> None:
        """Claim an object."""

    def gives_up(self, _pulumi_id: str) -> bool:
        """Return whether another resource gives up the name of an object."""
        return False


def _import_servicer() -> Any:
    """Import the module that ``python -m pulumi.dynamic`` runs, without starting its server."""
    with (
        mock.patch.object(grpc, "server"),
        mock.patch.object(threading.Event, "wait", side_effect=KeyboardInterrupt),
        contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())),
    ):
        return importlib.import_module("pulumi.dynamic.__main__")


_pulumi = _import_servicer()


class _Loop:
    """Replaces the event loop that the servicer creates for each answer, which takes most of the time of a call."""

    def run_until_complete(self, serializing: Coroutine[Any, Any, struct_pb2.Struct]) -> struct_pb2.Struct:
        """Return the result of a coroutine that never waits: plain values are serialized without waiting."""
        try:
            serializing.send(None)
        except StopIteration as done:
            struct: struct_pb2.Struct = done.value
            return struct
        raise AssertionError("plain values are serialized without waiting")

    def close(self) -> None:
        """Do nothing."""


_pulumi.asyncio = SimpleNamespace(new_event_loop=_Loop)

_pickled: dict[type, str] = {}
"""Pickled providers by class. Providers have no attributes, so all providers of a class have the same pickled form."""


class ProviderError(Exception):
    """A provider raised an error, and the servicer sent its traceback.

    Attributes:
        error: the error that the provider raised. Its text is the last line of the traceback.
    """

    def __init__(self, text: str, error: Error) -> None:
        super().__init__(text)
        self.error = error
        last_line = text.strip().splitlines()[-1]
        assert last_line == f"{type(error).__module__}.{type(error).__name__}: {error}", text


class InvalidInputsError(Exception):
    """`check` refused the inputs of a program, and no request was sent.

    Attributes:
        failures: reasons by property path.
    """

    def __init__(self, failures: Mapping[str, str]) -> None:
        super().__init__(str(failures))
        self.failures = failures


class _Context:
    def abort(self, _code: grpc.StatusCode, details: str) -> None:
        """Raise the error of the provider. Pulumi's servicer calls this in its ``except`` clause."""
        error = sys.exc_info()[1]
        assert isinstance(error, Error), details
        raise ProviderError(details, error)


def to_struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Return properties as the engine sends them. ``UNKNOWN`` is a value that a preview does not know."""
    return _Loop().run_until_complete(rpc.serialize_properties(dict(properties), {}))


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Return the properties that a provider returned, without the pickled provider."""
    properties = rpc.deserialize_properties(struct, keep_unknowns=True)
    return {key: value for key, value in properties.items() if key != PROVIDER_KEY}


@dataclass
class Refusal:
    """The failures of a `check`.

    Attributes:
        failures: reasons by property path. The reason of a wrong setting has the path ``""``.
    """

    failures: dict[str, str]


def _failure(text: str, properties: set[str]) -> tuple[str, str]:
    """Return the property path and the reason of a failure. The path is empty when the text does not begin with one."""
    path, _, reason = text.partition(" ")
    return (path, reason) if path.partition(".")[0] in properties else ("", text)


@dataclass
class Diff:
    """The result of `diff`."""

    changes: bool
    replaces: list[str]
    delete_before_replace: bool


class Servicer:
    """A provider process with the configuration of a stack. It serves every provider."""

    def __init__(self, config: Mapping[str, str]) -> None:
        _pulumi._PROVIDER_CACHE.clear()  # noqa: SLF001 - Pulumi has no public way to clear this cache
        PROCESS.reset()
        self._servicer = _pulumi.DynamicResourceProviderServicer()
        self._servicer.Configure(provider_pb2.ConfigureRequest(args=to_struct(config)), _Context())

    def check(
        self, provider: Provider[Any, Any, Any], news: Mapping[str, Any], olds: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | Refusal:
        """Validate inputs. ``olds`` are the inputs in the state, ``None`` for a resource that is not in the state."""
        old_inputs = to_struct({}) if olds is None else self._struct(provider, olds)
        request = provider_pb2.CheckRequest(olds=old_inputs, news=self._struct(provider, news))
        answer = self._servicer.Check(request, _Context())
        if answer.failures:
            assert {failure.property for failure in answer.failures} == {""}, "the engine would print the values"
            properties = {*provider.lifecycle.args_model.model_fields, *map(to_snake, news)}
            return Refusal(dict(_failure(failure.reason, properties) for failure in answer.failures))
        return from_struct(answer.inputs)

    def diff(
        self, provider: Provider[Any, Any, Any], id_: str, outputs: Mapping[str, Any], news: Mapping[str, Any]
    ) -> Diff:
        request = provider_pb2.DiffRequest(
            id=id_, olds=self._struct(provider, outputs), news=self._struct(provider, news)
        )
        answer = self._servicer.Diff(request, _Context())
        assert answer.changes in {provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE}
        changes = answer.changes == provider_pb2.DiffResponse.DIFF_SOME
        return Diff(changes, list(answer.replaces), answer.deleteBeforeReplace)

    def create(self, provider: Provider[Any, Any, Any], inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        request = provider_pb2.CreateRequest(properties=self._struct(provider, inputs))
        answer = self._servicer.Create(request, _Context())
        return answer.id, from_struct(answer.properties)

    def read(
        self, provider: Provider[Any, Any, Any], id_: str, outputs: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        request = provider_pb2.ReadRequest(id=id_, properties=self._struct(provider, outputs))
        answer = self._servicer.Read(request, _Context())
        return answer.id, from_struct(answer.properties), from_struct(answer.inputs)

    def update(
        self, provider: Provider[Any, Any, Any], id_: str, outputs: Mapping[str, Any], news: Mapping[str, Any]
    ) -> dict[str, Any]:
        request = provider_pb2.UpdateRequest(
            id=id_, olds=self._struct(provider, outputs), news=self._struct(provider, news)
        )
        return from_struct(self._servicer.Update(request, _Context()).properties)

    def delete(self, provider: Provider[Any, Any, Any], id_: str, outputs: Mapping[str, Any]) -> None:
        request = provider_pb2.DeleteRequest(id=id_, properties=self._struct(provider, outputs))
        assert isinstance(self._servicer.Delete(request, _Context()), empty_pb2.Empty)

    @staticmethod
    def _struct(provider: Provider[Any, Any, Any], properties: Mapping[str, Any]) -> struct_pb2.Struct:
        """Return properties as the engine sends them, with the pickled provider."""
        cls = type(provider)
        if cls not in _pickled:
            _pickled[cls] = serialize_provider(provider)
        return to_struct({**properties, PROVIDER_KEY: _pickled[cls]})


@dataclass
class Resource:
    """A resource in a stack's state."""

    provider: Provider[Any, Any, Any]
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


@dataclass
class Stack:
    """A stack: its configuration, and its resources by name."""

    config: Mapping[str, str]
    resources: dict[str, Resource] = field(default_factory=dict)
    _process: Servicer | None = None

    @property
    def servicer(self) -> Servicer:
        """The provider process of the current :meth:`command`, or else a new process."""
        return self._process or Servicer(self.config)

    @contextlib.contextmanager
    def command(self) -> Iterator[None]:
        """Run the operations of the ``with`` block as one ``pulumi`` command, with one provider process."""
        self._process = Servicer(self.config)
        try:
            yield
        finally:
            self._process = None

    def inputs(self, name: str, program: Mapping[str, Any], ignore: Collection[str]) -> dict[str, Any]:
        """Return the inputs for `check`. Properties of `ignore_changes` have their value in the state.

        Args:
            name: the name of the resource in the program.
            program: the properties that the program declares.
            ignore: the paths in `ignore_changes`, such as `variables.A`.
        """
        resource = self.resources.get(name)
        inputs = copy.deepcopy(dict(program))
        if resource is not None:
            for path in ignore:
                *holders, last = path.split(".")
                before: Any = resource.inputs
                now: Any = inputs
                for holder in holders:
                    before, now = before.get(holder, {}), now.setdefault(holder, {})
                now.pop(last, None)
                if last in before:
                    now[last] = before[last]
        return inputs

    def preview(
        self,
        name: str,
        provider: Provider[Any, Any, Any],
        program: Mapping[str, Any],
        *,
        ignore: Collection[str] = (),
    ) -> str:
        """Return what an ``up`` would do: ``create``, ``update``, ``replace`` or ``same``."""
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
        """Create, update or replace the resource, and return what was done.

        Args:
            name: the name of the resource in the program.
            provider: the provider of the resource.
            program: the properties that the program declares.
            ignore: the properties in the resource option `ignore_changes`.
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
        """Replace the resource as `replacement_trigger` does. The engine then calls no `diff`."""
        servicer, resource = self.servicer, self.resources[name]
        self._checked(servicer, provider, program, resource)
        self._create(servicer, name, provider, self._checked(servicer, provider, program, None))
        servicer.delete(resource.provider, resource.id, resource.outputs)

    def refresh(self, name: str) -> bool:
        """Read the resource, and return whether the object exists."""
        resource = self.resources[name]
        servicer = self.servicer
        id_, outputs, inputs = servicer.read(resource.provider, resource.id, resource.outputs)
        if not id_:
            del self.resources[name]
            return False
        servicer.diff(resource.provider, id_, outputs, resource.inputs)  # the engine calls it, too
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
