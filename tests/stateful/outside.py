"""Changes outside Pulumi, and when they happen."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from omni_pulumi.simulator import (
    CONNECTION_ID,
    DEVELOPMENT_CONNECTION_ID,
    PROJECT_ID,
    STAGING_CONNECTION_ID,
    LightdashSimulator,
    OmniSimulator,
)
from tests.stateful.parts import TOKEN, Parts, objects
from tests.stateful.programs import SECRET

_VARIABLES = ("A", "D", "X", "Y", "Z", "TEAM_1", "TEAM_2")
"""Names of the variables that are set outside Pulumi."""


class Clock:
    """The clock that determines the age of the providers' lists. It stands still until a test advances it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Change:
    """A part that changed outside Pulumi.

    Attributes:
        object_id: ID of the object.
        path: path of the part.
        before: its value before the change, ``None`` if it did not exist.
        at: the time of the change.
        command: number of the `pulumi` command that started last.
    """

    object_id: str
    path: str
    before: object
    at: float
    command: int


class Outside:
    """A user of the Omni UI and the Lightdash UI.

    Attributes:
        owned: IDs of the objects that the user created and no resource has adopted.
        changes: all changes so far.
        command: number of the `pulumi` command that started last.
    """

    def __init__(self, omni: OmniSimulator, lightdash: LightdashSimulator, clock: Clock) -> None:
        self._omni, self._lightdash, self._clock = omni, lightdash, clock
        self.owned: set[str] = set()
        self.changes: list[Change] = []
        self.command = 0

    def possible(self) -> dict[str, Callable[[], object]]:
        """Return the possible changes by description. It begins with the ID of the object if there is one."""
        omni = self._omni
        possible: dict[str, Callable[[], object]] = {"nothing": lambda: None}
        if omni.dbt_configuration(CONNECTION_ID) is None:
            possible["configure dbt"] = self._configure_dbt
        else:
            possible[f"{CONNECTION_ID}: branch"] = lambda: omni.configure_dbt(CONNECTION_ID, branch=self._text())
            possible[f"{CONNECTION_ID}: path"] = lambda: omni.configure_dbt(CONNECTION_ID, project_root_path="outside")
            possible[f"{CONNECTION_ID}: unlink"] = self._unlink_dbt
        environments = omni.environments(CONNECTION_ID)
        for environment in environments:
            possible |= self._of_environment(environment)
        if not any(each["name"] == "Dev" for each in environments):
            possible["add Dev"] = self._add_environment
        if omni.dialect.connection_environment_list:
            routes = omni.connection_environments()
            for route in routes:
                possible |= self._of_route(route)
            for connection_id in {STAGING_CONNECTION_ID, DEVELOPMENT_CONNECTION_ID}:
                if not any(route["connection_id"] == connection_id for route in routes):
                    possible[f"add {connection_id}"] = functools.partial(self._add_route, connection_id)
        possible |= self._of_attribute(omni.environment_user_attribute(STAGING_CONNECTION_ID))
        for source in self._lightdash.sources(PROJECT_ID):
            possible |= self._of_source(source)
        return possible

    def change(self, number: int, object_id: str | None) -> tuple[str, list[Change]]:
        """Make one of the possible changes. Return its description and the parts that changed.

        Args:
            number: selects the change.
            object_id: the object to change. If it is ``None`` or does not exist, ``number`` selects the object too.
        """
        possible = self.possible()
        targets = sorted({_target(name) for name in possible})
        target = object_id if object_id in targets else targets[number % len(targets)]
        descriptions = sorted(name for name in possible if _target(name) == target)
        name = descriptions[number // len(targets) % len(descriptions)]
        before = objects(self._omni, self._lightdash)
        possible[name]()
        after = objects(self._omni, self._lightdash)
        self.owned &= after.keys()
        changes = [
            change
            for object_id in {*before, *after}
            for change in self._changes(object_id, before.get(object_id, {}), after.get(object_id, {}))
        ]
        self.changes += changes
        return name, changes

    def _changes(self, object_id: str, before: Parts, after: Parts) -> list[Change]:
        return [
            Change(object_id, path, before.get(path), self._clock(), self.command)
            for path in {*before, *after}
            if before.get(path) != after.get(path)
        ]

    def _text(self) -> str:
        """Return a different text each time, so that earlier values differ from the current one."""
        return f'outside "{len(self.changes)}" ü'

    def _configure_dbt(self) -> None:
        self._omni.configure_dbt(CONNECTION_ID)
        self.owned.add(CONNECTION_ID)

    def _unlink_dbt(self) -> None:
        self._omni.unlink_dbt(CONNECTION_ID)

    def _add_environment(self) -> None:
        self.owned.add(self._omni.add_environment(CONNECTION_ID, name="Dev", target_schema=self._text()))

    def _add_route(self, connection_id: str) -> None:
        self.owned.add(self._omni.add_connection_environment(CONNECTION_ID, connection_id, [f"v{len(self.changes)}"]))

    def _of_environment(self, environment: Mapping[str, Any]) -> dict[str, Callable[[], object]]:
        omni, id_ = self._omni, environment["id"]
        possible: dict[str, Callable[[], object]] = {
            f"{id_}: {field}": functools.partial(self._edit_environment, id_, field)
            for field in ("target_schema", "target_database", "target_name", "target_role")
        }
        possible[f"{id_}: rename"] = lambda: omni.edit_environment(id_, name="Renamed")
        for variable in _VARIABLES:
            possible[f"{id_}: set {variable}"] = functools.partial(self._set_variable, id_, variable, is_secret=False)
            possible[f"{id_}: set secret {variable}"] = functools.partial(
                self._set_variable, id_, variable, is_secret=True
            )
        for each in environment["variables"]:
            possible[f"{id_}: remove {each['name']}"] = functools.partial(omni.remove_variable, id_, each["name"])
        if not environment["is_default_environment"]:
            possible[f"{id_}: delete"] = lambda: omni.delete_environment(id_)
        return possible

    def _edit_environment(self, environment_id: str, field: str) -> None:
        self._omni.edit_environment(environment_id, **{field: self._text()})

    def _set_variable(self, environment_id: str, name: str, *, is_secret: bool) -> None:
        value = f"{SECRET}{self._text()}" if is_secret else self._text()
        self._omni.set_variable(environment_id, name, value, is_secret=is_secret)

    def _of_route(self, route: Mapping[str, Any]) -> dict[str, Callable[[], object]]:
        omni, id_ = self._omni, route["id"]
        values = route["user_attribute_values"]
        return {
            f"{id_}: add a value": lambda: omni.edit_connection_environment(id_, [*values, f"v{len(self.changes)}"]),
            f"{id_}: other values": lambda: omni.edit_connection_environment(id_, [f"v{len(self.changes)}"]),
            f"{id_}: delete": lambda: omni.delete_connection_environment(id_),
        }

    def _of_attribute(self, attribute: Mapping[str, Any] | None) -> dict[str, Callable[[], object]]:
        id_ = STAGING_CONNECTION_ID
        if attribute is None:
            return {"set the attribute": lambda: self._set_attribute([])}
        values = [*(attribute["default_values"] or [])]
        return {
            f"{id_}: add a default value": lambda: self._set_attribute([*values, f"v{len(self.changes)}"]),
            f"{id_}: remove": lambda: self._omni.clear_environment_user_attribute(id_),
        }

    def _set_attribute(self, values: list[str]) -> None:
        existing = self._omni.environment_user_attribute(STAGING_CONNECTION_ID)
        self._omni.set_environment_user_attribute(STAGING_CONNECTION_ID, "region", values)
        if existing is None:
            self.owned.add(STAGING_CONNECTION_ID)

    def _of_source(self, source: Mapping[str, Any]) -> dict[str, Callable[[], object]]:
        lightdash, id_ = self._lightdash, source["id"]
        possible: dict[str, Callable[[], object]] = {
            f"{id_}: delete": lambda: lightdash.delete_source(id_),
            f"{id_}: break": lambda: lightdash.break_credentials(id_),
        }
        if source["connection"] is None:
            return possible
        for field in ("branch", "selector", "target"):
            possible[f"{id_}: {field}"] = functools.partial(self._edit_source, id_, field)
        token = {TOKEN: f"{SECRET}{self._text()}"}
        possible[f"{id_}: token"] = lambda: lightdash.edit_source(id_, connection=token)
        variables = [*source["connection"].get("environment", []), {"key": "OUTSIDE", "value": self._text()}]
        unique = [*{item["key"]: item for item in variables}.values()]
        possible[f"{id_}: set OUTSIDE"] = lambda: lightdash.edit_source(id_, connection={"environment": unique})
        return possible

    def _edit_source(self, source_id: str, field: str) -> None:
        self._lightdash.edit_source(source_id, connection={field: self._text()})


def _target(name: str) -> str:
    """Return what a change is about: the ID of an object, or the whole description without one."""
    return name.partition(": ")[0]
