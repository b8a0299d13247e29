"""The versions of Lightdash that the simulator knows."""

from __future__ import annotations

from typing import Literal, get_args

Version = Literal["0.3277.1", "1.237.0"]

LIGHTDASH_VERSIONS: tuple[Version, ...] = get_args(Version)
"""The versions, oldest first. Lightdash went from 0.3277.1 to 1.x in summer 2026, so 1.237.0 is the newer one."""
