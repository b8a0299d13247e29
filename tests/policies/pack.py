"""Path of the policy pack."""

from __future__ import annotations

from pathlib import Path

PACK = Path(__file__).parents[2] / "policies"
