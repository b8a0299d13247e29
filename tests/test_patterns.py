"""Regular expressions take linear time, so that a long text cannot block a command."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.linear import is_linear, slow_text

ROOT = Path(__file__).parents[1]
FILES = sorted(path for path in (ROOT / "omni_pulumi").rglob("*.py") if "re." in path.read_text())


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Find the patterns of the package: compiled ones, and constants in calls of ``re``."""
    for path in FILES:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        module = importlib.import_module(name.removesuffix(".__init__"))
        for variable, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{name}.{variable}", value
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name("re"), attr=function), args=[ast.Constant(str(text)), *_]
                ) if function != "compile":
                    yield f"{name}:{node.lineno}", re.compile(text)


PATTERNS = dict(patterns())


def test_quadratic_time_is_detected() -> None:
    """The measurement distinguishes a pattern with quadratic time from one with linear time."""
    assert not is_linear(re.compile(r"\w+:").search, "", "a")
    assert is_linear(re.compile(r"\w:").search, "", "a")


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_take_linear_time(name: str) -> None:
    """A text of ten times the length takes at most fifteen times the time, whatever its beginning."""
    assert slow_text(PATTERNS[name].search) is None
