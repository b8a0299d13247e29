"""Omni Analytics and Lightdash dbt settings as Pulumi resources."""

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
