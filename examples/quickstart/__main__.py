"""Omni's dbt repository, two dbt environments, a connection environment and a Lightdash dbt source in one graph."""

import pulumi

from omni_pulumi import ConnectionEnvironment, DbtConfiguration, DbtEnvironment, GithubConnection, LightdashDbtSource

config = pulumi.Config()

dbt = DbtConfiguration(
    "analytics",
    connection_id=config.require("connectionId"),
    ssh_url="git@github.com:acme/dbt.git",
    branch="main",
    autogen_relationships=True,
    enable_virtual_schemas=False,
)

production = DbtEnvironment(
    "production",
    connection_id=dbt.connection_id,
    name="Production",
    target_schema="analytics",
    variables={"DBT_TARGET": "production"},
    adopt=True,  # Omni creates it together with the dbt configuration
)

staging = DbtEnvironment(
    "staging",
    connection_id=dbt.connection_id,
    name="Staging",
    target_schema="analytics_staging",
    variables={"DBT_TARGET": "staging"},
    secret_variables={"DBT_TOKEN": config.require_secret("dbtToken")},
)

# It takes effect once the base connection has a ConnectionEnvironmentAttribute.
ConnectionEnvironment(
    "staging",
    base_connection_id=config.require("connectionId"),
    environment_connection_id=config.require("stagingConnectionId"),
    user_attribute_values=["staging"],
)

LightdashDbtSource(
    "finance",
    project_uuid=config.require("projectUuid"),
    name="finance",
    dbt_connection=GithubConnection(
        repository="acme/dbt",
        branch="main",
        project_sub_path="/",
        personal_access_token=config.require_secret("githubToken"),
    ),
)

pulumi.export("stagingEnvironmentId", staging.environment_id)
