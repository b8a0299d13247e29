"""The run time of a policy grows linearly with the text that it reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omni_pulumi.policies import git
from omni_pulumi.secret_text import is_secret_name, is_secret_value
from tests.linear import slow_text

FUNCTIONS: dict[str, Callable[[str], object]] = {
    "is_secret_name": is_secret_name,
    "is_secret_value": is_secret_value,
    "parse": git.parse,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_rules_take_linear_time(name: str) -> None:
    """For ten times the text, a function that uses several patterns takes at most fifteen times as long."""
    assert slow_text(FUNCTIONS[name]) is None
