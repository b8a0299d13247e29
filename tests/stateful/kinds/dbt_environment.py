"""Dbt environments."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from functools import partial
from typing import Any

from hypothesis import strategies as st

from omni_pulumi.simulator import CONNECTION_ID, OTHER_USER_ID, USER_ID
from tests.catalogue import SAMPLES
from tests.stateful.kind import Changes, Declaration, Kind, Services
from tests.stateful.parts import Objects, Parts, is_placeholder
from tests.stateful.values import SECRET, outside_text, secrets, texts, variables, words

SAMPLE = SAMPLES["DbtEnvironment"]

VARIABLE = "variables."
"""The prefix of the paths of variables, plain ones and secret ones."""

OUTSIDE_VARIABLES = ("A", "D", "X", "Y", "Z", "TEAM_1", "TEAM_2")
"""Names of the variables that are set outside Pulumi."""

unmanaged = st.lists(st.sampled_from(["A", "D", "Y", "Z", "TEAM_*", "[XY]", "*"]), unique=True, max_size=2)


def arguments(*names: str, **changes: object) -> st.SearchStrategy[dict[str, Any]]:
    drawn = st.fixed_dictionaries(
        {
            **{key: st.just(value) for key, value in SAMPLE.minimal.items()},
            "name": st.sampled_from(names),
            "targetSchema": words,
            "variables": variables,
            "secretVariables": st.dictionaries(st.sampled_from(["A", "B", "C", "D"]), secrets, max_size=2),
        },
        optional={
            "unmanagedVariables": unmanaged,
            "targetDatabase": words,
            "targetName": words,
            "targetRole": words,
            "ownerId": st.sampled_from([USER_ID, OTHER_USER_ID]),
            "secretsTrigger": texts,
        },
    )
    return drawn.map(lambda properties: each_name_once({**properties, **changes}))


def each_name_once(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with each name once: as a secret variable, else a plain one, else an unmanaged one."""
    hidden = properties["secretVariables"]
    plain = {name: value for name, value in properties["variables"].items() if name not in hidden}
    listed = [each for each in properties.get("unmanagedVariables", []) if each not in {*plain, *hidden}]
    return {**properties, "variables": plain, "unmanagedVariables": listed}


class DbtEnvironmentKind(Kind):
    """The dbt environments of a connection. They are frequent, because they have most of the rules."""

    sample = SAMPLE
    declarations = (
        Declaration("environment 1", arguments("Staging", "Staging", "Shared"), has_duplicate=True, weight=2),
        Declaration("environment 2", arguments("Dev", "Dev", "Shared"), weight=2),
        Declaration("production", arguments("Production", adopt=True), has_duplicate=True),
    )
    fields = ("name", "target_schema", "target_database", "target_name", "target_role", "owner_id")
    identity = ("name", "owner_id")
    chosen = ("owner_id",)
    secrets = ("secretVariables",)
    response_fields = ("variables", "isSecret", "value", "ownerId", "targetSchema")
    kept = ("variables", "secretVariables", "unmanagedVariables", "secretsTrigger", "targetRole", "name", "ownerId")
    ignored = st.sampled_from(
        [(), (), ("secretVariables",), ("variables", "secretVariables"), ("targetRole",), ("variables", "targetRole")]
    )

    def objects(self, services: Services) -> Objects:
        """Return the environments of the connection. A variable has its value, and whether it is secret."""
        return {
            each["id"]: {
                **self.stored_fields(each),
                **{f"{VARIABLE}{v['name']}": (v["value"], v["is_secret"]) for v in each["variables"]},
            }
            for each in services.omni.environments(CONNECTION_ID)
        }

    def declared(self, properties: Mapping[str, Any]) -> Parts:
        """Return the parts that inputs or outputs set."""
        plain = {f"{VARIABLE}{key}": (value, False) for key, value in properties.get("variables", {}).items()}
        secret = {f"{VARIABLE}{key}": (value, True) for key, value in properties.get("secretVariables", {}).items()}
        kept = {path for path, value in secret.items() if path in plain and is_placeholder(value)}  # the program wins
        return {
            **self.declared_fields(properties),
            **plain,
            **{path: value for path, value in secret.items() if path not in kept},
        }

    def outside_changes(self, services: Services, number: int) -> Changes:
        """Return how people add and change environments."""
        omni, text = services.omni, outside_text(number)
        environments = omni.environments(CONNECTION_ID)
        changes: Changes = {}
        if not any(each["name"] == "Dev" for each in environments):
            changes["add Dev"] = partial(omni.add_environment, CONNECTION_ID, name="Dev", target_schema=text)
        for environment in environments:
            id_ = environment["id"]
            for field in ("target_schema", "target_database", "target_name", "target_role"):
                changes[f"{id_}: {field}"] = partial(omni.edit_environment, id_, **{field: text})
            changes[f"{id_}: rename"] = partial(omni.edit_environment, id_, name="Renamed")
            for owner in (None, USER_ID, OTHER_USER_ID):
                changes[f"{id_}: owner {owner}"] = partial(omni.edit_environment, id_, owner_id=owner)
            for name in OUTSIDE_VARIABLES:
                changes[f"{id_}: set {name}"] = partial(omni.set_variable, id_, name, text, is_secret=False)
                changes[f"{id_}: set secret {name}"] = partial(
                    omni.set_variable, id_, name, f"{SECRET}{text}", is_secret=True
                )
            for variable in environment["variables"]:
                changes[f"{id_}: remove {variable['name']}"] = partial(omni.remove_variable, id_, variable["name"])
            if not environment["is_default_environment"]:
                changes[f"{id_}: delete"] = partial(omni.delete_environment, id_)
        return changes

    def delete(self, services: Services, object_id: str) -> None:
        """Delete an environment."""
        services.omni.delete_environment(object_id)

    def valid(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments with each name of a variable once."""
        return each_name_once(properties)

    def add_undeclared(self, properties: dict[str, Any], path: str, existing: Parts) -> None:
        """Add a field, or list a variable in `unmanagedVariables`."""
        if self.is_variable(path):
            properties.setdefault("unmanagedVariables", []).append(path.removeprefix(VARIABLE))
        else:
            super().add_undeclared(properties, path, existing)

    def known(self, outputs: Mapping[str, Any]) -> frozenset[str]:
        """Return the paths of the parts that outputs have, with those of retained variables."""
        retained = (f"{VARIABLE}{name}" for name in outputs.get("retainedVariables", []))
        return frozenset({*self.declared(outputs), *retained})

    def is_variable(self, path: str) -> bool:
        """Return whether a part is a variable."""
        return path.startswith(VARIABLE)

    def is_unmanaged(self, path: str, properties: Mapping[str, Any]) -> bool:
        """Return whether a part is a variable that `unmanagedVariables` lists."""
        name, patterns = path.removeprefix(VARIABLE), properties.get("unmanagedVariables", [])
        return self.is_variable(path) and any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
