"""Simultaneous creates of the same object, in as many threads as the engine uses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from omni_pulumi.errors import AlreadyManagedError
from omni_pulumi.simulator import LightdashSimulator, OmniSimulator, faults
from tests.catalogue import Sample, every_sample
from tests.resources.objects import objects
from tests.servicer import ProviderError, Refusal, Stack

THREADS = 4


@pytest.mark.parametrize(
    "adopt", [(False,) * THREADS, (True,) * THREADS, (False, True) * 2], ids=["without", "with", "mixed"]
)
@every_sample
def test_one_create_succeeds(
    stack: Stack,
    omni_services: dict[str, OmniSimulator],
    lightdash: LightdashSimulator,
    sample: Sample,
    adopt: Sequence[bool],
) -> None:
    """One of four simultaneous creates sends a request. The other three fail, and their errors have the object's ID."""
    omni = omni_services["generated"]
    for service in (omni, lightdash):
        service.inject(faults.Slow(0.02, processed=False, times=None))
    with stack.command():
        servicer = stack.servicer
        checked = [servicer.check(sample.provider(), {**sample.complete, "adopt": each}) for each in adopt]

        def create(inputs: dict[str, Any] | Refusal) -> str | ProviderError:
            assert not isinstance(inputs, Refusal), inputs
            try:
                return servicer.create(sample.provider(), inputs)[0]
            except ProviderError as error:
                return error

        with ThreadPoolExecutor(THREADS) as pool:
            results = list(pool.map(create, checked))
    (created,) = [result for result in results if isinstance(result, str)]
    refused = [result.error for result in results if isinstance(result, ProviderError)]
    assert {type(error) for error in refused} == {AlreadyManagedError}
    assert {error.resource_id for error in refused} == {created.rpartition("/")[2]}
    requests = (r for service in (omni, lightdash) for r in service.requests if r.status in {200, 201})
    assert sum(r.method == sample.create_method and bool(re.search(sample.create_path, r.path)) for r in requests) == 1
    assert len(objects(omni, lightdash)) == 1
    for service in (omni, lightdash):
        service.clear_faults()
