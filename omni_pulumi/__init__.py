"""Omni Analytics and Lightdash dbt settings as Pulumi resources.

A name is imported when it is used, so the commands and the simulator start without Pulumi.
"""

import importlib
import importlib.util
import re
from typing import TYPE_CHECKING

__all__ = [
    "AzureDevopsConnection",
    "BitbucketConnection",
    "ConnectionEnvironment",
    "ConnectionEnvironmentAttribute",
    "DbtCloudConnection",
    "DbtConfiguration",
    "DbtConnection",
    "DbtEnvironment",
    "GetConnectionResult",
    "GetConnectionsResult",
    "GetDbtEnvironmentResult",
    "GetLightdashProjectResult",
    "GithubConnection",
    "GitlabConnection",
    "LightdashDbtSource",
    "LocalConnection",
    "ManifestConnection",
    "NoneConnection",
    "get_connection",
    "get_connection_output",
    "get_connections",
    "get_connections_output",
    "get_dbt_environment",
    "get_dbt_environment_output",
    "get_lightdash_project",
    "get_lightdash_project_output",
]

if TYPE_CHECKING:
    from omni_pulumi.lightdash_connections import (
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
    from omni_pulumi.lookups import (
        GetConnectionResult,
        GetConnectionsResult,
        GetDbtEnvironmentResult,
        GetLightdashProjectResult,
        get_connection,
        get_connection_output,
        get_connections,
        get_connections_output,
        get_dbt_environment,
        get_dbt_environment_output,
        get_lightdash_project,
        get_lightdash_project_output,
    )
    from omni_pulumi.resources.connection_environment import ConnectionEnvironment
    from omni_pulumi.resources.connection_environment_attribute import ConnectionEnvironmentAttribute
    from omni_pulumi.resources.dbt_configuration import DbtConfiguration
    from omni_pulumi.resources.dbt_environment import DbtEnvironment
    from omni_pulumi.resources.lightdash_dbt_source import LightdashDbtSource

    __version__: str
else:

    def __getattr__(name: str) -> object:
        """Import a public name. A resource is in the module with its name in snake_case, a lookup in ``lookups``."""
        if name == "__version__":
            from importlib.metadata import version

            return version("omni-pulumi")
        if name not in __all__:
            raise AttributeError(f"module 'omni_pulumi' has no attribute {name!r}")
        in_snake_case = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        is_resource = importlib.util.find_spec(f"omni_pulumi.resources.{in_snake_case}") is not None
        if is_resource:
            module = f"resources.{in_snake_case}"
        else:
            module = "lookups" if in_snake_case.startswith("get_") else "lightdash_connections"
        return getattr(importlib.import_module(f"omni_pulumi.{module}"), name)

    def __dir__() -> list[str]:
        """Return the module's names, with those that are not imported yet."""
        return sorted({*globals(), *__all__, "__version__"})
