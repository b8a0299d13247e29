"""A local Omni and a local Lightdash over real HTTP, for the demo, our tests and users' own tests.

A second, independent reading of the vendors' pages: nothing here comes from the rest of the package, so that a
misreading there shows as a failing test instead of being repeated here. The names are imported when they are asked for,
so that the command shows its options without the extra `simulator`.

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
else:
    _MODULES = {
        "CONNECTION_ID": "omni.organization",
        "CONNECTION_WITHOUT_DBT_ID": "omni.organization",
        "DEVELOPMENT_CONNECTION_ID": "omni.organization",
        "GENERATED": "omni.dialect",
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
        "RecordedRequest": "recording",
    }

    def __getattr__(name: str) -> object:
        """A public name, from the module that has it.

        Raises:
            ModuleNotFoundError: The extra that the simulator needs is not installed.
        """
        if name not in __all__:
            raise AttributeError(f"module 'omni_pulumi.simulator' has no attribute {name!r}")
        try:
            module = importlib.import_module(f"omni_pulumi.simulator.{_MODULES.get(name, name)}")
        except ModuleNotFoundError as missing:
            raise ModuleNotFoundError(
                f"The simulator needs {missing.name}, which is not installed. "
                'Install omni-pulumi again, from the same source, with its extra "simulator".',
                name=missing.name,
            ) from None
        return module if name == "faults" else getattr(module, name)

    def __dir__() -> list[str]:
        """The module's names, those too that are not imported yet."""
        return sorted({*globals(), *__all__})
