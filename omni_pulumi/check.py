"""Why a check fails: the errors of pydantic in the words of a program."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import pulumi
import pydantic
from pulumi.output import Unknown
from pydantic.alias_generators import to_camel, to_snake

from omni_pulumi.errors import ConfigurationError
from omni_pulumi.fields import Kept

M = TypeVar("M", bound=pydantic.BaseModel)

_REASONS = {
    "missing": "is required",
    "union_tag_not_found": "needs a type",
    "extra_forbidden": "is not an argument of this resource",
}

_EXPECTED_TYPES = {
    "string_type": "a string",
    "bool_type": "True or False",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
    "list_type": "a list",
}

_ACTUAL_TYPES = {
    Unknown: "an output",
    type(None): "None",
    str: "a string",
    bool: "True or False",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a map",
}


_NOT_SET = "is None: the environment variable, configuration value or output that it comes from is not set. Set it"

_TEXT_OF_AN_OBJECT = re.compile(r"Calling __str__ on an Output|<[\w.]+ object at 0x[0-9a-fA-F]+>")
"""Matches what Python writes for an object in an f-string. Pulumi's outputs have a text of their own."""

_INSTEAD_OF_A_VALUE = (
    "contains the description of an output or of another object, and not its value. In place of an f-string, use "
    'pulumi.Output.concat("...", output)'
)

_KEY = "[key]"
"""Ends the location of an error that is about the key of a map."""


class CheckFailure(NamedTuple):
    """A rule that a program breaks.

    Attributes:
        property: path of the argument as a program spells it, such as ``variables.DBT_TARGET``, empty for the whole
            resource.
        reason: what is wrong, without the property. Any input may be a secret, so a reason never contains its value.
    """

    property: str
    reason: str

    def __str__(self) -> str:
        """Return the property and the reason."""
        return f"{self.property} {self.reason}".strip()


def check_failures(error: pydantic.ValidationError, properties: Mapping[str, Any]) -> list[CheckFailure]:
    """Return the failures that a validation error reports.

    Args:
        error: the error.
        properties: what the program declares, under camelCase names.
    """
    return [_failure(problem, properties) for problem in error.errors(include_url=False)]


def validate(
    model: type[M], properties: Mapping[str, Any], known: Mapping[str, Any], context: Mapping[str, Any]
) -> M | list[CheckFailure]:
    """Return the arguments, or all the rules that they break.

    A value that is known may break a rule: it may come from the service, or from an earlier version of this package.
    With ``ignore_changes`` the program does not contain it. So may an argument be missing that is missing there too.
    A value of a wrong type comes from neither.

    Args:
        model: the model of the arguments.
        properties: what the program declares, under camelCase names.
        known: the inputs in the state, empty for a create.
        context: the context of the validation.
    """
    kept: set[_Keys] = set()
    while True:
        try:
            return model.model_validate(_with_kept(properties, kept), context={**context})
        except pydantic.ValidationError as error:
            unchanged, failures = set[_Keys](), list[CheckFailure]()
            for problem in error.errors(include_url=False):
                keys = _unchanged_keys(problem, properties, known)
                if keys is None or keys in kept:
                    failures.append(_failure(problem, properties))
                else:
                    unchanged.add(keys)
        if failures:
            return failures
        kept |= unchanged


