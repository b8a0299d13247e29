"""Connection environments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from hypothesis import strategies as st

from omni_pulumi.simulator import CONNECTION_ID, DEVELOPMENT_CONNECTION_ID, STAGING_CONNECTION_ID
from tests.catalogue import SAMPLES
from tests.stateful.kind import Changes, Declaration, Kind, Services
from tests.stateful.parts import Objects, Parts, value_parts

SAMPLE = SAMPLES["ConnectionEnvironment"]


@st.composite
def arguments(draw: st.DrawFn, /, values: tuple[str, ...], **changes: object) -> dict[str, Any]:
    return {
        **SAMPLE.minimal,
        "userAttributeValues": draw(st.lists(st.sampled_from(values), unique=True)),
        **changes,
    }


class ConnectionEnvironmentKind(Kind):
    """The connection environments of a base connection."""

    sample = SAMPLE
    declarations = (
        Declaration("connection environment 1", arguments(("a", "b")), has_duplicate=True),
        Declaration(
            "connection environment 2", arguments(("c", "d"), environmentConnectionId=DEVELOPMENT_CONNECTION_ID)
        ),
    )
    fields = ("base_connection_id", "environment_connection_id")
    identity = ("base_connection_id", "environment_connection_id")
    response_fields = ("connectionEnvironments",)
    unverified_paths = ("/connection-environments",)  # without a list, a 404 is the only evidence

    def objects(self, services: Services) -> Objects:
        """Return the connection environments. Each user attribute value is a part."""
        return {
            each["id"]: {
                "base_connection_id": each["base_connection_id"],
                "environment_connection_id": each["connection_id"],
                **value_parts(each["user_attribute_values"]),
            }
            for each in services.omni.connection_environments()
        }

    def declared(self, properties: Mapping[str, Any]) -> Parts:
        """Return the parts that inputs or outputs set."""
        return {**self.declared_fields(properties), **value_parts(properties.get("userAttributeValues", []))}

    def outside_changes(self, services: Services, number: int) -> Changes:
        """Return how people add and change connection environments, if a provider can find them in a list."""
        omni, new = services.omni, f"v{number}"
        if not self.can_adopt(services):
            return {}
        environments = omni.connection_environments()
        changes: Changes = {}
        for connection_id in {STAGING_CONNECTION_ID, DEVELOPMENT_CONNECTION_ID}:
            if not any(each["connection_id"] == connection_id for each in environments):
                changes[f"add {connection_id}"] = partial(
                    omni.add_connection_environment, CONNECTION_ID, connection_id, [new]
                )
        for each in environments:
            id_, values = each["id"], each["user_attribute_values"]
            changes |= {
                f"{id_}: add a value": partial(omni.edit_connection_environment, id_, [*values, new]),
                f"{id_}: other values": partial(omni.edit_connection_environment, id_, [new]),
                f"{id_}: delete": partial(omni.delete_connection_environment, id_),
            }
        return changes

    def can_adopt(self, services: Services) -> bool:
        """Return whether Omni has a list of connection environments."""
        return services.omni.dialect.connection_environment_list

    def delete(self, services: Services, object_id: str) -> None:
        """Delete a connection environment."""
        services.omni.delete_connection_environment(object_id)
