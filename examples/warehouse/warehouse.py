"""Schemas of a real warehouse as a dynamic resource: a DuckDB file beside this one, or Postgres.

`warehouse:url` in the stack's configuration says which Postgres. It is no input of a resource, so it is in the state
only as a part of the secret output `url`. The names of this module and of the provider are in the state of every stack.
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

_one_at_a_time = threading.Lock()
"""The engine calls from four threads, and two changes of DuckDB's catalog at once are a conflict."""


class SchemaProvider(ResourceProvider):
    """Creates, finds and drops schemas."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Find out which warehouse it is."""
        self._postgres = req.config.get("warehouse:url")
        if self._postgres is not None and not self._postgres.startswith(("postgres://", "postgresql://")):
            raise ValueError("warehouse:url must be like postgresql://<user>:<password>@<host>/<database>.")

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Accept plain names only, which need no quotes in dbt either."""
        name = news["name"]
        if isinstance(name, str) and not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
            return CheckResult(news, [CheckFailure("name", "must be of lower-case letters, digits and underscores")])
        return CheckResult(news, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Another name is another schema; the old one goes when all that read it have moved."""
        return DiffResult(
            changes=any(news[key] != olds[key] for key in ("name", "cascade")),
            replaces=["name"] if news["name"] != olds["name"] else [],
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create it. One that exists is somebody's, and an error."""
        name = props["name"]
        self._execute(f"CREATE SCHEMA {name}")
        ((database,),) = self._execute("SELECT current_database()")
        return CreateResult(name, {**props, "database": database, "url": self._url(name)})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Say whether it is still there."""
        names = self._execute(
            "SELECT schema_name FROM information_schema.schemata WHERE catalog_name = current_database()"
        )
        if (id_,) not in names:
            return ReadResult("", {})
        return ReadResult(id_, props, {key: props[key] for key in ("name", "cascade")})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Remember `cascade`, the one thing that can change in place."""
        return UpdateResult({**olds, "cascade": news["cascade"]})

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Drop it. What dbt has made in it goes only with `cascade`."""
        self._execute(f"DROP SCHEMA IF EXISTS {id_} {'CASCADE' if props['cascade'] else 'RESTRICT'}")

    def _url(self, name: str) -> str:
        if self._postgres is None:
            return f"duckdb:///{FILE}?schema={name}"
        separator = "&" if "?" in self._postgres else "?"
        return f"{self._postgres}{separator}options={quote(f'-csearch_path={name}')}"

    def _execute(self, statement: str) -> list[tuple[Any, ...]]:
        with _one_at_a_time:
            if self._postgres is None:
                with duckdb.connect(FILE) as file:
                    return file.execute(statement).fetchall()
            try:
                connection = psycopg.connect(self._postgres, autocommit=True)
            except psycopg.ProgrammingError:
                raise ValueError("warehouse:url is not a connection URL.") from None  # the error's text would quote it
            with connection:
                cursor = connection.execute(statement.encode())
                return cursor.fetchall() if cursor.description else []


class Schema(Resource, module="warehouse", name="Schema"):
    """A schema of the warehouse.

    `cascade` drops it with all that is in it; otherwise a schema that is not empty stays, and the destroy fails.
    """

    name: pulumi.Output[str]
    database: pulumi.Output[str]
    url: pulumi.Output[str]
    """How dbt connects: a secret, since a password may be in it."""

    def __init__(
        self, resource_name: str, *, name: str, cascade: bool = False, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the schema `name`."""
        properties = {"name": name, "cascade": cascade, "database": None, "url": None}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["url"])
        super().__init__(SchemaProvider(), resource_name, properties, pulumi.ResourceOptions.merge(opts, secret))
