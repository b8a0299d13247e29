"""A schema of a DuckDB or MotherDuck database, as a short dynamic resource.

The environment variable `WAREHOUSE` is a file, or `md:<database>` with a token in `motherduck_token`. Environment
variables are not in the state. The names of this module and of the provider class are in the state, so do not rename
them.
"""

import os
from typing import Any

import duckdb
import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider


def execute(statement: str, parameters: list[str] | None = None) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows."""
    with duckdb.connect(os.environ["WAREHOUSE"]) as warehouse:
        return warehouse.execute(statement, parameters or []).fetchall()


class SchemaProvider(ResourceProvider):
    """Creates, reads and drops a schema."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create the schema, unless dbt has created it already."""
        execute(f'CREATE SCHEMA IF NOT EXISTS "{props["name"]}"')
        return CreateResult(props["name"], {"name": props["name"]})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return an empty ID when the schema no longer exists."""
        found = execute("SELECT 1 FROM duckdb_schemas() WHERE schema_name = ?", [id_])
        return ReadResult(id_, props) if found else ReadResult("", {})

    def diff(self, id_: str, _olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Replace the schema when its name changes."""
        return DiffResult(changes=news["name"] != id_, replaces=["name"])

    def delete(self, id_: str, _props: dict[str, Any]) -> None:
        """Drop the schema with everything that dbt has created in it."""
        execute(f'DROP SCHEMA IF EXISTS "{id_}" CASCADE')


class Schema(Resource, module="warehouse", name="Schema"):
    """A schema that is dropped with its contents."""

    name: pulumi.Output[str]

    def __init__(self, resource_name: str, *, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare a schema."""
        super().__init__(SchemaProvider(), resource_name, {"name": name}, opts)
