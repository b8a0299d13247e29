"""The shape of a request body: its fields, what each accepts, which must be there. Unknown fields are refused.

A complaint names the field and what it takes, never the value that was sent: values can be secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Check = Callable[[object], "str | None"]
"""Answers what is wrong with a value, or None."""


@dataclass(frozen=True)
class Shape:
    """A JSON object with these fields and no others."""

    fields: Mapping[str, Check]
    required: tuple[str, ...] = ()

    def complaint(self, document: object) -> str | None:
        """What is wrong with `document`, or None."""
        if not isinstance(document, dict):
            return "expected an object"
        for name in self.required:
            if name not in document:
                return f"{name}: Required"
        for name, value in document.items():
            if name not in self.fields:
                return f"{name}: Unrecognized key"
            if complaint := self.fields[name](value):
                return f"{name}: {complaint}"
        return None


def boolean(value: object) -> str | None:
    """true or false."""
    return None if isinstance(value, bool) else "expected a boolean"


def text(value: object) -> str | None:
    """Any string."""
    return None if isinstance(value, str) else "expected a string"


def filled_text(value: object) -> str | None:
    """A string of at least one character."""
    return text(value) or (None if value else "must have at least 1 character")


def nullable(check: Check) -> Check:
    """null, or what `check` takes."""
    return lambda value: None if value is None else check(value)


def one_of(choices: tuple[str, ...]) -> Check:
    """One of these strings."""
    return lambda value: None if value in choices else f"expected one of {', '.join(choices)}"


def list_of(shape: Shape) -> Check:
    """An array of objects."""

    def check(value: object) -> str | None:
        if not isinstance(value, list):
            return "expected an array"
        complaints = (shape.complaint(item) for item in value)
        return next((f"{index}: {complaint}" for index, complaint in enumerate(complaints) if complaint), None)

    return check


_PROJECT_ROOT_PATH = re.compile(r"\A(?!/)(?!.*\.\.)[\w ./-]+", re.ASCII)


def project_root_path(value: object) -> str | None:
    """A path below the repository: relative, without `..`, of plain characters. The empty string is allowed."""
    if value == "":
        return None
    return text(value) or (
        None if _PROJECT_ROOT_PATH.fullmatch(str(value)) else "expected a path inside of the repository"
    )


def snake(name: str) -> str:
    """A field's name on our side: `targetSchema` is `target_schema`."""
    return re.sub(r"[A-Z]", lambda capital: f"_{capital[0].lower()}", name)


def camel(name: str) -> str:
    """A field's name on the wire: `target_schema` is `targetSchema`."""
    return re.sub(r"_([a-z])", lambda letter: letter[1].upper(), name)
