"""Environment user attributes. The ID of an attribute is its connection's.

The connection has no dbt configuration, because the ID of a dbt configuration is its connection's as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from hypothesis import strategies as st

from omni_pulumi.simulator import STAGING_CONNECTION_ID
from tests.catalogue import SAMPLES
from tests.stateful.kind import Changes, Declaration, Kind, Services
from tests.stateful.parts import Objects, Parts, value_parts

SAMPLE = SAMPLES["ConnectionEnvironmentAttribute"]


@st.composite
def arguments(draw: st.DrawFn) -> dict[str, Any]:
    return {
        **SAMPLE.minimal,
        "attributeName": draw(st.sampled_from(["environment", "region"])),
        "defaultValues": draw(st.lists(st.sampled_from(["a", "b"]), unique=True)),
    }


class ConnectionEnvironmentAttributeKind(Kind):
    """The environment user attribute of a connection."""

    sample = SAMPLE
    declarations = (Declaration("attribute", arguments(), has_duplicate=True),)
    fields = ("attribute_name",)
    identity = ("connection",)
    response_fields = ("connections", "connection", "userAttributeNameForConnectionEnvironments")

    def objects(self, services: Services) -> Objects:
        """Return the attribute of the connection. Each default value is a part."""
        attribute = services.omni.environment_user_attribute(STAGING_CONNECTION_ID)
        if attribute is None:
            return {}
        values = value_parts(attribute["default_values"] or [])
        return {STAGING_CONNECTION_ID: {"connection": STAGING_CONNECTION_ID, **self.stored_fields(attribute), **values}}

    def declared(self, properties: Mapping[str, Any]) -> Parts:
        """Return the parts that inputs or outputs set."""
        values = value_parts(properties.get("defaultValues", []))
        return {"connection": properties["connectionId"], **self.declared_fields(properties), **values}

    def outside_changes(self, services: Services, number: int) -> Changes:
        """Return how people set, change and remove the attribute."""
        omni, id_ = services.omni, STAGING_CONNECTION_ID
        set_values = partial(omni.set_environment_user_attribute, id_, "region")
        attribute = omni.environment_user_attribute(id_)
        if attribute is None:
            return {"set the attribute": partial(set_values, [])}
        return {
            f"{id_}: add a default value": partial(set_values, [*(attribute["default_values"] or []), f"v{number}"]),
            f"{id_}: remove": partial(omni.clear_environment_user_attribute, id_),
        }
