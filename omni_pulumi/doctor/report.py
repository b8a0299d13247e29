"""Describes responses without their values: which dialect of Omni's API an instance has, for a report of an issue.

The report has names of fields, types and statuses. It has no names, IDs, URLs or values of an instance.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from functools import reduce
from importlib.metadata import version
from typing import Any

from omni_pulumi.api.exchange import Exchange
from omni_pulumi.api.response import NOT_JSON
from omni_pulumi.doctor.checks import Check

_SEGMENTS = {
    *("api", "v1", "v2", "scim", "Users", "connections", "dbt", "environments", "connection-environments"),
    *("org", "projects", "dbt-sources", "user"),
}
"""The parts of a path that are no IDs."""

_CONTAINERS = {
    *("connection", "connections", "connectionEnvironments", "data", "pageInfo", "records", "variables"),
    *("Resources", "results", "error"),
}
"""Fields whose content is described. The content of any other field may have keys that a user chose."""

_FIELD = re.compile(r"[A-Za-z]\w{0,79}")
_LIST = "/api/v1/connections"
_ATTRIBUTES = ("userAttributeNameForConnectionEnvironments", "userAttributeNameForConnectionsEnvironments")
_DEFAULT_VALUES = "userAttributeValuesForDefaultEnvironment"


def to_json(exchanges: Mapping[str, Sequence[Exchange]], checks: Sequence[Check]) -> dict[str, Any]:
    """Return a report.

    Args:
        exchanges: requests with their responses, by service.
        checks: results of the checks. The report has their status and no text.
    """
    report: dict[str, Any] = {"omni-pulumi": version("omni-pulumi"), "python": platform.python_version()}
    for service, sent in exchanges.items():
        results = [{"check": each.name, "status": each.status} for each in checks if each.service == service]
        report[service] = {"checks": results, "responses": _responses(sent)}
        if service == "omni":
            report[service]["dialect"] = _dialect(sent)
    return report


def _responses(exchanges: Sequence[Exchange]) -> list[dict[str, Any]]:
    """Return what each endpoint answered, with one entry for each status."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for each in exchanges:
        key = (_template(each.request.path), each.status)
        entry = {
            "request": f"{each.request.method} {key[0]}",
            "status": each.status,
            "headers": sorted(each.rate_limit_headers),
            "content": "not JSON" if each.content is NOT_JSON else _shape(each.content),
        }
        if key in found:
            entry["content"] = _merge(found[key]["content"], entry["content"])
        found[key] = entry
    return list(found.values())


def _dialect(exchanges: Sequence[Exchange]) -> dict[str, str]:
    """Return which dialect the instance has, for each contradiction in Omni's documentation that a read shows."""
    answers = {(_template(each.request.path), each.status < 400): each for each in exchanges}

    def answer(path: str) -> str:
        exchange = answers.get((path, True)) or answers.get((path, False))
        return "not asked" if exchange is None else str(exchange.status)

    connections = answers.get((_LIST, True))
    environments = answers.get((f"{_LIST}/{{id}}/dbt/environments", True))
    return {
        "user attribute of a connection": _attribute(connections),
        "default values of the user attribute": _default_values(connections),
        "list of dbt environments": "not asked" if environments is None else _form(environments.content),
        "list of connection environments": answer("/api/v1/connection-environments"),
        "a single connection": answer(f"{_LIST}/{{id}}"),
        "list of users": answer("/api/scim/v2/Users"),
        "errors": "; ".join(sorted({_fields(each.content) for each in exchanges if each.status >= 400})) or "none",
    }


def _attribute(exchange: Exchange | None) -> str:
    names = [name for name in _ATTRIBUTES if any(name in each for each in _connections(exchange))]
    return ", ".join(names) or "none"


def _default_values(exchange: Exchange | None) -> str:
    types = {
        _word(_shape(each[_DEFAULT_VALUES])) if _DEFAULT_VALUES in each else "missing"
        for each in _connections(exchange)
    }
    return ", ".join(sorted(types)) or "none"


def _connections(exchange: Exchange | None) -> list[Mapping[str, Any]]:
    content = exchange.content if exchange is not None else None
    listed = content.get("connections") if isinstance(content, Mapping) else None
    return [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []


def _form(content: object) -> str:
    return "a list" if isinstance(content, list) else _fields(content)


def _fields(content: object) -> str:
    """Return the names of the fields of an object."""
    if not isinstance(content, Mapping):
        return "not JSON" if content is NOT_JSON else type(content).__name__
    return ", ".join(sorted(map(_name, content)))


def _shape(value: object) -> Any:
    """Return the type of a value, and the fields of an object."""
    if isinstance(value, Mapping):
        return {_name(key): _described(key, item) for key, item in value.items()}
    if isinstance(value, list):
        shapes = [_shape(item) for item in value]
        merged = shapes[:1]
        for shape in shapes[1:]:
            merged = [_merge(merged[0], shape)]
        return merged
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "null" if value is None else "string"


def _described(key: str, value: object) -> Any:
    shape = _shape(value)
    if key in _CONTAINERS or isinstance(shape, str):
        return shape
    return "object" if isinstance(shape, dict) else [_word(item) for item in shape]


def _merge(first: Any, second: Any) -> Any:
    """Return the shape of values of two shapes."""
    if isinstance(first, dict) and isinstance(second, dict):
        return _merge_fields(first, second)
    if isinstance(first, list) and isinstance(second, list):
        return [_merge(first[0], second[0])] if first and second else first or second
    if first == second:
        return first
    return " or ".join(sorted({*_word(first).split(" or "), *_word(second).split(" or ")}))


def _merge_fields(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of two objects. The name of a field that not every object has ends with a question mark."""
    merged: dict[str, Any] = {}
    for name in dict.fromkeys(key.removesuffix("?") for key in (*first, *second)):
        shapes = [fields[key] for fields in (first, second) for key in (name, f"{name}?") if key in fields]
        is_in_both = name in first and name in second
        merged[name if is_in_both else f"{name}?"] = reduce(_merge, shapes)
    return merged


def _word(shape: Any) -> str:
    return "object" if isinstance(shape, dict) else "list" if isinstance(shape, list) else str(shape)


def _name(key: object) -> str:
    return str(key) if isinstance(key, str) and _FIELD.fullmatch(key) else "(another name)"


def _template(path: str) -> str:
    """Return a path with a placeholder for each ID."""
    return "/".join(part if part in _SEGMENTS or not part else "{id}" for part in path.split("/"))
