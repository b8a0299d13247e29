"""Resources that violate no policy. Each test case changes some of their properties."""

from __future__ import annotations

from typing import Any

from omni_pulumi.policies.common import (
    CONNECTION_ENVIRONMENT,
    CONNECTION_ENVIRONMENT_ATTRIBUTE,
    DBT_CONFIGURATION,
    DBT_ENVIRONMENT,
    LIGHTDASH_DBT_SOURCE,
)
from tests.policies.evaluation import Declared

ONE = "00000000-0000-4000-8000-000000000001"
TWO = "00000000-0000-4000-8000-000000000002"
PERSON = "00000000-0000-4000-8000-00000000000a"


def configuration(name: str = "dbt", *, protect: bool = False, stack: str = "test", **changed: Any) -> Declared:
    """Return a dbt configuration."""
    properties = {
        "connectionId": ONE,
        "sshUrl": "git@github.com:acme/dbt.git",
        "branch": "main",
        "autogenRelationships": True,
        "enableVirtualSchemas": False,
        "enableSemanticLayer": False,
        "dbtVersion": "1.11",
    }
    return Declared(DBT_CONFIGURATION, name, {**properties, **changed}, protect, stack)


def environment(name: str = "staging", *, protect: bool = False, stack: str = "test", **changed: Any) -> Declared:
    """Return a dbt environment. ``called`` sets its property ``name``."""
    properties = {
        "connectionId": ONE,
        "name": "Staging",
        "targetSchema": "staging",
        "variables": {"DBT_TARGET": "staging"},
        "secretVariables": {},
    }
    if "called" in changed:
        changed["name"] = changed.pop("called")
    return Declared(DBT_ENVIRONMENT, name, {**properties, **changed}, protect, stack)


def connection_environment(name: str = "connection_environment", **changed: Any) -> Declared:
    """Return a connection environment."""
    properties = {
        "baseConnectionId": ONE,
        "environmentConnectionId": TWO,
        "userAttributeValues": ["staging"],
    }
    return Declared(CONNECTION_ENVIRONMENT, name, {**properties, **changed})


def attribute(*, stack: str = "test", **changed: Any) -> Declared:
    """Return an environment user attribute."""
    properties = {"connectionId": ONE, "attributeName": "environment"}
    return Declared(CONNECTION_ENVIRONMENT_ATTRIBUTE, "attribute", {**properties, **changed}, stack=stack)


def source(name: str = "finance", *, stack: str = "test", **changed: Any) -> Declared:
    """Return a Lightdash source with changed properties of its connection. ``None`` removes a property."""
    connection = {
        "type": "github",
        "repository": "acme/dbt",
        "branch": "main",
        "projectSubPath": "/",
        "installationId": "7",
        "authorizationMethod": "installation_id",
        **changed,
    }
    connection = {key: value for key, value in connection.items() if value is not None}
    return of_connection(connection, name, stack=stack)


def of_connection(connection: Any, name: str = "finance", *, stack: str = "test") -> Declared:
    """Return a Lightdash source with a connection, which may be unknown as a whole."""
    properties = {"projectUuid": ONE, "name": name, "dbtConnection": connection}
    return Declared(LIGHTDASH_DBT_SOURCE, name, properties, stack=stack)
