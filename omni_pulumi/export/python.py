"""Write values as Python, in the style of ``ruff format`` with lines of at most 120 characters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

LINE_LENGTH: Final = 120
_INDENT = "    "
_PART_LENGTH: Final = 100
"""Characters of a part of a text that is too long for one line."""

_WORD = re.compile(r"\w+")
_LATIN = range(0xC0, 0x180)
_CONFUSABLE = frozenset("\u0131\u017f")
"""Letters in that range that look like those of ASCII."""

_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\"}


@dataclass(frozen=True)
class Code:
    """An expression.

    Attributes:
        text: the expression, on one line.
    """

    text: str


@dataclass(frozen=True)
class Call:
    """A call with one argument on each line."""

    function: str
    positional: Sequence[Any]
    keywords: Mapping[str, Any]


def expression(value: Any, *, depth: int = 0, before: int = 0, after: int = 1) -> str:
    """Return a value as an expression of Python.

    Args:
        value: the value.
        depth: levels of indentation of the line.
        before: characters before the expression in its line, without the indentation.
        after: characters after it, such as a comma.
    """
    if isinstance(value, Call):
        return _call(value, depth)
    if not isinstance(value, str | Mapping | Sequence):
        return _scalar(value)
    line = _one_line(value)
    if line is not None and len(_INDENT) * depth + before + len(line) + after <= LINE_LENGTH:
        return line
    if isinstance(value, str):
        return _long_text(value, depth)
    if isinstance(value, Mapping):
        items = [(f"{quote(key)}: ", item) for key, item in value.items()]
        return _lines("{", items, "}", depth)
    return _lines("[", [("", item) for item in value], "]", depth)


def _one_line(value: Any) -> str | None:
    """Return a value on one line, ``None`` when it contains a call, which takes several."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, Call):
        return None
    if isinstance(value, Mapping):
        items = [(quote(key), _one_line(item)) for key, item in value.items()]
        return "{" + ", ".join(f"{key}: {item}" for key, item in items) + "}" if all(i for _, i in items) else None
    if isinstance(value, Sequence):
        lines = [_one_line(item) for item in value]
        return "[" + ", ".join(line for line in lines if line) + "]" if all(lines) else None
    return _scalar(value)


def _scalar(value: Any) -> str:
    return value.text if isinstance(value, Code) else repr(value)


def _call(call: Call, depth: int) -> str:
    items = [("", item) for item in call.positional] + [(f"{name}=", item) for name, item in call.keywords.items()]
    return _lines(f"{call.function}(", items, ")", depth)


def _lines(start: str, items: Sequence[tuple[str, Any]], end: str, depth: int) -> str:
    inner = _INDENT * (depth + 1)
    lines = [f"{inner}{name}{expression(item, depth=depth + 1, before=len(name))},\n" for name, item in items]
    return f"{start}\n{''.join(lines)}{_INDENT * depth}{end}"


def _long_text(text: str, depth: int) -> str:
    """Return a text in parts that end with a blank. A text without blanks stays whole."""
    parts: list[str] = []
    for word in re.findall(r"\S*\s*", text):
        if parts and len(parts[-1]) + len(word) <= _PART_LENGTH:
            parts[-1] += word
        elif word:
            parts.append(word)
    if len(parts) <= 1:
        return quote(text)
    inner = _INDENT * (depth + 1)
    return "(\n" + "".join(f"{inner}{quote(part)}\n" for part in parts) + f"{_INDENT * depth})"


def quote(text: str) -> str:
    """Return a text as a literal, in double quotes if possible. Characters that mislead a reader are escaped."""
    mark = "'" if text.count('"') > text.count("'") else '"'
    readable = {match for word in _WORD.finditer(text) for match in _readable(word)}
    escaped = "".join(
        f"\\{character}" if character == mark else character if index in readable else _escape(character)
        for index, character in enumerate(text)
    )
    return f"{mark}{escaped}{mark}"


def _readable(word: re.Match[str]) -> set[int]:
    """Return the positions of the letters beyond ASCII that cannot be mistaken.

    These are Latin letters with marks, and all letters of a word in another script.
    """
    latin = {i for i, c in enumerate(word[0], word.start()) if ord(c) in _LATIN and c not in _CONFUSABLE}
    if any(character.isascii() for character in word[0]):
        return latin
    return {index for index, c in enumerate(word[0], word.start()) if c.isalpha() and c.isprintable()}


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isascii() and character.isprintable():
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
