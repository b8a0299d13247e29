"""The schema of `dbtConnection`: eight types, distinguished by `type`, and Lightdash's validation errors.

Lightdash converts some values before it validates them: null and the texts "true" and "false" to booleans, and a value
to a list that contains it.

If no type matches, the error lists the issues of each of the eight types and contains the whole submitted connection,
including tokens. Clients must not show that part, so the simulator reproduces it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from omni_pulumi.simulator.json_codec import compact_json
from omni_pulumi.simulator.lightdash.request import Issues

Validate = Callable[[str, object, Issues], object]
"""A function that validates the field at a path, adds its issues, and returns the converted value."""


def _string(path: str, value: object, issues: Issues) -> object:
    """Accept any string."""
    if not isinstance(value, str):
        issues[path] = {"message": "invalid string value", "value": value}
    return value


def _boolean(path: str, value: object, issues: Issues) -> object:
    """Accept a boolean, "true" and "false" in any case, and null, which is false."""
    if value is None:
        return False
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if not isinstance(value, bool):
        issues[path] = {"message": "invalid boolean value", "value": value}
    return value


def _literal(choice: str) -> Validate:
    def validate(path: str, value: object, issues: Issues) -> object:
        if value != choice:
            issues[path] = {"message": f"should be one of the following; ['{choice}']", "value": value}
        return value

    return validate


def _union(members: list[Validate]) -> Validate:
    """Accept what one of the members accepts. The first one converts the value."""

    def validate(path: str, value: object, issues: Issues) -> object:
        all_issues: list[Issues] = []
        for member in members:
            member_issues: Issues = {}
            converted = member(path, value, member_issues)
            if not member_issues:
                return converted
            all_issues.append(member_issues)
        message = f"Could not match the union against any of the items. Issues: {compact_json(all_issues)}"
        issues[path] = {"message": message, "value": value}
        return value

    return validate


def _array(item: Validate) -> Validate:
    """Accept a list, and a single item, which becomes a list."""

    def validate(path: str, value: object, issues: Issues) -> object:
        field = path.rpartition(".")[2]  # Lightdash names items by the last part of the path only
        items = value if isinstance(value, list) else [value]
        return [item(f"{field}.${index}", each, issues) for index, each in enumerate(items)]

    return validate


def _object(fields: dict[str, Validate], optional: dict[str, Validate]) -> Validate:
    """Accept an object with all fields that are not optional. Accept unknown fields."""

    def validate(path: str, value: object, issues: Issues) -> object:
        if not isinstance(value, dict):
            issues[path] = {"message": "invalid object", "value": value}
            return value
        converted = dict(value)
        for name, field in fields.items():
            if name in value:
                converted[name] = field(f"{path}.{name}", value[name], issues)
            elif name not in optional:
                issues[f"{path}.{name}"] = {"message": f"'{name}' is required"}
        return converted

    return validate


_COMPILER: dict[str, Validate] = {
    "target": _string,
    "environment": _array(_object({"value": _string, "key": _string}, {})),
    "selector": _string,
}
_HIDE_REFRESH: dict[str, Validate] = {"hideRefreshButton": _boolean}
_HOST: dict[str, Validate] = {"host_domain": _string}
_TOKEN: dict[str, Validate] = {"personal_access_token": _string}
_INSTALLATION: dict[str, Validate] = {"installation_id": _string}
_DIRECTORIES: dict[str, Validate] = {"profiles_dir": _string, "project_dir": _string}
_REPOSITORY: dict[str, Validate] = {"repository": _string, "branch": _string, "project_sub_path": _string}
_METHOD: dict[str, Validate] = {
    "authorization_method": _union([_literal("personal_access_token"), _literal("installation_id")])
}
_CLOUD: dict[str, Validate] = {
    "discovery_api_endpoint": _string,
    "tags": _array(_string),
    "webhook_hmac_secret": _string,
}


def _of_type(name: str, fields: dict[str, Validate], optional: dict[str, Validate]) -> Validate:
    return _object({"type": _literal(name), **fields}, optional)


_CONNECTION = _union(
    [
        _of_type("dbt", _COMPILER | _DIRECTORIES, _COMPILER | _DIRECTORIES),
        _of_type("dbt_cloud_ide", {"api_key": _string, "environment_id": _string} | _CLOUD, _CLOUD),
        _of_type(
            "github",
            _COMPILER | _METHOD | _TOKEN | _INSTALLATION | _REPOSITORY | _HOST,
            _COMPILER | _TOKEN | _INSTALLATION | _HOST,
        ),
        _of_type("bitbucket", _COMPILER | {"username": _string} | _TOKEN | _REPOSITORY | _HOST, _COMPILER | _HOST),
        _of_type("gitlab", _COMPILER | _TOKEN | _REPOSITORY | _HOST, _COMPILER | _HOST),
        _of_type(
            "azure_devops", _COMPILER | _TOKEN | {"organization": _string, "project": _string} | _REPOSITORY, _COMPILER
        ),
        _of_type("none", _COMPILER | _HIDE_REFRESH, _COMPILER | _HIDE_REFRESH),
        _of_type("manifest", {"manifest": _string} | _HIDE_REFRESH, {}),
    ]
)

_CREATE = _object({"dbtConnection": _CONNECTION, "name": _string}, {})
_UPDATE = _object({"dbtConnection": _CONNECTION, "name": _string}, {"dbtConnection": _string, "name": _string})


def validate_create(body: object) -> tuple[dict[str, Any], Issues]:
    """Return the converted body of a POST, and its issues. The body has both fields if there are no issues."""
    return _validate(_CREATE, body)


def validate_update(body: object) -> tuple[dict[str, Any], Issues]:
    """Return the converted body of a PATCH, and its issues. Each field can be omitted but not null."""
    return _validate(_UPDATE, body)


def _validate(schema: Validate, body: object) -> tuple[dict[str, Any], Issues]:
    issues: Issues = {}
    return cast("dict[str, Any]", schema("body", body, issues)), issues


SENSITIVE_FIELDS = ("personal_access_token", "api_key", "webhook_hmac_secret")
"""The fields that Lightdash treats as secret. The values of `environment` are not secret."""


def without_secrets(connection: dict[str, Any]) -> dict[str, Any]:
    """Return a connection as responses contain it, without the secret fields."""
    return {name: value for name, value in connection.items() if name not in SENSITIVE_FIELDS}


def with_saved_secrets(connection: dict[str, Any], saved: dict[str, Any] | None) -> dict[str, Any]:
    """Return a submitted connection. Take omitted or empty secrets from the saved one if the type is the same."""
    if saved is None or saved["type"] != connection["type"]:
        return connection
    kept = {name: saved[name] for name in SENSITIVE_FIELDS if name in saved and not connection.get(name)}
    return {**connection, **kept}
