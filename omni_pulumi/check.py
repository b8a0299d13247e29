"""Why a check fails: the errors of pydantic in the words of a program."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pulumi
import pydantic
from pulumi.output import Unknown
from pydantic.alias_generators import to_snake

from omni_pulumi.errors import ConfigurationError

_REASONS = {
    "missing": "is required",
    "union_tag_not_found": "needs a type",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
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
    return [
        CheckFailure(_path(problem["loc"], properties), _reason(problem)) for problem in error.errors(include_url=False)
    ]


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


def _reason(problem: Mapping[str, Any]) -> str:
    kind, location = problem["type"], problem["loc"]
    if kind == "value_error":
        return str(problem["ctx"]["error"])
    if kind == "union_tag_invalid":
        return f"must have one of these as its type: {problem['ctx']['expected_tags']}"
    if kind == "string_too_short" and location[-1] == _KEY:
        return "has an empty name"
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
    """Return the path of a property as a program spells it: arguments in snake_case, the keys of maps as they are.

    A location of pydantic also has the variant of a union, and a marker of keys. No program contains these.
    """
    path: list[str] = []
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
        path.append(to_snake(str(part)) if is_argument else str(part))
        is_argument = False
    return ".".join(part for part in path if part)
