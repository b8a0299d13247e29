"""The schema of `dbtConnection`: eight types, distinguished by `type`, and Lightdash's validation errors.

If no type matches, the error lists the issues of each of the eight types and contains the whole submitted connection,
including tokens. Clients must not show that part, so the simulator reproduces it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omni_pulumi.simulator.json_codec import compact_json
from omni_pulumi.simulator.lightdash.request import Issues

Check = Callable[[str, object], Issues]
"""A function of the path and the value of a field that returns its issues."""


def _string(path: str, value: object) -> Issues:
    """Accept any string."""
    return {} if isinstance(value, str) else {path: {"message": "invalid string value", "value": value}}


def _boolean(path: str, value: object) -> Issues:
    return {} if isinstance(value, bool) else {path: {"message": "invalid boolean value", "value": value}}


def _literal(choice: str) -> Check:
    def check(path: str, value: object) -> Issues:
        return (
            {}
            if value == choice
            else {path: {"message": f"should be one of the following; ['{choice}']", "value": value}}
        )

    return check


def _union(checks: list[Check]) -> Check:
    def check(path: str, value: object) -> Issues:
        issues = [each(path, value) for each in checks]
        if not all(issues):
            return {}
        message = f"Could not match the union against any of the items. Issues: {compact_json(issues)}"
        return {path: {"message": message, "value": value}}

    return check


def _array(item: Callable[[str, object], Issues]) -> Check:
    def check(path: str, value: object) -> Issues:
        if not isinstance(value, list):
            return {path: {"message": "invalid array", "value": value}}
        field = path.rpartition(".")[2]  # Lightdash names items by the last part of the path only
        return {
            name: issue for index, each in enumerate(value) for name, issue in item(f"{field}.${index}", each).items()
        }

    return check


def _object(fields: dict[str, Check], optional: dict[str, Check]) -> Check:
    """Accept an object with all fields that are not optional. Accept unknown fields."""

    def check(path: str, value: object) -> Issues:
        if not isinstance(value, dict):
            return {path: {"message": "invalid object", "value": value}}
        issues: Issues = {}
        for name, field in fields.items():
            if name in value:
                issues |= field(f"{path}.{name}", value[name])
            elif name not in optional:
                issues[f"{path}.{name}"] = {"message": f"'{name}' is required"}
        return issues

    return check


_COMPILER: dict[str, Check] = {
    "target": _string,
    "environment": _array(_object({"value": _string, "key": _string}, {})),
    "selector": _string,
}
_HIDE_REFRESH: dict[str, Check] = {"hideRefreshButton": _boolean}
_HOST: dict[str, Check] = {"host_domain": _string}
_TOKEN: dict[str, Check] = {"personal_access_token": _string}
_INSTALLATION: dict[str, Check] = {"installation_id": _string}
_DIRECTORIES: dict[str, Check] = {"profiles_dir": _string, "project_dir": _string}
_REPOSITORY: dict[str, Check] = {"repository": _string, "branch": _string, "project_sub_path": _string}
_METHOD: dict[str, Check] = {
    "authorization_method": _union([_literal("personal_access_token"), _literal("installation_id")])
}
_CLOUD: dict[str, Check] = {"discovery_api_endpoint": _string, "tags": _array(_string), "webhook_hmac_secret": _string}


def _of_type(name: str, fields: dict[str, Check], optional: dict[str, Check]) -> Check:
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


def create_issues(body: object) -> Issues:
    """Return the issues of the body of a POST."""
    return _CREATE("body", body)


def update_issues(body: object) -> Issues:
    """Return the issues of the body of a PATCH. Each field can be omitted but not null."""
    return _UPDATE("body", body)


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
