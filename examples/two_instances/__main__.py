"""One dbt repository in two Omni instances: the one in the default settings, and the one in the profile `eu`."""

import pulumi

from omni_pulumi import ConnectionEnvironmentAttribute, DbtConfiguration, DbtEnvironment

config = pulumi.Config()

for region, profile in {"us": None, "eu": "eu"}.items():
    dbt = DbtConfiguration(
        region,
        profile=profile,
        connection_id=config.require(f"{region}ConnectionId"),
        ssh_url="git@github.com:acme/dbt.git",
        branch="main",
        autogen_relationships=True,
        enable_virtual_schemas=False,
    )
    DbtEnvironment(
        region,
        profile=profile,
        connection_id=dbt.connection_id,
        name="Staging",
        target_schema=f"analytics_{region}",
    )
    ConnectionEnvironmentAttribute(
        region,
        profile=profile,
        connection_id=config.require(f"{region}ConnectionId"),
        attribute_name="environment",
        default_values=["production"],
    )
