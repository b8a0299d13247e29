"""A 404 alone does not prove that an object is gone: it, or its parent, is looked at before a delete counts as done."""

from __future__ import annotations

import pytest

from omni_pulumi.api.errors import NotFoundError
from omni_pulumi.settings import OMNI
from omni_pulumi.simulator import LightdashSimulator, OmniSimulator, faults
from tests.catalogue import Sample, every_sample, every_sample_where
from tests.resources.objects import objects
from tests.servicer import ProviderError, Stack


@every_sample
def test_a_delete_that_is_answered_404_is_looked_at(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, sample: Sample
) -> None:
    """While the object is there, or nobody can tell, it stays in the state, and the next destroy removes it.

    Found by the stateful test: the check was there, and its error was swallowed.
    """
    assert_kept_until_it_is_gone(stack, omni_services["generated"], lightdash, sample, sample.delete_method)


@every_sample_where(lambda sample: sample.name != "ConnectionEnvironment")  # it has no parent
def test_a_delete_is_looked_at_while_the_parent_is_answered_404(
    stack: Stack, omni_services: dict[str, OmniSimulator], lightdash: LightdashSimulator, sample: Sample
) -> None:
    """A 404 to the delete and to the read after it proves nothing either."""
    assert_kept_until_it_is_gone(stack, omni_services["generated"], lightdash, sample, sample.delete_method, "GET")


def assert_kept_until_it_is_gone(
    stack: Stack, omni: OmniSimulator, lightdash: LightdashSimulator, sample: Sample, *unknown: str
) -> None:
    """A destroy fails after a 404 to one request of each method, and removes the object afterwards."""
    stack.up("it", sample.provider(), sample.complete)
    for service in (omni, lightdash):
        service.inject(*(faults.Status(404, method=method, processed=False) for method in unknown))
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


@pytest.mark.parametrize("behind", [1, 2])
@every_sample_where(lambda sample: sample.service is OMNI)
def test_a_read_that_is_behind_is_repeated(
    stack: Stack, omni_services: dict[str, OmniSimulator], sample: Sample, behind: int
) -> None:
    """What a refresh does not see once or twice stays in the state.

    Found by the stateful test: one "not configured" from before the configuration was written made it nobody's.
    """
    stack.up("it", sample.provider(), sample.complete)
    omni_services["generated"].inject(faults.Stale(path="/api/", times=behind))
    assert stack.refresh("it")
