"""``python -m tests.cli.record`` records previews of the engine, for the tests that run without it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tests.cli.previews import RECORDINGS
from tests.cli.scenes import play, slim

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, OmniSimulator() as omni, LightdashSimulator() as lightdash:
        for name, scene in play(Path(folder), omni, lightdash):
            (RECORDINGS / f"{name}.digest.json").write_text(slim(scene.digest))
            (RECORDINGS / f"{name}.log.jsonl").write_text(slim(scene.log))
