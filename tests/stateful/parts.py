"""The objects of both services as parts such as `variables.A`, and what a write may change in them.

A part is the smallest unit that a program, or a change outside Pulumi, can set. One rule for writes applies to each
kind of object: see :func:`unexpected_changes`.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from omni_pulumi.simulator import CONNECTION_ID, PROJECT_ID, STAGING_CONNECTION_ID, LightdashSimulator, OmniSimulator

Parts = dict[str, object]
"""Values by path. The value of a variable or a token is a pair: the value, and whether it is secret."""

PLACEHOLDERS = {"(set in Omni)", "(was secret)"}
"""Values that a refresh puts into the state in place of a secret."""

TOKEN = "personal_access_token"
"""The path of a source's token. Lightdash never returns it, and keeps it when an update leaves it out."""

IDENTITY = {
    "dbt": ("connection",),
    "environment": ("name",),
    "route": ("base_connection_id", "connection_id"),
    "attribute": ("connection",),
    "source": ("name",),
}
"""The parts by which a create finds an object, by the kind of object."""

_DBT = {
    "sshUrl": "ssh_url",
    "branch": "branch",
    "autogenRelationships": "autogen_relationships",
    "enableVirtualSchemas": "enable_virtual_schemas",
    "enableSemanticLayer": "enable_semantic_layer",
    "dbtVersion": "dbt_version",
    "projectRootPath": "project_root_path",
}
_ENVIRONMENT = {
    "name": "name",
    "targetSchema": "target_schema",
    "targetDatabase": "target_database",
    "targetName": "target_name",
    "targetRole": "target_role",
}
_ROUTE = {"baseConnectionId": "base_connection_id", "environmentConnectionId": "connection_id"}
_ATTRIBUTE = {"attributeName": "attribute_name"}
_CONNECTION = {
    "type": "type",
    "repository": "repository",
    "branch": "branch",
    "projectSubPath": "project_sub_path",
    "target": "target",
    "selector": "selector",
    "hostDomain": "host_domain",
}
SERVICE_NAMES = {**_DBT, **_ENVIRONMENT, **_ROUTE, **_ATTRIBUTE, **_CONNECTION}
"""The names of properties in the services' APIs."""

KINDS = {
    "dbt": "dbt",
    "environment": "environment",
    "production": "environment",
    "route": "route",
    "attribute": "attribute",
    "source": "source",
}
"""The kind of object, by the first word of a resource's name. A route is a connection environment."""


def kind_of(name: str) -> str:
    """Return the kind of a resource's object, by the first word of the resource's name."""
    return KINDS[name.split()[0]]


def objects(omni: OmniSimulator, lightdash: LightdashSimulator) -> dict[str, Parts]:
    """Return all objects of both services by ID. The ID of a dbt configuration is its connection's."""
    found: dict[str, Parts] = {}
    if (configuration := omni.dbt_configuration(CONNECTION_ID)) is not None:
        fields = {key: value for key, value in configuration.items() if value not in {None, ""}}
        found[CONNECTION_ID] = {"kind": "dbt", "connection": CONNECTION_ID, **fields}
    for environment in omni.environments(CONNECTION_ID):
        variables = {f"variables.{v['name']}": (v["value"], v["is_secret"]) for v in environment["variables"]}
        found[environment["id"]] = {"kind": "environment", **_stored(_ENVIRONMENT, environment), **variables}
    for route in omni.connection_environments():
        values = {f"values.{value}": True for value in route["user_attribute_values"]}
        found[route["id"]] = {"kind": "route", **_stored(_ROUTE, route), **values}
    if (attribute := omni.environment_user_attribute(STAGING_CONNECTION_ID)) is not None:
        values = {f"values.{value}": True for value in attribute["default_values"] or []}
        fields = {"connection": STAGING_CONNECTION_ID, **_stored(_ATTRIBUTE, attribute), **values}
        found[STAGING_CONNECTION_ID] = {"kind": "attribute", **fields}
    for source in lightdash.sources(PROJECT_ID):
        connection = source["connection"] or {}
        values = {f"environment.{item['key']}": item["value"] for item in connection.get("environment", [])}
        token = {TOKEN: (connection[TOKEN], True)} if TOKEN in connection else {}
        fields = {**_stored(_CONNECTION, connection), **token}
        found[source["id"]] = {"kind": "source", "name": source["name"], **fields, **values}
    return found


