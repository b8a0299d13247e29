"""The variables of a dbt environment: https://docs.omni.co/api/dbt/update-dbt-environment.

In a PUT, an item with an `id` updates that variable and an item without one creates a variable. The name of a variable
cannot change. Responses contain null instead of a secret value; a null or omitted value in a PUT keeps the secret.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from omni_pulumi.simulator.omni.organization import Variable, new_id
from omni_pulumi.simulator.omni.request import ApiError
from omni_pulumi.simulator.omni.schema import (
    Check,
    ObjectSchema,
    array_of,
    boolean,
    non_empty_string,
    nullable,
    string,
    to_camel_case,
)

if TYPE_CHECKING:
    from omni_pulumi.simulator.omni.dialect import Dialect

_NEW = ObjectSchema(
    {"name": non_empty_string, "value": string, "isSecret": boolean}, required=("name", "value", "isSecret")
)
_UPDATE = ObjectSchema({"id": string, "value": nullable(string), "isSecret": boolean}, required=("id", "isSecret"))
_UPDATE_WITH_NAME = replace(_UPDATE, fields={**_UPDATE.fields, "name": non_empty_string})


def check_new_variables(value: object) -> str | None:
    """Check `variables` in a POST, which must not be empty."""
    return array_of(_NEW.schema_error)(value) or (
        None if value else "must have at least 1 variable when it is included"
    )


def check_variable_updates(dialect: Dialect) -> Check:
    """Return the check of `variables` in a PUT, which can contain updates and new variables."""
    update_schema = _UPDATE_WITH_NAME if dialect.named_variable_updates else _UPDATE

    def check_item(item: Any) -> str | None:
        schema = update_schema if isinstance(item, dict) and "id" in item else _NEW
        return schema.schema_error(item) or _check_kept_secret(item, dialect)

    return array_of(check_item)


def create_variables(items: list[dict[str, Any]]) -> tuple[Variable, ...]:
    """Return the variables of a new environment."""
    return _check_unique(tuple(_create(item) for item in items))


def update_variables(
    current: tuple[Variable, ...], items: list[dict[str, Any]], dialect: Dialect
) -> tuple[Variable, ...]:
    """Return the variables after a PUT. The dialect says whether omitted variables are kept or deleted."""
    updates = {item["id"].lower(): item for item in items if "id" in item}
    if len(updates) < sum("id" in item for item in items):
        raise ApiError(400, "Invalid request body: variables: the same id twice")
    if unknown := updates.keys() - {variable.id for variable in current}:
        raise ApiError(400, f"Invalid request body: variables: no variable with id {min(unknown)}")
    if dialect.omitted_variables == "deleted":
        current = tuple(variable for variable in current if variable.id in updates)
    updated = (_update(variable, updates.get(variable.id)) for variable in current)
    return _check_unique((*updated, *(_create(item) for item in items if "id" not in item)))


def variable_to_json(variable: Variable) -> dict[str, object]:
    """Return a variable as responses contain it, with null instead of a secret value."""
    document = {to_camel_case(name): value for name, value in asdict(variable).items()}
    return {**document, "value": None} if variable.is_secret else document


def _check_kept_secret(item: dict[str, Any], dialect: Dialect) -> str | None:
    """Check how an item keeps a secret value. The dialect can reject one of the two documented ways."""
    if not item["isSecret"] or item.get("value") is not None:
        return None
    given = "null" if "value" in item else "missing"
    return None if dialect.kept_value in {"either", given} else f"value: must not be {given}"


def _create(item: dict[str, Any]) -> Variable:
    return Variable(id=new_id(), name=item["name"], value=item["value"], is_secret=item["isSecret"])


def _update(variable: Variable, item: dict[str, Any] | None) -> Variable:
    if item is None:
        return variable
    if item.get("name", variable.name) != variable.name:
        raise ApiError(400, "Invalid request body: variables: a variable's name cannot be changed")
    value = item.get("value")
    if value is None and variable.is_secret and not item["isSecret"]:
        # The documentation does not cover this case. Keeping the value would expose the secret in the next response.
        raise ApiError(400, "Invalid request body: variables: a secret that becomes public needs a new value")
    return replace(variable, value=variable.value if value is None else value, is_secret=item["isSecret"])


def _check_unique(variables: tuple[Variable, ...]) -> tuple[Variable, ...]:
    if len({variable.name for variable in variables}) < len(variables):
        raise ApiError(400, "Invalid request body: variables: the same name twice")
    return variables
