"""``make bench`` runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import FLOOR, OURS, TYPICAL, main


@pytest.mark.slow
def test_bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each contender does its job, and the simulator counts its requests. Only omni-pulumi reads the list first."""
    written = tmp_path / "result.json"
    options = ["--sizes", "2", "--pairs", "1", "--operations", "create", "destroy", "--without", "peer", "limit"]
    assert main([*options, "--json", str(written)]) == 0
    measurements = json.loads(written.read_text())["measurements"]
    assert [(m["contender"], m["failure"]) for m in measurements if m["failure"]] == []
    requests = {(m["contender"], m["operation"]): m["requests"] for m in measurements if "2 environments" in m["stack"]}
    assert requests == {
        (FLOOR, "create"): 2,
        (OURS, "create"): 3,
        (TYPICAL, "create"): 2,
        (FLOOR, "destroy"): 2,
        (OURS, "destroy"): 2,
        (TYPICAL, "destroy"): 2,
    }
    assert all(m["memory"] > 10 for m in measurements) or sys.platform != "linux"
    assert "| a resource of each kind | create |" in capsys.readouterr().out
