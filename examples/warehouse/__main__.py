"""Two schemas of a warehouse, the dbt environments of Omni that read them, and a dbt source of Lightdash.

The inputs of Omni and Lightdash are outputs of the schemas. So Pulumi creates a schema before the resources that read
it, updates these resources before it drops an old schema, and destroys in the reverse order.
"""

import pulumi
from warehouse import Schema

from omni_pulumi import DbtConfiguration, DbtEnvironment, GithubConnection, LightdashDbtSource

config = pulumi.Config()

analytics = Schema("analytics", name="analytics")
staging = Schema("staging", name=config.require("stagingSchema"), cascade=True)

dbt = DbtConfiguration(
    "dbt",
    connection_id=config.require("connectionId"),
    ssh_url="git@github.com:acme/dbt.git",
    branch="main",
    autogen_relationships=True,
    enable_virtual_schemas=False,
)

DbtEnvironment(
    "production",
    connection_id=dbt.connection_id,
    name="Production",
    target_database=analytics.database,
    target_schema=analytics.name,
    secret_variables={"WAREHOUSE_URL": analytics.url},
    adopt=True,  # Omni creates it together with the dbt configuration
)

DbtEnvironment(
    "staging",
    connection_id=dbt.connection_id,
    name="Staging",
    target_database=staging.database,
    target_schema=staging.name,
    variables={"DBT_SCHEMA": staging.name},
    secret_variables={"WAREHOUSE_URL": staging.url},
)

LightdashDbtSource(
    "staging",
    project_uuid=config.require("projectUuid"),
    name="staging",
    dbt_connection=GithubConnection(
        repository="acme/dbt",
        branch="main",
        project_sub_path="/",
        target="staging",
        environment={"DBT_SCHEMA": staging.name},
        personal_access_token=config.require_secret("githubToken"),
    ),
)
