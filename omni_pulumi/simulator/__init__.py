"""A local Omni and a local Lightdash over real HTTP, for the demo, our tests and users' own tests.

A second, independent reading of the vendors' pages: nothing here comes from the rest of the package, so that a
misreading there shows as a failing test instead of being repeated here.

    with OmniSimulator() as omni:
        httpx.get(f"{omni.url}/api/v1/connections/{omni.connection_id}/dbt", headers={"Authorization": ...})
"""

import sys

try:
    import starlette  # noqa: F401 - asked for first, so that a missing extra is told in one line
    import uvicorn  # noqa: F401 - the same
except ModuleNotFoundError as missing:
    _HINT = f"The simulator needs {missing.name}, which is not installed: pip install 'omni-pulumi[simulator]'"
    if sys.argv[:1] == ["-m"]:  # what `python -m` shows until it has found the module: a person, not a program, asked
        raise SystemExit(_HINT) from None
    raise ModuleNotFoundError(_HINT, name=missing.name) from None

from omni_pulumi.simulator import faults
from omni_pulumi.simulator.faults import Fault
from omni_pulumi.simulator.lightdash.instance import OTHER_PROJECT_ID, PROJECT_ID
from omni_pulumi.simulator.lightdash.simulator import LightdashSimulator
from omni_pulumi.simulator.omni.dialect import GENERATED, PAGES, Dialect
from omni_pulumi.simulator.omni.organization import (
    CONNECTION_ID,
    CONNECTION_WITHOUT_DBT_ID,
    DEVELOPMENT_CONNECTION_ID,
    OTHER_CONNECTION_ID,
    OTHER_DIALECT_CONNECTION_ID,
    OTHER_USER_ID,
    STAGING_CONNECTION_ID,
    USER_ID,
)
from omni_pulumi.simulator.omni.simulator import OmniSimulator
from omni_pulumi.simulator.recording import RecordedRequest

__all__ = [
    "CONNECTION_ID",
    "CONNECTION_WITHOUT_DBT_ID",
    "DEVELOPMENT_CONNECTION_ID",
    "GENERATED",
    "OTHER_CONNECTION_ID",
    "OTHER_DIALECT_CONNECTION_ID",
    "OTHER_PROJECT_ID",
    "OTHER_USER_ID",
    "PAGES",
    "PROJECT_ID",
    "STAGING_CONNECTION_ID",
    "USER_ID",
    "Dialect",
    "Fault",
    "LightdashSimulator",
    "OmniSimulator",
    "RecordedRequest",
    "faults",
]
