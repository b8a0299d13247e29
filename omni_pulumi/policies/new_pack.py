"""Writes a policy pack that takes its rules from this package."""

from __future__ import annotations

from pathlib import Path
from typing import Final

NAME: Final = "guardrails"
"""Name of a new pack."""

_FILES: Final = {
    "PulumiPolicy.yaml": f"name: {NAME}\ndescription: Policies for Omni Analytics and Lightdash\nruntime: python\n",
    "__main__.py": f"""from omni_pulumi.policies import select_policies
from pulumi_policy import PolicyPack

PolicyPack("{NAME}", select_policies())
""",
}


def write_pack(directory: Path) -> list[Path]:
    """Write the files of a pack, and return their paths.

    Raises:
        FileExistsError: the directory has one of the files already.
    """
    paths = [directory / name for name in _FILES]
    existing = next((path for path in paths if path.exists()), None)
    if existing:
        raise FileExistsError(f"{existing} exists. Choose another directory, or edit the pack.")
    directory.mkdir(parents=True, exist_ok=True)
    for path in paths:
        path.write_text(_FILES[path.name], encoding="utf-8")
    return paths
