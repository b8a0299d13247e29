"""Validation of request bodies. Unknown fields are rejected.

An error names the field and the expected type, never the value: values can be secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Check = Callable[[object], "str | None"]
"""A function that returns what is wrong with a value, or None."""


@dataclass(frozen=True)
class ObjectSchema:
    """A JSON object with these fields and no others."""

    fields: Mapping[str, Check]
    required: tuple[str, ...] = ()

    def schema_error(self, document: object) -> str | None:
        """Return the first error of `document`, or None if it is valid."""
        if not isinstance(document, dict):
            return "expected an object"
        for name in self.required:
            if name not in document:
                return f"{name}: Required"
        for name, value in document.items():
            if name not in self.fields:
                return f"{name}: Unrecognized key"
            if error := self.fields[name](value):
                return f"{name}: {error}"
        return None


def boolean(value: object) -> str | None:
    """Accept true and false."""
    return None if isinstance(value, bool) else "expected a boolean"


def string(value: object) -> str | None:
    """Accept any string."""
    return None if isinstance(value, str) else "expected a string"


def non_empty_string(value: object) -> str | None:
    """Accept a string of at least one character."""
    return string(value) or (None if value else "must have at least 1 character")


def nullable(check: Check) -> Check:
    """Accept null and what `check` accepts."""
    return lambda value: None if value is None else check(value)


def one_of(choices: tuple[str, ...]) -> Check:
    """Accept one of these strings."""
    return lambda value: None if value in choices else f"expected one of {', '.join(choices)}"


def array_of(check_item: Check) -> Check:
    """Accept an array whose items `check_item` accepts."""

    def check(value: object) -> str | None:
        if not isinstance(value, list):
            return "expected an array"
        errors = (check_item(item) for item in value)
        return next((f"{index}: {error}" for index, error in enumerate(errors) if error), None)

    return check


_PROJECT_ROOT_PATH = re.compile(r"\A(?!/)(?!.*\.\.)[\w ./-]+", re.ASCII)


def project_root_path(value: object) -> str | None:
    """Accept an empty string, or a relative path without `..` that matches the documented pattern."""
    if value == "":
        return None
    return string(value) or (
        None if _PROJECT_ROOT_PATH.fullmatch(str(value)) else "expected a path inside of the repository"
    )


def to_snake_case(name: str) -> str:
    """Convert `targetSchema` to `target_schema`."""
    return re.sub(r"[A-Z]", lambda capital: f"_{capital[0].lower()}", name)


def to_camel_case(name: str) -> str:
    """Convert `target_schema` to `targetSchema`."""
    return re.sub(r"_([a-z])", lambda letter: letter[1].upper(), name)
