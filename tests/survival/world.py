"""The model that the survival test holds the providers against: a program, its stack, the services."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from omni_pulumi.api.errors import AlreadyExistsError, Error, PartlyCreatedError
from omni_pulumi.dynamic import Provider
from omni_pulumi.simulator import CONNECTION_ID, PROJECT_ID, LightdashSimulator, OmniSimulator
from tests.servicer import ProviderError, Stack
from tests.survival.programs import SECRET, sample_of

_SNAKE = {
    "projectRootPath": "project_root_path",
    "targetDatabase": "target_database",
    "targetName": "target_name",
    "targetRole": "target_role",
}
"""Optional properties under the names of the services."""


class World:
    """One stack with its program, and the services as they are."""

    def __init__(self, omni: OmniSimulator, lightdash: LightdashSimulator, log: Log) -> None:
        omni.reset()
        lightdash.reset()
        self.omni, self.lightdash = omni, lightdash
        self.program: dict[str, dict[str, Any]] = {}
        self.refused: dict[str, AlreadyExistsError] = {}
        """Which resources of the last run met an object that exists."""
        self.shown: list[ProviderError] = []
        """The errors of the last run."""
        self.promised: set[str] = set()
        """Resources of which a disturbed run told that their object may be there without being in the state."""
        self.told: set[str] = set()
        """The same of this run."""
        self.sent = 0
        """Requests until the end of the last run."""
        self.of_others: set[str] = set()
        """IDs of what somebody made in a web page and the stack has not taken over."""
        self.log = log
        self.stack = Stack(
            {
                "omni:baseUrl": omni.url,
                "omni:apiKey": omni.api_key,
                "omni:requestsPerMinute": "100000000",
                "lightdash:url": lightdash.url,
                "lightdash:apiKey": lightdash.api_key,
                "lightdash:requestsPerMinute": "100000000",
            }
        )

    # The program.

    def declare(self, name: str, properties: dict[str, Any]) -> None:
        """Put a resource into the program. What an error asked for stays in, as people leave it."""
        before = self.program.get(name, {})
        self.program[name] = {**properties, **{key: before[key] for key in ("adopt",) if key in before}}
        declared = {*properties.get("variables", {}), *properties.get("secretVariables", {})}
        if unmanaged := [each for each in before.get("unmanagedVariables", []) if each not in declared]:
            self.program[name]["unmanagedVariables"] = unmanaged

    def drop(self, name: str) -> None:
        """Take a resource out of the program."""
        self.program.pop(name, None)

    def rename(self, name: str) -> bool:
        """Call a resource otherwise, and tell whether that was possible.

        To the engine the old name is a resource that was dropped and the new one a resource that takes the object over.
        """
        former = f"{name} formerly"
        if name not in self.program or name not in self.stack.resources or former in self.stack.resources:
            return False
        if name.startswith("route") and not self.omni.dialect.connection_environment_list:
            return False
        self.stack.resources[former] = self.stack.resources.pop(name)
        self.program[name]["adopt"] = True
        return True

    # A run of pulumi.

    def run(self, *, refresh: bool) -> None:
        """``up``, going on after errors, which are kept in ``shown``. As in the engine, deletes come last."""
        self.shown = []
        self.refused.clear()
        names = [*self.program, *(name for name in self.stack.resources if name not in self.program)]
        with self.stack.command():
            if refresh:
                for name in list(self.stack.resources):
                    self._try(name, lambda name=name: self.stack.refresh(name))  # type: ignore[misc]
            for name in sorted(names, key=lambda name: (name not in self.program, name)):
                if name in self.program:
                    self._try(name, lambda name=name: self.stack.up(name, _provider(name), self.program[name]))  # type: ignore[misc]
                elif name in self.stack.resources:
                    self._try(name, lambda name=name: self.stack.destroy(name))  # type: ignore[misc]
        self.of_others -= {
            "dbt" if name.startswith("dbt") else self._id_in_state(name) for name in self.stack.resources
        }
        self._no_secret_was_shown()

    def _try(self, name: str, step: Callable[[], object]) -> None:
        try:
            step()
        except ProviderError as error:
            self.shown.append(error)
            if isinstance(error.error, AlreadyExistsError):
                self.refused[name] = error.error
            if self._may_be_missing(name, error.error):
                self.told.add(name)

    def _may_be_missing(self, name: str, error: Error) -> bool:
        """Whether the service may have an object of the resource that the state lacks.

        An update keeps the object in the state, unless it creates what was deleted meanwhile.
        """
        in_state = name in self.stack.resources and not isinstance(error, PartlyCreatedError)
        return error.outcome_unknown and not in_state

    def converge(self) -> None:
        """Quiet ``up --refresh`` until all is as declared, doing what the errors say, and check everything."""
        self.promised = {*self.told}
        for _ in range(5):
            self.run(refresh=True)
            if not self.shown:
                break
            self._do_what_was_said()
        assert self.shown == [], self.shown
        self._services_have_what_is_declared()
        self._nothing_is_left_over()
        self._nothing_is_changed()
        with self.stack.command():
            for name in self.program:
                self.stack.refresh(name)
        self._nothing_is_changed()
        self.told.clear()

    def _nothing_is_changed(self) -> None:
        with self.stack.command():
            for name, properties in self.program.items():
                assert self.stack.preview(name, _provider(name), properties) == "same", name

    def _do_what_was_said(self) -> None:
        """Only a refusal to overwrite may be left, of what others made or of what an error told of."""
        for shown in self.shown:
            waits = shown.error.operation.startswith("delete ")  # for the adoption that failed
            assert isinstance(shown.error, AlreadyExistsError) or waits, (shown, self.refused)
        for name, properties in self.program.items():
            if name not in self.stack.resources:
                existing = self._existing(name)
                assert existing is not None, name
                expected = existing in self.of_others or name in self.promised or self.refused[name].undeclared
                assert expected, (name, self.shown)
                if name.startswith("route") and not self.omni.dialect.connection_environment_list:
                    self.omni.delete_connection_environment(existing)
                    self.of_others.discard(existing)
                if properties.get("adopt"):
                    self._declare(name, self.refused[name].undeclared)
                properties["adopt"] = True

    def _declare(self, name: str, undeclared: Sequence[str]) -> None:
        """Put into the program what an adoption would have removed."""
        assert undeclared, name
        properties, existing = self.program[name], self._existing(name)
        for path in undeclared:
            kind, _, variable = path.removesuffix(" (secret)").partition(".")
            if variable:
                properties.setdefault("unmanagedVariables", []).append(variable)
            elif name == "dbt":
                stored = self.omni.dbt_configuration(CONNECTION_ID) or {}
                properties[kind] = stored[_SNAKE[kind]]
            elif name.startswith("route"):
                (route,) = (each for each in self.omni.connection_environments() if each["id"] == existing)
                properties["userAttributeValues"] = sorted(
                    {*properties["userAttributeValues"], *route["user_attribute_values"]}
                )
            else:
                (environment,) = (e for e in self.omni.environments(CONNECTION_ID) if e["id"] == existing)
                properties[kind] = environment[_SNAKE[kind]]

    # What has to be true.

    def _services_have_what_is_declared(self) -> None:
        for name, properties in self.program.items():
            assert name in self.stack.resources, f"{name} is missing from the state"
            stored = self._stored(name)
            wanted = _wanted(name, properties)
            assert {key: stored.get(key) for key in wanted} == wanted, name

    def _nothing_is_left_over(self) -> None:
        """Nothing exists twice, and everything belongs to the stack, to others, or to Omni itself."""
        managed = {self._id_in_state(name) for name in self.stack.resources}
        environments = self.omni.environments(CONNECTION_ID)
        left = [
            e["name"]
            for e in environments
            if e["id"] not in managed | self.of_others and not e["is_default_environment"]
        ]
        left += [r["id"] for r in self.omni.connection_environments() if r["id"] not in managed | self.of_others]
        left += [s["name"] for s in self.lightdash.sources(PROJECT_ID) if s["id"] not in managed | self.of_others]
        if "dbt" not in self.stack.resources and "dbt" not in self.of_others:
            left += [] if self.omni.dbt_configuration(CONNECTION_ID) is None else ["dbt"]
        assert left == [], left

    def _no_secret_was_shown(self) -> None:
        keys = (self.omni.api_key, self.lightdash.api_key, SECRET)
        lines = self.log.take()
        sent = len(self.omni.requests) + len(self.lightdash.requests)
        assert sent == self.sent or any(" attempt 1" in line for line in lines), "the debug log is not looked at"
        self.sent = sent
        printed = [*map(str, self.shown), *(str(vars(shown.error)) for shown in self.shown), *lines]
        assert [text for text in printed if any(key in text for key in keys)] == []
        for resource in self.stack.resources.values():
            for bag in (resource.inputs, resource.outputs):
                rest = json.loads(json.dumps(bag))
                rest.get("secretVariables", {}).clear()
                rest.get("dbtConnection", {}).pop("personalAccessToken", None)
                assert not any(key in json.dumps(rest) for key in keys), rest

    # The services, under the names of the program.

    def _id_in_state(self, name: str) -> str:
        id_: str = self.stack.resources[name].outputs[sample_of(name).id_key]
        return id_

    def _stored(self, name: str) -> dict[str, Any]:
        if name == "dbt":
            return self.omni.dbt_configuration(CONNECTION_ID) or {}
        wanted = self._id_in_state(name)
        if name.startswith("route"):
            return next(r for r in self.omni.connection_environments() if r["id"] == wanted)
        if name.startswith("source"):
            source = next(s for s in self.lightdash.sources(PROJECT_ID) if s["id"] == wanted)
            connection = {**source["connection"]}
            connection["environment"] = {item["key"]: item["value"] for item in connection.get("environment", [])}
            return {"name": source["name"], **connection}
        environment = next(e for e in self.omni.environments(CONNECTION_ID) if e["id"] == wanted)
        kept = {
            *self.stack.resources[name].outputs["retainedVariables"],
            *self.program[name].get("unmanagedVariables", []),
        }
        environment["variables"] = {
            v["name"]: (v["value"], v["is_secret"]) for v in environment["variables"] if v["name"] not in kept
        }
        return environment

    def _existing(self, name: str) -> str | None:
        """ID of the object that is in the way of a resource."""
        properties = self.program[name]
        if name == "dbt":
            return "dbt" if self.omni.dbt_configuration(CONNECTION_ID) else None
        if name.startswith("route"):
            wanted = properties["environmentConnectionId"]
            return next((r["id"] for r in self.omni.connection_environments() if r["connection_id"] == wanted), None)
        if name.startswith("source"):
            return next((s["id"] for s in self.lightdash.sources(PROJECT_ID) if s["name"] == properties["name"]), None)
        named = (e["id"] for e in self.omni.environments(CONNECTION_ID) if e["name"] == properties["name"])
        return next(named, None)

    # What somebody may do in the web pages.

    def web_page(self) -> dict[str, Callable[[], object]]:
        """Changes that are possible now, by what they do."""
        omni = self.omni
        possible: dict[str, Callable[[], object]] = {"look": lambda: None}
        if omni.dbt_configuration(CONNECTION_ID) is not None:
            possible["change the branch"] = lambda: omni.configure_dbt(CONNECTION_ID, branch="of others")
            possible["unlink dbt"] = self._unlink_dbt
        elif "dbt" not in self.stack.resources:
            possible["configure dbt"] = self._configure_dbt
        for environment in omni.environments(CONNECTION_ID):
            possible |= self._of_environment(environment)
        if not any(e["name"] == "Dev" for e in omni.environments(CONNECTION_ID)):
            possible["add Dev"] = self._add_dev
        if omni.dialect.connection_environment_list:
            for route in omni.connection_environments():
                possible |= self._of_route(route)
        for source in self.lightdash.sources(PROJECT_ID):
            possible |= self._of_source(source)
        return possible

    def _configure_dbt(self) -> None:
        self.omni.configure_dbt(CONNECTION_ID)
        self.of_others.add("dbt")

    def _unlink_dbt(self) -> None:
        self.omni.unlink_dbt(CONNECTION_ID)
        self.of_others.discard("dbt")

    def _add_dev(self) -> None:
        self.of_others.add(self.omni.add_environment(CONNECTION_ID, name="Dev", target_schema="of others"))

    def _of_environment(self, environment: Mapping[str, Any]) -> dict[str, Callable[[], object]]:
        omni, id_, name = self.omni, environment["id"], environment["name"]
        possible: dict[str, Callable[[], object]] = {
            f"{name}: schema": lambda: omni.edit_environment(id_, target_schema="of others"),
            f"{name}: role": lambda: omni.edit_environment(id_, target_role="of others"),
            f"{name}: variable": lambda: omni.set_variable(id_, "A", "of others"),
            f"{name}: new variable": lambda: omni.set_variable(id_, "Z", "of others"),
            f"{name}: secret": lambda: omni.set_variable(id_, "Y", "of others", is_secret=True),
        }
        for variable in environment["variables"]:
            possible[f"{name}: remove {variable['name']}"] = functools.partial(
                omni.remove_variable, id_, variable["name"]
            )
        if not environment["is_default_environment"]:
            possible[f"{name}: delete"] = lambda: omni.delete_environment(id_)
        return possible

    def _of_route(self, route: Mapping[str, Any]) -> dict[str, Callable[[], object]]:
        name, id_ = route["connection_id"], route["id"]
        return {
            f"{name}: values": lambda: self.omni.edit_connection_environment(id_, [f"of others {name}"]),
            f"{name}: delete": lambda: self.omni.delete_connection_environment(id_),
        }

    def _of_source(self, source: Mapping[str, Any]) -> dict[str, Callable[[], object]]:
        lightdash, name, id_ = self.lightdash, source["name"], source["id"]
        possible: dict[str, Callable[[], object]] = {
            f"{name}: delete": lambda: lightdash.delete_source(id_),
            f"{name}: break": lambda: lightdash.break_credentials(id_),
        }
        if source["connection"] is not None:
            possible[f"{name}: branch"] = lambda: lightdash.edit_source(id_, connection={"branch": "of others"})
            possible[f"{name}: selector"] = lambda: lightdash.edit_source(id_, connection={"selector": "x"})
        return possible


class Log(logging.Handler):
    """Everything that the package logs."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self._texts.append(record.getMessage())

    def take(self) -> list[str]:
        """The lines since the last time, those of single requests among them."""
        texts, self._texts = self._texts, []
        return texts


