"""JSON that Pulumi prints, which may stand behind other output."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any, NamedTuple

from omni_pulumi.cli.errors import InputError

_LINE_WITH_BRACE = re.compile(r"^\{", re.MULTILINE)


class Document(NamedTuple):
    """A JSON object, and where it starts and ends in the text."""

    value: dict[str, Any]
    start: int
    end: int


def find(text: str, keys: Collection[str], expected: str) -> Document:
    """Return the first JSON object in a text that is empty or has one of the keys.

    Pulumi, or the program that runs it, may print something else before, which may contain braces. What Pulumi prints
    starts a line, so only starts of lines are tried; without any, the first brace is.

    Raises:
        InputError: there is no such object. The message begins with ``expected``.
    """
    decoder, problem = json.JSONDecoder(), "got no JSON"
    for start in [match.start() for match in _LINE_WITH_BRACE.finditer(text)] or [max(text.find("{"), 0)]:
        try:
            value, end = decoder.raw_decode(text, start)
        except ValueError:
            continue
        if isinstance(value, dict) and (not value or not value.keys().isdisjoint(keys)):
            return Document(value, start, end)
        problem = "got other JSON"
    raise InputError(f"{expected}, {problem}.")
