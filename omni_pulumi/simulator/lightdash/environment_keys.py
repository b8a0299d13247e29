"""Names of environment variables that Lightdash rejects in a connection, since version 1.237.0 (summer 2026).

Version 0.3277.1 accepts any name. The variables are set for the dbt process, where a name such as PATH can change which
programs run.
"""

from __future__ import annotations

import re
from typing import Any

from omni_pulumi.simulator.lightdash.request import ApiError

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED_PREFIX = "LIGHTDASH_DBT_PROFILE_VAR_"
_DANGEROUS = ("PATH", "HOME", "SHELL")
_DANGEROUS_PREFIXES = ("LD_", "GIT_", "NODE_", "PIP_", "PYTHON", "SSH_", "XDG_", "DYLD_")


def check_environment_keys(connection: dict[str, Any]) -> None:
    """Raise a 400 for the first rejected name. Accept an empty name."""
    for variable in connection.get("environment", []):
        if reason := _rejection_reason(variable["key"]):
            raise ApiError(400, "ParameterError", f'Environment variable "{variable["key"]}" {reason}')


def _rejection_reason(key: str) -> str | None:
    if not key:
        return None
    if not _IDENTIFIER.fullmatch(key):
        return "must contain only letters, numbers, and underscores, and cannot start with a number"
    if key.startswith(_RESERVED_PREFIX):
        return "is reserved for Lightdash"
    if key in _DANGEROUS or key.startswith(_DANGEROUS_PREFIXES):
        return "cannot be used because it can change how dbt or its child processes execute"
    return None
