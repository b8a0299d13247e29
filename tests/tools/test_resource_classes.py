"""The generated classes agree with the models of their fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import resource_classes


@pytest.mark.parametrize("path", resource_classes.modules(), ids=lambda path: path.stem)
def test_classes_are_current(path: Path) -> None:
    """`make generate` would change nothing."""
    assert resource_classes.generated(path) == path.read_text(encoding="utf-8")
