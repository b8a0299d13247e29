"""The objects of both services, for the tests that run with every resource."""

from __future__ import annotations

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tests.stateful import kinds
from tests.stateful.kind import Services
from tests.stateful.parts import Parts


def objects(omni: OmniSimulator, lightdash: LightdashSimulator) -> list[Parts]:
    """Return all objects of both services, except those that the services add themselves."""
    services = Services(omni, lightdash)
    added = kinds.added_by_services(services)
    return [parts for id_, parts in kinds.objects(services).items() if id_ not in added]
