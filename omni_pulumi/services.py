"""The lifecycles of each service: where its settings are, and which client it has.

The clients are imported when a request is sent. A program that only declares resources never does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from omni_pulumi.lifecycle import A, Lifecycle, S
from omni_pulumi.settings import LIGHTDASH, OMNI

if TYPE_CHECKING:
    from omni_pulumi.api.instance import Instance
    from omni_pulumi.api.lightdash.client import LightdashClient
    from omni_pulumi.api.omni.client import OmniClient


def connect_to_omni(instance: Instance) -> OmniClient:
    """Return a client of an Omni instance."""
    from omni_pulumi.api.omni.client import OmniClient

    return OmniClient(instance)


def connect_to_lightdash(instance: Instance) -> LightdashClient:
    """Return a client of a Lightdash instance."""
    from omni_pulumi.api.lightdash.client import LightdashClient

    return LightdashClient(instance)


class OmniLifecycle(Lifecycle["OmniClient", A, S]):
    """A lifecycle of an object in Omni."""

    service = OMNI

    def connect(self, instance: Instance) -> OmniClient:
        """Return a client of an Omni instance."""
        return connect_to_omni(instance)


class LightdashLifecycle(Lifecycle["LightdashClient", A, S]):
    """A lifecycle of an object in Lightdash."""

    service = LIGHTDASH

    def connect(self, instance: Instance) -> LightdashClient:
        """Return a client of a Lightdash instance."""
        return connect_to_lightdash(instance)
