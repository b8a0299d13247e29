"""The dbt sources of a Lightdash project."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from hypothesis import strategies as st

from omni_pulumi.simulator import PROJECT_ID
from tests.catalogue import SAMPLES
from tests.stateful.kind import Changes, Declaration, Kind, Services
from tests.stateful.parts import Objects, Parts
from tests.stateful.values import SECRET, branches, hosts, outside_text, secrets, texts, variables, words

SAMPLE = SAMPLES["LightdashDbtSource"]

TOKEN = "personal_access_token"
"""The path of the token. Lightdash never returns it."""


@st.composite
def arguments(draw: st.DrawFn, /, **changes: object) -> dict[str, Any]:
    connection = SAMPLE.minimal["dbtConnection"]
    optional = {"target": words, "selector": words, "environment": variables, "hostDomain": hosts}
    return {
        **SAMPLE.minimal,
        "dbtConnection": {
            **{key: value for key, value in connection.items() if key != "personalAccessToken"},
            "repository": draw(st.sampled_from(["acme/a", "acme/b"])),
            "branch": draw(branches),
            **({"personalAccessToken": draw(secrets)} if draw(st.integers(0, 3)) else {}),
            **draw(st.fixed_dictionaries({}, optional=optional)),
        },
        **draw(st.fixed_dictionaries({}, optional={"secretsTrigger": texts})),
        **changes,
    }


class LightdashDbtSourceKind(Kind):
    """The additional dbt sources of a project. The fields are those of their connections."""

    sample = SAMPLE
    declarations = (
        Declaration("source 1", arguments(), has_duplicate=True),
        Declaration("source 2", arguments(name="marketing")),
    )
    fields = ("type", "repository", "branch", "project_sub_path", "target", "selector", "host_domain")
    identity = ("name",)
    write_only = (TOKEN,)
    secrets = ("dbtConnection.personalAccessToken",)
    response_fields = ("projectDbtSourceUuid", "dbtConnection", "precedence")
    kept = ("secretsTrigger",)

    def objects(self, services: Services) -> Objects:
        """Return the sources of the project. Each environment variable is a part."""
        found: Objects = {}
        for source in services.lightdash.sources(PROJECT_ID):
            connection = source["connection"] or {}
            token = {TOKEN: (connection[TOKEN], True)} if TOKEN in connection else {}
            values = {f"environment.{item['key']}": item["value"] for item in connection.get("environment", [])}
            found[source["id"]] = {"name": source["name"], **self.stored_fields(connection), **token, **values}
        return found

    def declared(self, properties: Mapping[str, Any]) -> Parts:
        """Return the parts that inputs or outputs set."""
        connection = properties.get("dbtConnection") or {}
        token = {TOKEN: (connection["personalAccessToken"], True)} if "personalAccessToken" in connection else {}
        values = {f"environment.{key}": value for key, value in connection.get("environment", {}).items()}
        return {"name": properties["name"], **self.declared_fields(connection), **token, **values}

    def outside_changes(self, services: Services, number: int) -> Changes:
        """Return how people change, break and delete sources."""
        lightdash, text = services.lightdash, outside_text(number)
        changes: Changes = {}
        for source in lightdash.sources(PROJECT_ID):
            id_, connection = source["id"], source["connection"]
            changes[f"{id_}: delete"] = partial(lightdash.delete_source, id_)
            changes[f"{id_}: break"] = partial(lightdash.break_credentials, id_)
            if connection is None:
                continue
            edit = partial(lightdash.edit_source, id_)
            for field in ("branch", "selector", "target"):
                changes[f"{id_}: {field}"] = partial(edit, connection={field: text})
            changes[f"{id_}: token"] = partial(edit, connection={TOKEN: f"{SECRET}{text}"})
            variables = {item["key"]: item for item in connection.get("environment", [])}
            values = [*{**variables, "OUTSIDE": {"key": "OUTSIDE", "value": text}}.values()]
            changes[f"{id_}: set OUTSIDE"] = partial(edit, connection={"environment": values})
        return changes

    def add_missing(self, properties: dict[str, Any]) -> bool:
        """Add the token that a new source needs."""
        connection = properties["dbtConnection"]
        if is_missing := "personalAccessToken" not in connection:
            connection["personalAccessToken"] = f"{SECRET}new"
        return is_missing

    def add_undeclared(self, properties: dict[str, Any], path: str, existing: Parts) -> None:
        """Add a field or an environment variable of the connection. The path is such as `dbt_connection.target`."""
        connection, field = properties["dbtConnection"], path.removeprefix("dbt_connection.")
        if field.startswith("environment."):
            connection.setdefault("environment", {})[field.removeprefix("environment.")] = existing[field]
        else:
            super().add_undeclared(connection, field, existing)
