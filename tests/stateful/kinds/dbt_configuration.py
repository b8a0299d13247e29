"""Dbt configurations. The ID of a dbt configuration is its connection's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from hypothesis import strategies as st

from omni_pulumi.simulator import CONNECTION_ID
from tests.catalogue import SAMPLES
from tests.stateful.kind import Changes, Declaration, Kind, Services
from tests.stateful.parts import Objects, Parts
from tests.stateful.values import branches, outside_text, texts

SAMPLE = SAMPLES["DbtConfiguration"]


@st.composite
def arguments(draw: st.DrawFn) -> dict[str, Any]:
    return {
        **SAMPLE.minimal,
        "sshUrl": draw(st.sampled_from(["git@x:a.git", "git@x:b.git"])),
        "branch": draw(branches),
        "autogenRelationships": draw(st.booleans()),
        "enableVirtualSchemas": draw(st.booleans()),
        **draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "enableSemanticLayer": st.booleans(),
                    "dbtVersion": st.sampled_from(["Auto", "1.10", "1.11"]),
                    "projectRootPath": st.sampled_from(["", "dbt", "a/b"]),
                    "rotateKeysTrigger": texts,
                },
            )
        ),
    }


class DbtConfigurationKind(Kind):
    """The dbt configuration of a connection."""

    sample = SAMPLE
    declarations = (Declaration("configuration", arguments(), has_duplicate=True),)
    fields = (
        "ssh_url",
        "branch",
        "autogen_relationships",
        "enable_virtual_schemas",
        "enable_semantic_layer",
        "dbt_version",
        "project_root_path",
    )
    identity = ("connection",)
    response_fields = ("sshUrl", "branch")

    def objects(self, services: Services) -> Objects:
        """Return the configuration of the connection, with all fields that Omni has."""
        configuration = services.omni.dbt_configuration(CONNECTION_ID)
        if configuration is None:
            return {}
        fields = {key: value for key, value in configuration.items() if value not in {None, ""}}
        return {CONNECTION_ID: {"connection": CONNECTION_ID, **fields}}

    def declared(self, properties: Mapping[str, Any]) -> Parts:
        """Return the parts that inputs or outputs set, with the defaults of fields that Omni always has."""
        defaults = {"enableSemanticLayer": False, "dbtVersion": "Auto"}
        return {"connection": properties["connectionId"], **self.declared_fields({**defaults, **properties})}

    def outside_changes(self, services: Services, number: int) -> Changes:
        """Return how people configure, edit and unlink dbt."""
        omni = services.omni
        if omni.dbt_configuration(CONNECTION_ID) is None:
            return {"configure dbt": partial(omni.configure_dbt, CONNECTION_ID)}
        return {
            f"{CONNECTION_ID}: branch": partial(omni.configure_dbt, CONNECTION_ID, branch=outside_text(number)),
            f"{CONNECTION_ID}: path": partial(omni.configure_dbt, CONNECTION_ID, project_root_path="outside"),
            f"{CONNECTION_ID}: unlink": partial(omni.unlink_dbt, CONNECTION_ID),
        }

    def added_by_service(self, services: Services) -> set[str]:
        """Return the IDs of the default environments that Omni adds to a new configuration."""
        return {each["id"] for each in services.omni.environments(CONNECTION_ID) if each["is_default_environment"]}
