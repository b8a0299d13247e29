"""What a preview says about values that it does not know yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic.alias_generators import to_snake

from omni_pulumi.simulator import OTHER_CONNECTION_ID
from tests.catalogue import SAMPLES, Sample, every_sample
from tests.servicer import UNKNOWN, ProviderError, Refusal, Stack


def with_unknown_values(sample: Sample) -> Iterator[dict[str, Any]]:
    """Yield programs in which all arguments, one argument, one item of a map, or one argument alone are unknown."""
    yield dict.fromkeys(sample.complete, UNKNOWN)
    for name, value in sample.complete.items():
        yield {**sample.complete, name: UNKNOWN}
        yield {**dict.fromkeys(sample.complete, UNKNOWN), name: value}
        if isinstance(value, Mapping):
            for key in value:
                yield {**sample.complete, name: {**value, key: UNKNOWN}}
        if isinstance(value, list):
            yield {**sample.complete, name: [UNKNOWN, *value]}


@every_sample
def test_no_message_shows_an_object(sample: Sample, stack: Stack, log: pytest.LogCaptureFixture) -> None:
    """No log line, failure or error of a preview shows an unknown value as a Python object."""
    assert stack.up("it", sample.provider(), sample.complete) == "create"
    resource = stack.resources["it"]
    other = {**resource.outputs, "secretVariables": {"S": "another"}, "unmanagedVariables": ["OTHER"]}
    texts: list[str] = []
    for unknown in with_unknown_values(sample):
        for changes in ({}, {"adopt": True}, {"adopt": "existing"}, {"noSuchArgument": UNKNOWN}):
            program = {**unknown, **changes}
            for olds in (None, resource.inputs):
                answer = stack.servicer.check(sample.provider(), program, olds)
                texts += answer.failures.values() if isinstance(answer, Refusal) else ()
            for outputs in (resource.outputs, other):
                with stack.command():
                    for _ in ("one", "the same again"):
                        try:
                            stack.servicer.check(sample.provider(), program, resource.inputs)
                            stack.servicer.diff(sample.provider(), resource.id, outputs, program)
                        except ProviderError as error:
                            texts.append(str(error.error))
    texts += log.messages
    assert texts
    assert [text for text in texts if "Unknown" in text or "0x" in text] == []
    identifying = next(name for name in sample.minimal if name != "dbtConnection")
    assert any(f"{to_snake(identifying)} not known yet" in text for text in texts)


def test_a_replacement_that_keeps_its_connection(stack: Stack) -> None:
    """An unknown connection replaces a resource, unless one that is to be created declares the known connection.

    The engine asks so for the dependents of a resource that is replaced, and deletes those that need a replacement.
    """
    environment, configuration = SAMPLES["DbtEnvironment"], SAMPLES["DbtConfiguration"]
    outputs = {**environment.minimal, "environmentId": "an ID"}
    unknown = {**environment.minimal, "connectionId": UNKNOWN}
    with stack.command():
        assert stack.servicer.diff(environment.provider(), "id", outputs, unknown).replaces == ["connectionId"]
        other = {**configuration.minimal, "connectionId": OTHER_CONNECTION_ID}
        stack.servicer.check(configuration.provider(), other)
        assert stack.servicer.diff(environment.provider(), "id", outputs, unknown).replaces == ["connectionId"]
        stack.servicer.check(configuration.provider(), configuration.minimal)
        assert stack.servicer.diff(environment.provider(), "id", outputs, unknown).replaces == []