def declared(kind: str, properties: Mapping[str, Any]) -> Parts:
    """Return the parts that inputs or outputs set."""
    if kind == "dbt":
        defaults = {"enableSemanticLayer": False, "dbtVersion": "Auto"}
        return {"connection": properties["connectionId"], **_fields(_DBT, {**defaults, **properties})}
    if kind == "route":
        values = properties.get("userAttributeValues", [])
        return {**_fields(_ROUTE, properties), **{f"values.{value}": True for value in values}}
    if kind == "attribute":
        values = properties.get("defaultValues", [])
        own = {"connection": properties["connectionId"], **_fields(_ATTRIBUTE, properties)}
        return {**own, **{f"values.{value}": True for value in values}}
    if kind == "source":
        connection = properties.get("dbtConnection") or {}
        values = {f"environment.{key}": value for key, value in connection.get("environment", {}).items()}
        token = {TOKEN: (connection["personalAccessToken"], True)} if "personalAccessToken" in connection else {}
        return {"name": properties["name"], **_fields(_CONNECTION, connection), **token, **values}
    plain = {f"variables.{key}": (value, False) for key, value in properties.get("variables", {}).items()}
    secret = {f"variables.{key}": (value, True) for key, value in properties.get("secretVariables", {}).items()}
    return {**_fields(_ENVIRONMENT, properties), **plain, **secret}


def _stored(names: Mapping[str, str], fields: Mapping[str, Any]) -> Parts:
    """Return the parts that a service has, without empty ones."""
    return {name: fields[name] for name in names.values() if fields.get(name)}


def _fields(names: Mapping[str, str], properties: Mapping[str, Any]) -> Parts:
    """Return the parts that properties set, without empty ones."""
    return {name: properties[key] for key, name in names.items() if properties.get(key) not in {None, ""}}


def identity(kind: str, parts: Mapping[str, object]) -> tuple[object, ...]:
    """Return the values by which a create finds the object."""
    return kind, *(parts[part] for part in IDENTITY[kind])


def is_placeholder(value: object) -> bool:
    """Return whether the value of a part is a placeholder."""
    return isinstance(value, tuple) and value[0] in PLACEHOLDERS


def is_unmanaged(path: str, patterns: Iterable[str]) -> bool:
    """Return whether a path is a variable that `unmanagedVariables` lists."""
    kind, _, name = path.partition(".")
    return kind == "variables" and any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def unexpected_changes(
    before: Parts,
    after: Parts,
    *,
    program: Parts,
    known: Collection[str],
    unmanaged: Iterable[str] = (),
    recent: Mapping[str, Collection[object]] | None = None,
) -> dict[str, tuple[object, object]]:
    """Return the parts that a write must not change in this way, with their values before and after it.

    Args:
        before: the object before the write.
        after: the object after the write.
        program: what the program declares. A placeholder keeps the service's value.
        known: the paths in the state. A write may remove those that the program no longer declares.
        unmanaged: the program's `unmanagedVariables`.
        recent: earlier values of parts on which the write may rely, ``None`` for a part that did not exist.
    """
    found = {}
    for path in {*before, *after}:
        value, now = before.get(path), after.get(path)
        allowed: list[object] = [value, *((recent or {}).get(path, ()))]
        if path in program:
            allowed += [] if is_placeholder(program[path]) else [program[path]]
        elif path in known and path != TOKEN and not is_unmanaged(path, unmanaged):
            allowed.append(None)
        if now not in allowed:
            found[path] = (value, now)
    return found
