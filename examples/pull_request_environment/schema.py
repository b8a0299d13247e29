"""A schema of a DuckDB or MotherDuck database, as a dynamic resource of a few lines.

The variable `WAREHOUSE` says which: a file, or `md:<database>` with a token in `motherduck_token`. They are no inputs,
and so not in the state. The names of this module and of the provider are: stacks that exist need them unchanged.
"""

import os
from typing import Any

import duckdb
import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider


def execute(statement: str, parameters: list[str] | None = None) -> list[tuple[Any, ...]]:
    """Run a statement, and return its rows."""
    with duckdb.connect(os.environ["WAREHOUSE"]) as warehouse:
        return warehouse.execute(statement, parameters or []).fetchall()


class SchemaProvider(ResourceProvider):
    """Creates, looks up and drops a schema."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create it; dbt may have been first."""
        execute(f'CREATE SCHEMA IF NOT EXISTS "{props["name"]}"')
        return CreateResult(props["name"], {"name": props["name"]})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Say whether it is still there."""
        found = execute("SELECT 1 FROM duckdb_schemas() WHERE schema_name = ?", [id_])
        return ReadResult(id_, props) if found else ReadResult("", {})

    def diff(self, id_: str, _olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Another name is another schema."""
        return DiffResult(changes=news["name"] != id_, replaces=["name"])

    def delete(self, id_: str, _props: dict[str, Any]) -> None:
        """Drop it with all that dbt has made in it."""
        execute(f'DROP SCHEMA IF EXISTS "{id_}" CASCADE')


class Schema(Resource, module="warehouse", name="Schema"):
    """A schema, which is dropped with all that is in it."""

    name: pulumi.Output[str]

    def __init__(self, resource_name: str, *, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare the schema `name`."""
        super().__init__(SchemaProvider(), resource_name, {"name": name}, opts)
