"""One dbt repository in two Omni instances: the one in the default settings, and the one in the profile `eu`.

The connection has the same name in both instances, and another ID.
"""

import pulumi

from omni_pulumi import ConnectionEnvironmentAttribute, DbtConfiguration, DbtEnvironment, get_connection

config = pulumi.Config()

for region, profile in {"us": None, "eu": "eu"}.items():
    connection = get_connection(profile=profile, name=config.require("connection"))
    dbt = DbtConfiguration(
        region,
        profile=profile,
        connection_id=connection.connection_id,
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
        connection_id=connection.connection_id,
        attribute_name="environment",
        default_values=["production"],
    )
