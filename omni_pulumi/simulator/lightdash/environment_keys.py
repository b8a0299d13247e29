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
_DANGEROUS = re.compile(
    r"""
    (BASH_FUNC_|DYLD_|GIT_|NODE_|PIP_|PYTHON|SSH_|XDG_).*
    | BASH_ENV | BROWSER | CLASSPATH | EDITOR | GCONV_PATH | HOME | IFS | LOCPATH | PAGER | PATH | SHELL | SHELLOPTS
    | DBT_PACKAGES_INSTALL_PATH | DBT_PROFILES_DIR | DBT_PROJECT_DIR | DBT_TARGET_PATH
    | JAVA_TOOL_OPTIONS | JDK_JAVA_OPTIONS | _JAVA_OPTIONS
    | LD_AUDIT | LD_LIBRARY_PATH | LD_PRELOAD
    | PERL5LIB | PERL5OPT | PERLLIB | RUBYLIB | RUBYOPT
    | TEMP | TMP | TMPDIR | VIRTUAL_ENV | VISUAL
    """,
    re.VERBOSE,
)


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
    if _DANGEROUS.fullmatch(key):
        return "cannot be used because it can change how dbt or its child processes execute"
    return None
