"""A schema of a warehouse as a dynamic resource: in a DuckDB file in this folder, or in Postgres.

`warehouse:url` in the stack's configuration is the URL of Postgres. It is not an input of a resource, so the state only
has it inside the secret output `url`. The names of this module and of the provider class are in the state, so do not
rename them.
"""

from __future__ import annotations

import re
import threading
from typing import Any
from urllib.parse import quote

import duckdb
import psycopg
import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

FILE = "warehouse.duckdb"

_lock = threading.Lock()
"""The engine uses four threads. Two concurrent changes of DuckDB's catalog conflict."""


class SchemaProvider(ResourceProvider):
    """Creates, reads and drops schemas."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Read the URL of Postgres from the stack's configuration."""
        self._postgres = req.config.get("warehouse:url")
        if self._postgres is not None and not self._postgres.startswith(("postgres://", "postgresql://")):
            raise ValueError("warehouse:url must be like postgresql://<user>:<password>@<host>/<database>.")

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Accept only names that need no quotes, in SQL and in dbt."""
        name = news["name"]
        if isinstance(name, str) and not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
            return CheckResult(
                news, [CheckFailure("name", "must consist of lower-case letters, digits and underscores")]
            )
        return CheckResult(news, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Replace the schema when its name changes. The old one is dropped after all updates."""
        return DiffResult(
            changes=any(news[key] != olds[key] for key in ("name", "cascade")),
            replaces=["name"] if news["name"] != olds["name"] else [],
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create the schema. An existing schema is an error, because it may belong to somebody else."""
        name = props["name"]
        self._execute(f"CREATE SCHEMA {name}")
        ((database,),) = self._execute("SELECT current_database()")
        return CreateResult(name, {**props, "database": database, "url": self._url(name)})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return an empty ID when the schema no longer exists."""
        names = self._execute(
            "SELECT schema_name FROM information_schema.schemata WHERE catalog_name = current_database()"
        )
        if (id_,) not in names:
            return ReadResult("", {})
        return ReadResult(id_, props, {key: props[key] for key in ("name", "cascade")})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Store `cascade`, the only input that can change without a replacement."""
        return UpdateResult({**olds, "cascade": news["cascade"]})

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Drop the schema. Without `cascade` this fails if the schema has tables."""
        self._execute(f"DROP SCHEMA IF EXISTS {id_} {'CASCADE' if props['cascade'] else 'RESTRICT'}")

    def _url(self, name: str) -> str:
        if self._postgres is None:
            return f"duckdb:///{FILE}?schema={name}"
        separator = "&" if "?" in self._postgres else "?"
        return f"{self._postgres}{separator}options={quote(f'-csearch_path={name}')}"

    def _execute(self, statement: str) -> list[tuple[Any, ...]]:
        with _lock:
            if self._postgres is None:
                with duckdb.connect(FILE) as file:
                    return file.execute(statement).fetchall()
            try:
                connection = psycopg.connect(self._postgres, autocommit=True)
            except psycopg.ProgrammingError:
                raise ValueError(
                    "warehouse:url is not a connection URL."
                ) from None  # the original error quotes the URL
            with connection:
                cursor = connection.execute(statement.encode())
                return cursor.fetchall() if cursor.description else []


class Schema(Resource, module="warehouse", name="Schema"):
    """A schema of the warehouse.

    With `cascade` it is dropped with its contents. Otherwise destroying a schema that is not empty fails.
    """

    name: pulumi.Output[str]
    database: pulumi.Output[str]
    url: pulumi.Output[str]
    """URL for dbt. It is secret, because it may contain a password."""

    def __init__(
        self, resource_name: str, *, name: str, cascade: bool = False, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare a schema."""
        properties = {"name": name, "cascade": cascade, "database": None, "url": None}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["url"])
        super().__init__(SchemaProvider(), resource_name, properties, pulumi.ResourceOptions.merge(opts, secret))
