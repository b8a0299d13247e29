"""Previews in Pulumi's formats: recorded ones, and short ones that a test builds from steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from omni_pulumi.cli.preview import read
from omni_pulumi.cli.summary import summary

RECORDINGS = Path(__file__).parent / "recordings"
NAMES = sorted({path.name.partition(".")[0] for path in RECORDINGS.iterdir()} - {"refresh"})
"""Recordings of `pulumi preview`. The one named ``refresh`` is of ``pulumi refresh --preview-only``."""
URN = "urn:pulumi:demo::shop::snowflake:index/schema:Schema::raw"


def recorded(name: str) -> str:
    """Return the summary of a recording."""
    return summary(read((RECORDINGS / name).read_text()))


def digest(*steps: dict[str, Any], **more: Any) -> str:
    """Return a digest of steps. By default a step is an update of one schema."""
    return json.dumps(
        {"steps": [{"op": "update", "urn": URN, **step} for step in steps], "changeSummary": {"same": 0}, **more}
    )


def states(old: Any, new: Any) -> dict[str, Any]:
    """Return both sides of a step."""
    return {"oldState": {"id": "7", "inputs": old}, "newState": {"inputs": new}}
