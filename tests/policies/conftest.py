"""The policy pack is a folder that the engine starts with its own modules on the path, and the tests do the same."""

from __future__ import annotations

import sys
from pathlib import Path

PACK = Path(__file__).parents[2] / "policies"

sys.path.insert(0, str(PACK))
