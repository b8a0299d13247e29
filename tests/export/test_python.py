"""Values as Python: they evaluate to the same values, and the lines are short."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_pulumi.export.python import LINE_LENGTH, Call, Code, expression, quote

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20
)


@given(TEXTS)
def test_texts(text: str) -> None:
    """A literal is one line and evaluates to its text."""
    literal = quote(text)
    assert ast.literal_eval(literal) == text
    assert literal.isprintable()


@given(VALUES, st.integers(min_value=0, max_value=3))
def test_values(value: Any, depth: int) -> None:
    """An expression evaluates to its value."""
    assert ast.literal_eval(expression(value, depth=depth)) == value


@pytest.mark.parametrize("value", ["", True, 1, "short", [], {}, ["a"], {"a": ""}])
def test_long_keys(value: Any) -> None:
    """A key that fills its line changes nothing about its value."""
    assert ast.literal_eval(expression({"k" * LINE_LENGTH: value})) == {"k" * LINE_LENGTH: value}


@given(st.lists(st.text("abc ", min_size=1, max_size=30)))
def test_lines_are_short(words: list[str]) -> None:
    """A long text is several lines, each short enough."""
    text = " ".join(words)
    written = expression(Call("f", [], {"text": text}))
    assert ast.literal_eval(written.removeprefix("f(\n    text=").removesuffix(",\n)")) == text
    assert max(map(len, written.splitlines())) <= LINE_LENGTH


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("plain", '"plain"'),
        ('say "hi"', "'say \"hi\"'"),
        ("it's", '"it\'s"'),
        ('it\'s "both" ""', '\'it\\\'s "both" ""\''),
        ("a\nb\\", '"a\\nb\\\\"'),
        ("Überş", '"Überş"'),
        ("日本語 аналитика", '"日本語 аналитика"'),
        ("p\N{CYRILLIC SMALL LETTER A}ypal", '"p\\u0430ypal"'),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b\x00", '"a\\u202eb\\x00"'),
        ("\N{GRINNING FACE}", '"\\U0001f600"'),
    ],
)
def test_quotes(text: str, literal: str) -> None:
    """Double quotes are used unless single ones need fewer escapes. Letters that mislead are escaped."""
    assert quote(text) == literal


def test_calls() -> None:
    """A call has an argument on each line. A list that is too long for its line has an item on each."""
    values = ["a" * 40, "b" * 40, "c" * 40]
    inner = Call("g", [], {"x": Code("config.get()")})
    items = "".join(f'        "{value}",\n' for value in values)
    assert expression(Call("f", ["name"], {"values": values, "inner": inner})) == (
        f'f(\n    "name",\n    values=[\n{items}    ],\n    inner=g(\n        x=config.get(),\n    ),\n)'
    )
