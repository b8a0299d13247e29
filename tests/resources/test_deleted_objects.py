"""Neither a 404 nor one read without the object proves that an object is deleted."""

from __future__ import annotations

import pytest

from omni_pulumi.errors import NotFoundError
from omni_pulumi.settings import OMNI
from omni_pulumi.simulator import LightdashSimulator, OmniSimulator, faults
from tests.catalogue import Sample, every_sample, every_sample_where
from tests.resources.objects import objects
from tests.servicer import ProviderError, Stack


@every_sample
def test_delete_with_404_for_an_existing_object(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, sample: Sample
) -> None:
    """A delete that gets a 404 fails while the object exists or its existence is unknown. The next destroy deletes it.

    Regression: the object was read after the 404, but the error of that check was swallowed.
    """
    assert_first_delete_fails(stack, omni_services["generated"], lightdash, sample, sample.delete_method)


@every_sample_where(lambda sample: sample.name != "ConnectionEnvironment")  # a connection environment has no parent
def test_delete_with_404_for_the_object_and_its_parent(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, sample: Sample
) -> None:
    """A delete also fails when the read after its 404 gets a 404 too."""
    assert_first_delete_fails(stack, omni_services["generated"], lightdash, sample, sample.delete_method, "GET")


def assert_first_delete_fails(
    stack: Stack, omni: OmniSimulator, lightdash: LightdashSimulator, sample: Sample, *methods: str
) -> None:
    """Assert that a destroy fails after a 404 to one request of each method, and that the next destroy succeeds."""
    stack.up("it", sample.provider(), sample.complete)
    for service in (omni, lightdash):
        service.inject(*(faults.Status(404, method=method, processed=False) for method in methods))
    with pytest.raises(ProviderError) as caught:
        stack.destroy("it")
    assert isinstance(caught.value.error, NotFoundError)
    assert caught.value.error.status == 404
    assert "it" in stack.resources
    assert objects(omni, lightdash)
    for service in (omni, lightdash):
        service.clear_faults()
    stack.destroy("it")
    assert not objects(omni, lightdash)


@pytest.mark.parametrize("stale_reads", [1, 2])
@every_sample_where(lambda sample: sample.service is OMNI)
def test_refresh_repeats_stale_reads(
    stack: Stack, omni_services: dict[str, OmniSimulator], sample: Sample, stale_reads: int
) -> None:
    """An object that is missing from one or two reads of a refresh stays in the state.

    Regression: one stale "not configured" removed a new dbt configuration from the state.
    """
    stack.up("it", sample.provider(), sample.complete)
    omni_services["generated"].inject(faults.Stale(path="/api/", times=stale_reads))
    assert stack.refresh("it")
