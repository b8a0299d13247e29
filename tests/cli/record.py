"""``python -m tests.cli.record`` records previews of the engine, for the tests that run without it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tests.cli.engine_previews import run_previews, strip_unread
from tests.cli.previews import RECORDINGS

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, OmniSimulator() as omni, LightdashSimulator() as lightdash:
        for name, preview in run_previews(Path(folder), omni, lightdash):
            (RECORDINGS / f"{name}.digest.json").write_text(strip_unread(preview.digest))
            (RECORDINGS / f"{name}.log.jsonl").write_text(strip_unread(preview.log))
