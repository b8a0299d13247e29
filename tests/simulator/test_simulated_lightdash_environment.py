"""Environment variables in the Lightdash simulator: which names each version accepts, and who sees the variables.

The expected responses were observed on a real Lightdash, except those for NOT_OBSERVED, which are from its source.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from omni_pulumi.simulator import LightdashSimulator
from tests.simulator.lightdash_sources import MINIMAL, error

Connect = Callable[[str, str], httpx.Client]

OLDER = "0.3277.1"

DANGEROUS = (
    *("PATH", "HOME", "SHELL", "LD_AUDIT", "LD_LIBRARY_PATH", "LD_PRELOAD"),
    *("GIT_SSH_COMMAND", "NODE_OPTIONS", "PIP_INDEX_URL", "PYTHONPATH", "SSH_ASKPASS", "XDG_CONFIG_HOME"),
    *("BASH_ENV", "BASH_FUNC_ls", "BROWSER", "DBT_PROFILES_DIR", "EDITOR", "GCONV_PATH", "IFS", "JAVA_TOOL_OPTIONS"),
    *("LOCPATH", "PAGER", "PERL5LIB", "PERL5OPT", "RUBYLIB", "RUBYOPT", "SHELLOPTS", "TEMP", "TMP", "TMPDIR"),
    *("VIRTUAL_ENV", "VISUAL"),
)
NOT_OBSERVED = (
    *("CLASSPATH", "DBT_PACKAGES_INSTALL_PATH", "DBT_PROJECT_DIR", "DBT_TARGET_PATH", "JDK_JAVA_OPTIONS"),
    *("_JAVA_OPTIONS", "PERLLIB"),
)
MALFORMED = ("1X", "A-B", "BASH_FUNC_ls%%", " A", "É")
ACCEPTED = (
    "",
    "A",
    "_a1",
    "DBT_X",
    "LD_BIND_NOW",
    "LD_",
    "LD_PRELOAD_2",
    "PATHS",
    "MY_PATH",
    "path",
    "TEMPORARY",
    "IFS_",
)


def patch(admin: httpx.Client, source: str, key: str) -> httpx.Response:
    """Updates the environment of a source to one variable."""
    return admin.patch(source, json={"dbtConnection": {**MINIMAL, "environment": [{"key": key, "value": "1"}]}})


def rejections(reason: str, *keys: str) -> list[tuple[str, str]]:
    """Returns the keys with the reason for their rejection."""
    return [(key, reason) for key in keys]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        *rejections(
            "cannot be used because it can change how dbt or its child processes execute", *DANGEROUS, *NOT_OBSERVED
        ),
        *rejections("must contain only letters, numbers, and underscores, and cannot start with a number", *MALFORMED),
        *rejections("is reserved for Lightdash", "LIGHTDASH_DBT_PROFILE_VAR_X", "LIGHTDASH_DBT_PROFILE_VAR_"),
    ],
)
def test_keys_that_1_237_0_rejects(
    lightdash: LightdashSimulator, admin: httpx.Client, source: str, key: str, reason: str
) -> None:
    """1.237.0 rejects keys that can change how dbt runs, with a 400 that names the key. 0.3277.1 accepts any key."""
    response = patch(admin, source, key)
    if lightdash.version == OLDER:
        assert response.status_code == 200
    else:
        assert error(response) == (400, "ParameterError", f'Environment variable "{key}" {reason}')


@pytest.mark.parametrize("key", ACCEPTED)
def test_keys_that_each_version_accepts(admin: httpx.Client, source: str, key: str) -> None:
    """Each version accepts an empty key, and keys that begin like a rejected one."""
    assert patch(admin, source, key).status_code == 200


def test_who_sees_the_environment(lightdash: LightdashSimulator, connect: Connect, source: str) -> None:
    """1.237.0 shows the environment to admins only, 0.3277.1 to viewers and developers too."""
    shown = {
        token
        for token in (lightdash.api_key, lightdash.developer_token, lightdash.viewer_token)
        if "environment" in connect(lightdash.url, f"ApiKey {token}").get(source).json()["results"]["dbtConnection"]
    }
    readers = {lightdash.developer_token, lightdash.viewer_token} if lightdash.version == OLDER else set()
    assert shown == {lightdash.api_key} | readers
