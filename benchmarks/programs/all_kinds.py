"""The program with this package: a resource of each kind."""

import json
import pathlib

from omni_pulumi import (
    ConnectionEnvironment,
    ConnectionEnvironmentAttribute,
    DbtConfiguration,
    DbtEnvironment,
    GithubConnection,
    LightdashDbtSource,
)
from omni_pulumi.simulator import CONNECTION_ID, PROJECT_ID, STAGING_CONNECTION_ID

(declared,) = json.loads(pathlib.Path("stack.json").read_text())
text = declared["text"]

dbt = DbtConfiguration(
    "configuration",
    connection_id=CONNECTION_ID,
    ssh_url="git@github.com:acme/dbt.git",
    branch=text,
    autogen_relationships=True,
    enable_virtual_schemas=False,
)
DbtEnvironment(
    "environment",
    connection_id=dbt.connection_id,
    name="Staging",
    target_schema=text,
    variables={"DBT_TARGET": "staging"},
    secret_variables={"DBT_TOKEN": "made-up token"},
)
ConnectionEnvironment(
    "connection-environment",
    base_connection_id=CONNECTION_ID,
    environment_connection_id=STAGING_CONNECTION_ID,
    user_attribute_values=[text],
)
ConnectionEnvironmentAttribute(
    "attribute", connection_id=CONNECTION_ID, attribute_name="environment", default_values=[f"other than {text}"]
)
LightdashDbtSource(
    "source",
    project_uuid=PROJECT_ID,
    name="finance",
    dbt_connection=GithubConnection(
        repository="acme/dbt",
        branch=text,
        project_sub_path="/",
        personal_access_token="made-up token",  # noqa: S106 - not a password
    ),
)
