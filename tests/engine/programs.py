"""The program of the engine tests, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_pulumi.simulator import CONNECTION_ID, PROJECT_ID, STAGING_CONNECTION_ID
from tests.engine.project import Program

Arguments = dict[str, Any]

DBT: Arguments = {
    "connection_id": CONNECTION_ID,
    "ssh_url": "git@github.com:acme/dbt.git",
    "branch": "main",
    "autogen_relationships": True,
    "enable_virtual_schemas": False,
}
ENVIRONMENT: Arguments = {
    "connection_id": {"$output": ["dbt", "connection_id"]},
    "name": "Staging",
    "target_schema": "staging",
    "variables": {"DBT_TARGET": "staging"},
    "secret_variables": {"DBT_TOKEN": {"$secret": "dbt-token-one"}, "PLAIN": "dbt-token-plain"},
}
CONNECTION_ENVIRONMENT: Arguments = {
    "base_connection_id": CONNECTION_ID,
    "environment_connection_id": STAGING_CONNECTION_ID,
    "user_attribute_values": ["staging"],
}
CONNECTION: Arguments = {
    "type": "github",
    "repository": "acme/dbt",
    "branch": "main",
    "project_sub_path": "/",
    "personal_access_token": {"$secret": "github_pat_one"},
}
SOURCE: Arguments = {"project_uuid": PROJECT_ID, "name": "finance", "dbt_connection": CONNECTION}

UNCHANGED: Mapping[str, Any] = {}


def program(
    dbt: Mapping[str, Any] = UNCHANGED,
    environment: Mapping[str, Any] = UNCHANGED,
    route: Mapping[str, Any] = UNCHANGED,
    source: Mapping[str, Any] = UNCHANGED,
) -> Program:
    """Return the program of the engine tests with changed arguments."""
    return {
        "dbt": ("DbtConfiguration", {**DBT, **dbt}),
        "environment": ("DbtEnvironment", {**ENVIRONMENT, **environment}),
        "route": ("ConnectionEnvironment", {**CONNECTION_ENVIRONMENT, **route}),
        "source": ("LightdashDbtSource", {**SOURCE, **source}),
    }


def connection(**fields: Any) -> Arguments:
    """Return the arguments of a dbt source whose connection has changed fields, and lacks those that are ``None``."""
    connection = {name: value for name, value in {**CONNECTION, **fields}.items() if value is not None}
    return {"dbt_connection": connection}
