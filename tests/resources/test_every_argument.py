"""Every argument reaches its service, and every change in the service reaches the state.

The simulators are the judge, because they know only the fields in the vendors' documentation. An argument that no
request contains passes all tests that compare what was written with what was declared.
"""

from __future__ import annotations

import copy
import itertools
import re
import uuid
from typing import Any

import pytest

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tests.catalogue import SAMPLES, Sample
from tests.servicer import Stack

ARGUMENTS = [(sample, path) for sample in SAMPLES.values() for path in sample.changes]
RETURNED = [(sample, path) for sample, path in ARGUMENTS if path not in sample.write_only]


def _ids(arguments: list[tuple[Sample, str]]) -> list[str]:
    return [f"{sample.name}.{path}" for sample, path in arguments]


def changed(sample: Sample, path: str) -> dict[str, Any]:
    """Return the complete program of a sample with another value of one argument."""
    program = copy.deepcopy(dict(sample.complete))
    *parents, last = path.split(".")
    holder = program
    for parent in parents:
        holder = holder[parent]
    holder[last] = sample.changes[path]
    return program


def at(properties: dict[str, Any], path: str) -> object:
    """Return the value of a property."""
    value: Any = properties
    for part in path.split("."):
        value = value[part]
    return value


def file_of(sample: Sample) -> str:
    """Return the path of the module that defines a resource."""
    return f"{sample.provider.__module__.replace('.', '/')}.py"


@pytest.fixture(autouse=True)
def _recognizable_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the IDs of new objects begin with zeros, so that services with the same data can be compared."""
    numbers = itertools.count()
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=next(numbers), version=4))


@pytest.mark.parametrize(("sample", "path"), ARGUMENTS, ids=_ids(ARGUMENTS))
def test_every_argument_is_sent(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, sample: Sample, path: str
) -> None:
    """With another value of one argument, both a create and an update leave something else in the service."""
    omni = omni_services["generated"]

    def stored(*programs: Any) -> str:
        omni.reset()
        lightdash.reset()
        stack.resources.clear()
        for program in programs:
            stack.up("it", sample.provider(), program)
        return re.sub("0{8}-[-0-9a-f]+", "", f"{omni.snapshot()} {lightdash.snapshot()}")

    before, after = sample.complete, changed(sample, path)
    data = stored(before)
    where = f"in models.py and client.py of omni_pulumi/api, and in {file_of(sample)}"
    is_created, is_updated = stored(after) != data, stored(before, after) != data
    assert is_created, f"a create does not send {path}: add it {where}"
    assert is_updated, f"an update does not send {path}: add it {where}"


@pytest.mark.parametrize(("sample", "path"), RETURNED, ids=_ids(RETURNED))
def test_every_change_is_found(stack: Stack, sample: Sample, path: str) -> None:
    """A refresh finds what somebody else has changed in the service, and the next `up` changes it back."""
    provider = sample.provider()
    stack.up("it", provider, sample.complete)
    before = {**stack.resources}
    stack.up("it", provider, changed(sample, path))
    wanted = at(stack.resources["it"].outputs, path)
    stack.resources = before
    assert stack.refresh("it")
    found = at(stack.resources["it"].outputs, path)
    assert found == wanted, f"a refresh does not find {path}: read it in {file_of(sample)}"
    assert stack.preview("it", provider, sample.complete) == "update"
