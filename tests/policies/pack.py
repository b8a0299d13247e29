"""The policy pack with all rules."""

from __future__ import annotations

from pathlib import Path

from omni_pulumi.policies import select_policies

PACK = Path(__file__).parents[2] / "policies"
"""Path of the pack."""

POLICIES = select_policies()
"""The policies of the pack."""
