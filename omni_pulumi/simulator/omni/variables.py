"""The variables of a dbt environment: https://docs.omni.co/api/dbt/update-dbt-environment.

An item with an `id` updates that variable, one without creates another. A name is given once, at creation. A secret's
value never comes back, and null or nothing in its place keeps it.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from omni_pulumi.simulator.omni.body import Check, Shape, boolean, camel, filled_text, list_of, nullable, text
from omni_pulumi.simulator.omni.call import Refusal
from omni_pulumi.simulator.omni.organization import Variable, new_id

if TYPE_CHECKING:
    from omni_pulumi.simulator.omni.dialect import Dialect

_NEW = Shape({"name": filled_text, "value": text, "isSecret": boolean}, required=("name", "value", "isSecret"))
_UPDATE = Shape({"id": text, "value": nullable(text), "isSecret": boolean}, required=("id", "isSecret"))
_NAMED_UPDATE = replace(_UPDATE, fields={**_UPDATE.fields, "name": filled_text})


def new_variables(value: object) -> str | None:
    """The check of `variables` in a POST: when it is there, at least one variable is in it."""
    return list_of(_NEW)(value) or (None if value else "must have at least 1 variable when it is included")


def updated_variables(dialect: Dialect) -> Check:
    """The check of `variables` in a PUT, where known and new variables mix."""
    known = _NAMED_UPDATE if dialect.named_variable_updates else _UPDATE

    def check(value: object) -> str | None:
        if not isinstance(value, list):
            return "expected an array"
        shapes = (known if isinstance(item, dict) and "id" in item else _NEW for item in value)
        complaints = (
            shape.complaint(item) or _kept_secret(item, dialect) for shape, item in zip(shapes, value, strict=True)
        )
        return next((f"{index}: {complaint}" for index, complaint in enumerate(complaints) if complaint), None)

    return check


def create_variables(items: list[dict[str, Any]]) -> tuple[Variable, ...]:
    """The variables of a new environment."""
    return _unique(tuple(_create(item) for item in items))


def update_variables(
    current: tuple[Variable, ...], items: list[dict[str, Any]], dialect: Dialect
) -> tuple[Variable, ...]:
    """The variables after a PUT; those that it left out stay or go, as the dialect has it."""
    updates = {item["id"].lower(): item for item in items if "id" in item}
    if len(updates) < sum("id" in item for item in items):
        raise Refusal(400, "Invalid request body: variables: the same id twice")
    if unknown := updates.keys() - {variable.id for variable in current}:
        raise Refusal(400, f"Invalid request body: variables: no variable with id {min(unknown)}")
    if dialect.omitted_variables == "deleted":
        current = tuple(variable for variable in current if variable.id in updates)
    known = (_update(variable, updates.get(variable.id)) for variable in current)
    return _unique((*known, *(_create(item) for item in items if "id" not in item)))


def _kept_secret(item: dict[str, Any], dialect: Dialect) -> str | None:
    """No source says that both ways to keep a secret's value work everywhere."""
    if not item["isSecret"] or item.get("value") is not None:
        return None
    given = "null" if "value" in item else "missing"
    return None if dialect.kept_value in {"either", given} else f"value: must not be {given}"


def without_secrets(variable: Variable) -> dict[str, object]:
    """A variable as answers show it."""
    shown = {camel(name): value for name, value in asdict(variable).items()}
    return {**shown, "value": None} if variable.is_secret else shown


def _create(item: dict[str, Any]) -> Variable:
    return Variable(id=new_id(), name=item["name"], value=item["value"], is_secret=item["isSecret"])


def _update(variable: Variable, item: dict[str, Any] | None) -> Variable:
    if item is None:
        return variable
    if item.get("name", variable.name) != variable.name:
        raise Refusal(400, "Invalid request body: variables: a variable's name cannot be changed")
    value = item.get("value")
    if value is None and variable.is_secret and not item["isSecret"]:
        # No source says what happens. Keeping the value would hand a secret out with the next answer.
        raise Refusal(400, "Invalid request body: variables: a secret that becomes public needs a new value")
    return replace(variable, value=variable.value if value is None else value, is_secret=item["isSecret"])


def _unique(variables: tuple[Variable, ...]) -> tuple[Variable, ...]:
    if len({variable.name for variable in variables}) < len(variables):
        raise Refusal(400, "Invalid request body: variables: the same name twice")
    return variables
