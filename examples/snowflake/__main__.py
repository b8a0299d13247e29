"""A schema, a role and a user with a key pair in Snowflake, and the resources of Omni and Lightdash that use them."""

import pulumi
import pulumi_snowflake as snowflake
import pulumi_tls as tls

from omni_pulumi import DbtConfiguration, DbtEnvironment, GithubConnection, LightdashDbtSource

config = pulumi.Config()
compute = config.require("computeWarehouse")

database = snowflake.Database("analytics", name="ANALYTICS")
schema = snowflake.Schema("staging", database=database.name, name="STAGING")


def without_pem_lines(pem: str) -> str:
    """Return a public key in the form that Snowflake expects: one line, without the BEGIN and END lines."""
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))


key = tls.PrivateKey("dbt", algorithm="RSA", rsa_bits=2048)
role = snowflake.AccountRole("dbt", name="DBT_STAGING")
user = snowflake.ServiceUser(
    "dbt",
    name="DBT_STAGING",
    default_role=role.name,
    default_warehouse=compute,
    rsa_public_key=key.public_key_pem.apply(without_pem_lines),
)

grants = [
    snowflake.GrantAccountRole("dbt", role_name=role.fully_qualified_name, user_name=user.fully_qualified_name),
    snowflake.GrantPrivilegesToAccountRole(
        "compute",
        account_role_name=role.fully_qualified_name,
        privileges=["USAGE"],
        on_account_object={"object_type": "WAREHOUSE", "object_name": f'"{compute}"'},
    ),
    snowflake.GrantPrivilegesToAccountRole(
        "database",
        account_role_name=role.fully_qualified_name,
        privileges=["USAGE"],
        on_account_object={"object_type": "DATABASE", "object_name": database.fully_qualified_name},
    ),
    snowflake.GrantPrivilegesToAccountRole(
        "schema",
        account_role_name=role.fully_qualified_name,
        privileges=["USAGE", "CREATE TABLE", "CREATE VIEW"],
        on_schema={"schema_name": schema.fully_qualified_name},
    ),
]
ready = pulumi.ResourceOptions(depends_on=grants)  # the resources below use no output of a grant

dbt = DbtConfiguration(
    "dbt",
    connection_id=config.require("connectionId"),
    ssh_url="git@github.com:acme/dbt.git",
    branch="main",
    autogen_relationships=True,
    enable_virtual_schemas=False,
)

environment = DbtEnvironment(
    "staging",
    connection_id=dbt.connection_id,
    name="Staging",
    target_database=database.name,
    target_schema=schema.name,
    target_role=role.name,
    variables={"SNOWFLAKE_USER": user.name, "SNOWFLAKE_WAREHOUSE": compute},
    secret_variables={"SNOWFLAKE_PRIVATE_KEY": key.private_key_pem_pkcs8},
    opts=ready,
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
        environment={"SNOWFLAKE_DATABASE": database.name, "SNOWFLAKE_SCHEMA": schema.name},
        installation_id=config.require("githubInstallationId"),
    ),
    opts=ready,
)
