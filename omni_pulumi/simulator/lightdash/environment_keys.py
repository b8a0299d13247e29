"""The names that Lightdash refuses for a connection's environment variables, since the summer of 2026 (1.237.0).

They are set for dbt's own process, so that a name such as PATH could make it run something else. 0.3277.1 takes any.
"""

from __future__ import annotations

import re
from typing import Any

from omni_pulumi.simulator.lightdash.call import Refusal

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED_PREFIX = "LIGHTDASH_DBT_PROFILE_VAR_"
_DANGEROUS = ("PATH", "HOME", "SHELL")
_DANGEROUS_PREFIXES = ("LD_", "GIT_", "NODE_", "PIP_", "PYTHON", "SSH_", "XDG_", "DYLD_")


def refuse_environment_keys(connection: dict[str, Any]) -> None:
    """Refuse the first name that cannot be used. An empty one passes."""
    for variable in connection.get("environment", []):
        if reason := _reason(variable["key"]):
            raise Refusal(400, "ParameterError", f'Environment variable "{variable["key"]}" {reason}')


def _reason(key: str) -> str | None:
    if not key:
        return None
    if not _IDENTIFIER.fullmatch(key):
        return "must contain only letters, numbers, and underscores, and cannot start with a number"
    if key.startswith(_RESERVED_PREFIX):
        return "is reserved for Lightdash"
    if key in _DANGEROUS or key.startswith(_DANGEROUS_PREFIXES):
        return "cannot be used because it can change how dbt or its child processes execute"
    return None
