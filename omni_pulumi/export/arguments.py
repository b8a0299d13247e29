"""What a program declares of an object: the arguments that pass the checks of its resource, without defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pydantic

from omni_pulumi.export.objects import SecretText
from omni_pulumi.fields import Args, own_fields
from omni_pulumi.lifecycle import Lifecycle
from omni_pulumi.redact import is_secret


class UndeclarableError(Exception):
    """No program can declare the object. The message says why, without a value."""


def declare(lifecycle: Lifecycle[Any, Any, Any], values: Mapping[str, Any], profile: str | None) -> dict[str, Any]:
    """Return the arguments that differ from their defaults. Texts that look like secrets are :class:`SecretText`.

    Args:
        lifecycle: the lifecycle of the resource.
        values: what the service has, under the names of the arguments in the program.
        profile: profile of the instance.

    Raises:
        UndeclarableError: the check of the resource would refuse a value.
    """
    arguments: type[Args] = lifecycle.args_model
    properties = {arguments.model_fields[name].alias or name: value for name, value in values.items()}
    args = lifecycle.validate({**properties, "adopt": "existing", "profile": profile})
    if not isinstance(args, Args):
        raise UndeclarableError("; ".join(map(str, args)))
    return hide_secrets(without_defaults(args, own_fields(arguments)))


def without_defaults(model: pydantic.BaseModel, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a model that differ from their defaults."""
    values = {name: getattr(model, name) for name in fields}
    return {
        name: value for name, value in values.items() if value != fields[name].get_default(call_default_factory=True)
    }


def hide_secrets(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with :class:`SecretText` in place of texts that look like secrets."""
    return {name: _hide(name, value) for name, value in values.items()}


def _hide(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return hide_secrets(value)
    if isinstance(value, list):
        return [_hide(name, item) for item in value]
    return SecretText(name) if isinstance(value, str) and is_secret(value) else value
