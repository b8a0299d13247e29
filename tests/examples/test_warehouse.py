"""A stack with a real warehouse and the BI services: order, replacement, destroy, drift, secrets."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg
import pytest

from omni_pulumi.simulator import CONNECTION_ID, PROJECT_ID, LightdashSimulator, OmniSimulator, faults
from tests.examples.conftest import Example
from tests.examples.postgres import run_postgres
from tools.pulumi_cli import PulumiCli

pytestmark = pytest.mark.slow

PASSWORD = "hush-warehouse"
ENVIRONMENTS = "/dbt/environments"


@dataclass
class Warehouse:
    """A stack of the example, and its warehouse."""

    pulumi: PulumiCli
    execute: Callable[[str], list[tuple[str, ...]]]
    query: Callable[[str], list[tuple[str, ...]]]
    url: str

    def schemas(self) -> set[str]:
        """Returns the schemas that the example creates."""
        rows = self.query("SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'analytics%'")
        return {name for (name,) in rows}


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """URL of a Postgres for these tests."""
    with run_postgres(password=PASSWORD) as url:
        yield url


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest, example: Example) -> Iterator[Warehouse]:
    """An empty stack with an empty warehouse of each kind."""
    pulumi = example("warehouse")
    if request.param == "duckdb":
        file = pulumi.project / "warehouse.duckdb"

        def execute(statement: str, file: Path = file) -> list[tuple[str, ...]]:
            with duckdb.connect(str(file)) as connection:
                return connection.execute(statement).fetchall()

        def query(statement: str) -> list[tuple[str, ...]]:
            """Queries a copy, because only one process can open the file."""
            copy = pulumi.project / "copy.duckdb"
            if not file.exists():
                return []
            shutil.copy(file, copy)
            return execute(statement, copy)

        yield Warehouse(pulumi, execute, query, "duckdb:///warehouse.duckdb?schema={}")
        return
    url: str = request.getfixturevalue("postgres")

    def execute_in_postgres(statement: str) -> list[tuple[str, ...]]:
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    pulumi.must("config", "set", "--secret", "warehouse:url", url)
    warehouse = Warehouse(pulumi, execute_in_postgres, execute_in_postgres, f"{url}&options=-csearch_path%3D{{}}")
    yield warehouse
    for name in warehouse.schemas():
        execute_in_postgres(f"DROP SCHEMA {name} CASCADE")


def target_schemas(omni: OmniSimulator) -> dict[str, str]:
    """Returns the target schema of each environment."""
    return {each["name"]: each["target_schema"] for each in omni.environments(CONNECTION_ID)}


def test_life_cycle(warehouse: Warehouse, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
    """A schema is created before the resources that read it, and dropped after they are updated or deleted."""
    pulumi, seen = warehouse.pulumi, dict[str, set[str]]()

    def record(moment: str, method: str) -> None:
        """Records the schemas at the next write of an environment."""
        path = rf"{ENVIRONMENTS}(/[^/]+)?$"
        omni.inject(
            faults.Callback(
                lambda: seen.update({moment: warehouse.schemas()}), processed=False, method=method, path=path
            )
        )

    assert "+ 7 to create" in pulumi.must("preview")
    assert warehouse.schemas() == set()

    record("create", "POST")
    assert "+ 7 created" in pulumi.must("up", "--yes", "--skip-preview")
    assert "analytics_staging" in seen["create"]
    assert target_schemas(omni) == {"Production": "analytics", "Staging": "analytics_staging"}
    assert warehouse.schemas() == {"analytics", "analytics_staging"}
    (source,) = lightdash.sources(PROJECT_ID)
    assert source["connection"]["environment"] == [{"key": "DBT_SCHEMA", "value": "analytics_staging"}]
    stored = {each["name"]: each["variables"] for each in omni.environments(CONNECTION_ID)}
    assert stored["Production"][0]["value"] == warehouse.url.format("analytics")
    assert PASSWORD not in pulumi.must("stack", "export")

    pulumi.must("preview", "--refresh", "--expect-no-changes")

    warehouse.execute("CREATE TABLE analytics_staging.orders (id INTEGER)")
    pulumi.must("config", "set", "stagingSchema", "analytics_stage")
    preview = pulumi.must("preview", "--diff")
    assert '~ name: "analytics_staging" => "analytics_stage"' in " ".join(preview.split()).replace(" :", ":")
    record("move", "PUT")
    assert "+-1 replaced" in pulumi.must("up", "--yes", "--skip-preview")
    assert seen["move"] == {"analytics", "analytics_staging", "analytics_stage"}
    assert target_schemas(omni) == {"Production": "analytics", "Staging": "analytics_stage"}
    assert warehouse.schemas() == {"analytics", "analytics_stage"}

    record("delete", "DELETE")
    pulumi.must("destroy", "--yes", "--skip-preview")
    assert seen["delete"] == {"analytics", "analytics_stage"}
    assert warehouse.schemas() == set()
    assert target_schemas(omni) == {"Production": "analytics"}
    assert omni.dbt_configuration(CONNECTION_ID) is None
    assert lightdash.sources(PROJECT_ID) == []


def test_failures_in_the_warehouse(warehouse: Warehouse, omni: OmniSimulator) -> None:
    """An environment needs its schema. A schema with tables is kept, and a dropped schema is created again."""
    pulumi = warehouse.pulumi
    warehouse.execute("CREATE SCHEMA analytics_staging")
    result = pulumi.run("up", "--yes", "--skip-preview")
    assert result.status != 0
    assert "already exists" in result.output
    assert PASSWORD not in result.output
    assert "Staging" not in target_schemas(omni)

    warehouse.execute("DROP SCHEMA analytics_staging")
    pulumi.must("up", "--yes", "--skip-preview")
    assert target_schemas(omni) == {"Production": "analytics", "Staging": "analytics_staging"}

    warehouse.execute("DROP SCHEMA analytics_staging")
    assert "+ 1 created" in pulumi.must("up", "--yes", "--skip-preview", "--refresh")
    assert warehouse.schemas() == {"analytics", "analytics_staging"}

    warehouse.execute("CREATE TABLE analytics.orders (id INTEGER)")
    result = pulumi.run("destroy", "--yes", "--skip-preview")
    assert result.status != 0
    assert PASSWORD not in result.output
    assert warehouse.schemas() == {"analytics"}
    warehouse.execute("DROP TABLE analytics.orders")
    pulumi.must("destroy", "--yes", "--skip-preview")
    assert warehouse.schemas() == set()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"mysql://me:{PASSWORD}@host/db", "warehouse:url must be like postgresql://"),
        (f"postgresql://me:{PASSWORD}@[host/db", "warehouse:url is not a connection URL."),
    ],
)
def test_invalid_url_is_an_error(example: Example, url: str, reason: str) -> None:
    """An invalid URL of Postgres is an error that does not contain the URL."""
    pulumi = example("warehouse")
    pulumi.must("config", "set", "--secret", "warehouse:url", url)
    result = pulumi.run("up", "--yes", "--skip-preview")
    assert result.status != 0
    assert reason in result.output
    assert PASSWORD not in result.output


def test_name_that_needs_quotes_is_an_error(example: Example) -> None:
    """A name that needs quotes is an error in the preview."""
    pulumi = example("warehouse")
    pulumi.must("config", "set", "stagingSchema", "Two Words")
    result = pulumi.run("preview")
    assert result.status != 0
    assert "must consist of lower-case letters, digits and underscores" in result.output
