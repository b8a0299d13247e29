"""Omni Analytics and Lightdash dbt settings as Pulumi resources.

The names are imported when they are asked for: the commands and the simulator start without Pulumi.
"""

import importlib
from typing import TYPE_CHECKING

__all__ = [
    "AzureDevopsConnection",
    "BitbucketConnection",
    "ConnectionEnvironment",
    "DbtCloudConnection",
    "DbtConfiguration",
    "DbtConnection",
    "DbtEnvironment",
    "GithubConnection",
    "GitlabConnection",
    "LightdashDbtSource",
    "LocalConnection",
    "ManifestConnection",
    "NoneConnection",
]

if TYPE_CHECKING:
    from omni_pulumi.connections import (
        AzureDevopsConnection,
        BitbucketConnection,
        DbtCloudConnection,
        DbtConnection,
        GithubConnection,
        GitlabConnection,
        LocalConnection,
        ManifestConnection,
        NoneConnection,
    )
    from omni_pulumi.resources.connection_environment import ConnectionEnvironment
    from omni_pulumi.resources.dbt_configuration import DbtConfiguration
    from omni_pulumi.resources.dbt_environment import DbtEnvironment
    from omni_pulumi.resources.lightdash_dbt_source import LightdashDbtSource

    __version__: str
else:
    _RESOURCES = {
        "ConnectionEnvironment": "omni_pulumi.resources.connection_environment",
        "DbtConfiguration": "omni_pulumi.resources.dbt_configuration",
        "DbtEnvironment": "omni_pulumi.resources.dbt_environment",
        "LightdashDbtSource": "omni_pulumi.resources.lightdash_dbt_source",
    }

    def __getattr__(name: str) -> object:
        """A public name, from the module that has it."""
        if name == "__version__":
            from importlib.metadata import version

            return version("omni-pulumi")
        if name not in __all__:
            raise AttributeError(f"module 'omni_pulumi' has no attribute {name!r}")
        return getattr(importlib.import_module(_RESOURCES.get(name, "omni_pulumi.connections")), name)

    def __dir__() -> list[str]:
        """The module's names, those too that are not imported yet."""
        return sorted({*globals(), *__all__, "__version__"})
