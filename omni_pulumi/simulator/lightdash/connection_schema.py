"""The schema of `dbtConnection`: eight kinds, told apart by `type`, and Lightdash's account of what does not fit.

When no kind fits, the answer lists what each of the eight misses, and repeats the whole submitted connection, tokens
included. A client must never show that part: that is why it is reproduced here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omni_pulumi.simulator.lightdash.call import Issues
from omni_pulumi.simulator.wire import compact_json

Check = Callable[[str, object], Issues]
"""Takes a field's path and its value; answers what is wrong with it."""


def text(path: str, value: object) -> Issues:
    """A string."""
    return {} if isinstance(value, str) else {path: {"message": "invalid string value", "value": value}}


def _boolean(path: str, value: object) -> Issues:
    return {} if isinstance(value, bool) else {path: {"message": "invalid boolean value", "value": value}}


def _exactly(choice: str) -> Check:
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
        field = path.rpartition(".")[2]  # items are named without what leads to their array
        return {
            name: issue for index, each in enumerate(value) for name, issue in item(f"{field}.${index}", each).items()
        }

    return check


def _object(fields: dict[str, Check], optional: dict[str, Check]) -> Check:
    """An object with at least the required fields; others are let through."""

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
    "target": text,
    "environment": _array(_object({"value": text, "key": text}, {})),
    "selector": text,
}
_HIDE_REFRESH: dict[str, Check] = {"hideRefreshButton": _boolean}
_HOST: dict[str, Check] = {"host_domain": text}
_TOKEN: dict[str, Check] = {"personal_access_token": text}
_INSTALLATION: dict[str, Check] = {"installation_id": text}
_DIRECTORIES: dict[str, Check] = {"profiles_dir": text, "project_dir": text}
_REPOSITORY: dict[str, Check] = {"repository": text, "branch": text, "project_sub_path": text}
_METHOD: dict[str, Check] = {
    "authorization_method": _union([_exactly("personal_access_token"), _exactly("installation_id")])
}
_CLOUD: dict[str, Check] = {"discovery_api_endpoint": text, "tags": _array(text), "webhook_hmac_secret": text}


def _kind(name: str, fields: dict[str, Check], optional: dict[str, Check]) -> Check:
    return _object({"type": _exactly(name), **fields}, optional)


_CONNECTION = _union(
    [
        _kind("dbt", _COMPILER | _DIRECTORIES, _COMPILER | _DIRECTORIES),
        _kind("dbt_cloud_ide", {"api_key": text, "environment_id": text} | _CLOUD, _CLOUD),
        _kind(
            "github",
            _COMPILER | _METHOD | _TOKEN | _INSTALLATION | _REPOSITORY | _HOST,
            _COMPILER | _TOKEN | _INSTALLATION | _HOST,
        ),
        _kind("bitbucket", _COMPILER | {"username": text} | _TOKEN | _REPOSITORY | _HOST, _COMPILER | _HOST),
        _kind("gitlab", _COMPILER | _TOKEN | _REPOSITORY | _HOST, _COMPILER | _HOST),
        _kind("azure_devops", _COMPILER | _TOKEN | {"organization": text, "project": text} | _REPOSITORY, _COMPILER),
        _kind("none", _COMPILER | _HIDE_REFRESH, _COMPILER | _HIDE_REFRESH),
        _kind("manifest", {"manifest": text} | _HIDE_REFRESH, {}),
    ]
)

_CREATE = _object({"dbtConnection": _CONNECTION, "name": text}, {})
_UPDATE = _object({"dbtConnection": _CONNECTION, "name": text}, {"dbtConnection": text, "name": text})


def create_issues(body: object) -> Issues:
    """What is wrong with the body of a creation."""
    return _CREATE("body", body)


def update_issues(body: object) -> Issues:
    """What is wrong with the body of an update, where each field may be left out but none may be null."""
    return _UPDATE("body", body)


SENSITIVE_FIELDS = ("personal_access_token", "api_key", "webhook_hmac_secret")
"""What Lightdash treats as secret. The values of `environment` are not among it."""


def without_secrets(connection: dict[str, Any]) -> dict[str, Any]:
    """A connection as answers show it: secrets are left out, not blanked."""
    return {name: value for name, value in connection.items() if name not in SENSITIVE_FIELDS}


def with_kept_secrets(connection: dict[str, Any], saved: dict[str, Any] | None) -> dict[str, Any]:
    """A submitted connection, with the saved one's secrets where it has none of its own and the type is the same."""
    if saved is None or saved["type"] != connection["type"]:
        return connection
    kept = {name: saved[name] for name in SENSITIVE_FIELDS if name in saved and not connection.get(name)}
    return {**connection, **kept}