def changed_values(properties: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties without those that are known. A map is compared key by key."""
    changed: dict[str, Any] = {}
    for key, value in properties.items():
        before = known.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            if rest := changed_values(value, before):
                changed[key] = rest
        elif value is None or value != before:
            changed[key] = value
    return changed


_Keys = tuple[int | str, ...]
"""The keys and indexes on the way to a value."""

_ABSENT = object()


def _at(value: Any, keys: _Keys) -> Any:
    for key in keys:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return value


def _unchanged_keys(
    problem: Mapping[str, Any], properties: Mapping[str, Any], known: Mapping[str, Any]
) -> _Keys | None:
    """Return the way to the value that breaks a rule, ``None`` when the value is not known."""
    if not known or problem["type"] not in {"value_error", "union_tag_invalid", "missing"}:
        return None
    location = problem["loc"]
    keys = tuple(step.key for step in _steps(location, properties))
    if location[-1] == _KEY:
        keys = keys[:-1]
    if problem["type"] == "missing":
        holder, before = _at(properties, keys[:-1]), _at(known, keys[:-1])
        is_same_kind = isinstance(before, Mapping) and before.get("type") == holder.get("type")
        return keys if is_same_kind and keys[-1] not in before else None
    others = getattr(problem.get("ctx", {}).get("error"), "others", ())
    compared = [keys, *((to_camel(name),) for name in others)]
    return keys if all(_at(properties, each) == _at(known, each) for each in compared) else None


def _with_kept(properties: Mapping[str, Any], kept: Collection[_Keys]) -> Mapping[str, Any]:
    """Return the properties with some values as :class:`Kept`."""
    for keys in sorted(kept, key=len, reverse=True):
        properties = _replaced(properties, keys)
    return properties


def _replaced(holder: Any, keys: _Keys) -> Any:
    key, *rest = keys
    copy: Any = dict(holder) if isinstance(holder, Mapping) else [*holder]
    value = _at(holder, (key,))
    copy[key] = _replaced(value, tuple(rest)) if rest else Kept(None if value is _ABSENT else value)
    return copy


def unusable_values(path: str, value: object) -> Iterator[CheckFailure]:
    """Yield what can never be meant below a path: ``None``, a description of an object, or what Pulumi cannot pass on.

    Pulumi drops ``None``, so a provider would delete what the program seems to declare. Outputs are not examined.

    Args:
        path: path of the value as a program spells it.
        value: the value.
    """
    if value is None:
        yield CheckFailure(path, f"{_NOT_SET}, or leave it out of the program" if "." in path else _NOT_SET)
    elif isinstance(value, str):
        if _TEXT_OF_AN_OBJECT.search(value):
            yield CheckFailure(path, _INSTEAD_OF_A_VALUE)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                yield CheckFailure(path, f"must have strings as keys, got {_type_name(key)}")
            elif _TEXT_OF_AN_OBJECT.search(key):
                yield CheckFailure(path, f"has a key that {_INSTEAD_OF_A_VALUE}")
            else:
                yield from unusable_values(f"{path}.{key}", item)
    elif isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, range, memoryview)):
        for index, item in enumerate(value):
            yield from unusable_values(f"{path}.{index}", item)
    elif isinstance(value, pulumi.Resource):
        yield CheckFailure(path, f"is a {type(value).__name__}: pass one of its outputs")
    elif not isinstance(value, (bool, int, float, Unknown, pulumi.Output)) and not inspect.isawaitable(value):
        yield CheckFailure(path, f"must not be {_type_name(value)}")


def configuration_error(failures: Sequence[CheckFailure], operation: str = "") -> ConfigurationError:
    """Return the error of an operation whose inputs break rules.

    Args:
        failures: the rules that they break.
        operation: what the inputs are for, such as ``create DbtEnvironment``, empty if the caller names it.
    """
    start = f"Cannot {operation}: " if operation else ""
    return ConfigurationError(
        f"{start}{'; '.join(map(str, failures))}. Correct the program, or the output that the value comes from.",
        settings=tuple(failure.property for failure in failures),
    )


def _failure(problem: Mapping[str, Any], properties: Mapping[str, Any]) -> CheckFailure:
    return CheckFailure(_path(problem["loc"], properties), _reason(problem))


def _reason(problem: Mapping[str, Any]) -> str:
    kind = problem["type"]
    if kind == "value_error":
        return str(problem["ctx"]["error"])
    if kind == "union_tag_invalid":
        return f"must have one of these as its type: {problem['ctx']['expected_tags']}"
    if kind in _EXPECTED_TYPES:
        expected, actual = _EXPECTED_TYPES[kind], type(problem["input"])
        advice = ": write it in quotes" if expected == "a string" and actual in {bool, int, float} else ""
        return f"must be {expected}, got {_type_name(problem['input'])}{advice}"
    return _REASONS.get(kind) or f"{problem['msg'][0].lower()}{problem['msg'][1:]}"


def _type_name(value: object) -> str:
    if isinstance(value, pulumi.Output):
        return "an output"
    return _ACTUAL_TYPES.get(type(value)) or f"an object of the type {type(value).__name__}"


def _path(location: tuple[int | str, ...], properties: Any) -> str:
    """Return the path of a property as a program spells it: arguments in snake_case, the keys of maps as they are."""
    parts = (to_snake(str(step.key)) if step.is_argument else str(step.key) for step in _steps(location, properties))
    return ".".join(part for part in parts if part)


class _Step(NamedTuple):
    """A step from a map or a list to one of its items.

    Attributes:
        key: the key in a map, or the index in a list.
        is_argument: whether the key is the name of an argument.
    """

    key: int | str
    is_argument: bool


def _steps(location: tuple[int | str, ...], properties: Any) -> list[_Step]:
    """Return the way from the properties to the value of an error.

    A location of pydantic also has the variant of a union, and a marker of keys. No program contains these.
    """
    steps: list[_Step] = []
    here, is_argument = properties, True
    for index, part in enumerate(location):
        is_last = index == len(location) - 1
        if isinstance(here, Mapping):
            if part == here.get("type") and not is_last:
                is_argument = True
                continue
            if part in here:
                here = here[part]
            elif not is_last:
                continue
        elif isinstance(here, list) and isinstance(part, int):
            here = here[part]
        else:
            continue
        steps.append(_Step(part, is_argument))
        is_argument = False
    return steps
