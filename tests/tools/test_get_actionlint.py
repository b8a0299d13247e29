"""Getting the linter of workflows: the cache first, and what a person reads when it cannot be built."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import get_engine
from tools.get_actionlint import MODULE, actionlint
from tools.get_engine import EngineError, go_module


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the pinned version belongs, on a machine without Go and without a network."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("OMNI_PULUMI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(get_engine, "GO_WHEEL", "./no-such-wheel.whl")
    return tmp_path / "cache" / "actionlint" / go_module(MODULE).version.removeprefix("v")


def test_what_the_cache_holds_is_taken(cached: Path) -> None:
    """The pinned version is built once."""
    cached.parent.mkdir(parents=True)
    cached.touch()
    assert actionlint() == cached


def test_a_failure_says_why(cached: Path) -> None:
    """Without Go, and without a way to get it, the error says both, and nothing is left in the cache."""
    with pytest.raises(EngineError, match=r"actionlint.* go on PATH.* pip "):
        actionlint()
    assert [path.name for path in cached.parent.iterdir()] == [".lock"]
