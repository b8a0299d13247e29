"""Simulators of Omni and Lightdash that serve HTTP on local ports, for the demo, the tests and users' own tests.

The simulators are written from the vendors' documentation alone and import nothing from the rest of the package. A
mistake in a client therefore fails a test instead of being repeated here. Names are imported on first use, so that the
command line shows its options without the extra `simulator`.

    with OmniSimulator() as omni:
        httpx.get(f"{omni.url}/api/v1/connections/{omni.connection_id}/dbt", headers={"Authorization": ...})
"""

import importlib
from typing import TYPE_CHECKING

__all__ = [
    "CONNECTION_ID",
    "CONNECTION_WITHOUT_DBT_ID",
    "DEVELOPMENT_CONNECTION_ID",
    "GENERATED",
    "LIGHTDASH_VERSIONS",
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

if TYPE_CHECKING:
    from omni_pulumi.simulator import faults
    from omni_pulumi.simulator.faults import Fault
    from omni_pulumi.simulator.lightdash.instance import OTHER_PROJECT_ID, PROJECT_ID
    from omni_pulumi.simulator.lightdash.simulator import LightdashSimulator
    from omni_pulumi.simulator.lightdash.version import LIGHTDASH_VERSIONS
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
    from omni_pulumi.simulator.recorder import RecordedRequest
else:
    _MODULES = {
        "CONNECTION_ID": "omni.organization",
        "CONNECTION_WITHOUT_DBT_ID": "omni.organization",
        "DEVELOPMENT_CONNECTION_ID": "omni.organization",
        "GENERATED": "omni.dialect",
        "LIGHTDASH_VERSIONS": "lightdash.version",
        "OTHER_CONNECTION_ID": "omni.organization",
        "OTHER_DIALECT_CONNECTION_ID": "omni.organization",
        "OTHER_PROJECT_ID": "lightdash.instance",
        "OTHER_USER_ID": "omni.organization",
        "PAGES": "omni.dialect",
        "PROJECT_ID": "lightdash.instance",
        "STAGING_CONNECTION_ID": "omni.organization",
        "USER_ID": "omni.organization",
        "Dialect": "omni.dialect",
        "Fault": "faults",
        "LightdashSimulator": "lightdash.simulator",
        "OmniSimulator": "omni.simulator",
        "RecordedRequest": "recorder",
    }

    def __getattr__(name: str) -> object:
        """Import a public name on first use.

        Raises:
            ModuleNotFoundError: The extra `simulator` is not installed.
        """
        if name not in __all__:
            raise AttributeError(f"module 'omni_pulumi.simulator' has no attribute {name!r}")
        try:
            module = importlib.import_module(f"omni_pulumi.simulator.{_MODULES.get(name, name)}")
        except ModuleNotFoundError as missing:
            raise ModuleNotFoundError(
                f"The simulator needs {missing.name}, which is not installed. "
                'Install omni-pulumi again, from the same source, with the extra "simulator".',
                name=missing.name,
            ) from None
        return module if name == "faults" else getattr(module, name)

    def __dir__() -> list[str]:
        """Return all names of the module, including those not imported yet."""
        return sorted({*globals(), *__all__})