def _provider(name: str) -> Provider[Any, Any, Any]:
    return sample_of(name).provider()


def _wanted(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """What the service has to have, under its own names."""
    if name == "dbt":
        return {
            "ssh_url": properties["sshUrl"],
            "branch": properties["branch"],
            "autogen_relationships": properties["autogenRelationships"],
            "enable_virtual_schemas": properties["enableVirtualSchemas"],
            "enable_semantic_layer": properties.get("enableSemanticLayer", False),
            "dbt_version": properties.get("dbtVersion", "Auto"),
            "project_root_path": properties.get("projectRootPath") or None,
        }
    if name.startswith("route"):
        return {
            "base_connection_id": properties["baseConnectionId"],
            "connection_id": properties["environmentConnectionId"],
            "user_attribute_values": sorted(properties["userAttributeValues"]),
        }
    if name.startswith("source"):
        connection = properties["dbtConnection"]
        return {
            "name": properties["name"],
            "repository": connection["repository"],
            "branch": connection["branch"],
            "personal_access_token": connection["personalAccessToken"],
            "environment": connection.get("environment", {}),
            "target": connection.get("target"),
            "host_domain": connection.get("hostDomain"),
        }
    return {
        "name": properties["name"],
        "target_schema": properties["targetSchema"],
        "target_database": properties.get("targetDatabase"),
        "target_name": properties.get("targetName"),
        "target_role": properties.get("targetRole"),
        "variables": {
            **{key: (value, False) for key, value in properties["variables"].items()},
            **{key: (value, True) for key, value in properties["secretVariables"].items()},
        },
    }
