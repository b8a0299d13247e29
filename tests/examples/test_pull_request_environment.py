"""A stack per pull request: a schema, a dbt environment, and nothing left of both when it is closed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from omni_pulumi.simulator import CONNECTION_ID, OmniSimulator
from tests.examples.ci import GitHub, GitLab
from tests.examples.conftest import EXAMPLES, Ci, Example, copy

pytestmark = pytest.mark.slow

NAME = "pull_request_environment"


@pytest.fixture(autouse=True)
def _dbt(omni: OmniSimulator) -> None:
    """The connection has a dbt configuration, which another stack looks after."""
    omni.configure_dbt(CONNECTION_ID)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """Where the schemas are."""
    return tmp_path / "warehouse.duckdb"


@pytest.fixture
def there(omni: OmniSimulator, warehouse: Path) -> Callable[[], dict[str, str]]:
    """Tells which pull requests have an environment, with its schema, after a look that the schemas are the same."""

    def look() -> dict[str, str]:
        names = {each["name"]: each["target_schema"] for each in omni.environments(CONNECTION_ID)}
        found = {name: schema for name, schema in names.items() if name.startswith("PR_")}
        with duckdb.connect(str(warehouse)) as database:
            rows = database.execute(
                "SELECT schema_name FROM duckdb_schemas() WHERE schema_name LIKE 'pr\\_%' ESCAPE '\\'"
            )
            assert sorted(found.values()) == sorted(schema for (schema,) in rows.fetchall())
        return found

    return look


def test_side_by_side(ci: Ci, tmp_path: Path, warehouse: Path, there: Callable[[], dict[str, str]]) -> None:
    """Two pull requests have their own, a push changes nothing, closing one leaves the other, and twice is once.

    Each run is a new checkout, which has the stack's state in the backend and no file of its configuration.
    """

    def service() -> GitHub | GitLab:
        checkout = tmp_path / f"checkout-{len([*tmp_path.glob('checkout-*')])}"
        copy(EXAMPLES / NAME, checkout / NAME)
        return ci(NAME, checkout, WAREHOUSE=str(warehouse))

    for number, action in ((7, "opened"), (8, "opened"), (7, "synchronize")):
        (ran,) = service().pull_request(number, action).values()
        assert not ran.failed, ran.log
    assert "3 unchanged" in ran.log
    assert there() == {"PR_7": "pr_7", "PR_8": "pr_8"}

    for _ in range(2):
        (ran,) = service().pull_request(7, "closed").values()
        assert not ran.failed, ran.log
        assert there() == {"PR_8": "pr_8"}

    assert service().pull_request(9, fork=True) == {}


def test_drift_is_repaired(
    example: Example, omni: OmniSimulator, warehouse: Path, there: Callable[[], dict[str, str]]
) -> None:
    """A schema that somebody dropped and an environment that somebody deleted are made again."""
    pulumi = example(NAME, stack="pr-7", WAREHOUSE=str(warehouse))
    pulumi.must("up", "--yes", "--skip-preview")
    (environment,) = [each["id"] for each in omni.environments(CONNECTION_ID) if each["name"] == "PR_7"]
    omni.delete_environment(environment)
    with duckdb.connect(str(warehouse)) as database:
        database.execute("DROP SCHEMA pr_7")
    assert "+ 2 created" in pulumi.must("up", "--yes", "--skip-preview", "--refresh")
    assert there() == {"PR_7": "pr_7"}


def test_another_stack_s_name_is_refused(example: Example, warehouse: Path) -> None:
    """A stack that is not called after a pull request says so."""
    result = example(NAME, stack="prod", WAREHOUSE=str(warehouse)).run("preview")
    assert result.status != 0
    assert "Expected a stack called pr-<number>, got 'prod'." in result.output


def test_policies(example: Example, tmp_path: Path, warehouse: Path) -> None:
    """With the configuration that the README shows, the policies know that dbt is configured elsewhere."""
    pulumi = example(NAME, stack="pr-7", WAREHOUSE=str(warehouse))
    copy(EXAMPLES.parent / "policies", tmp_path / "policies")
    pack = ("--policy-pack", str(tmp_path / "policies"))
    (shown,) = re.findall(
        r"^```json\n(.*?)^```$", (EXAMPLES / NAME / "README.md").read_text(), re.DOTALL | re.MULTILINE
    )
    configuration = tmp_path / "policies.json"
    configuration.write_text(shown)
    assert json.loads(shown)["environment-has-configuration"]["declaredElsewhere"] == [CONNECTION_ID]

    assert "environment-has-configuration" in pulumi.run("preview", *pack).output
    assert "environment-has-configuration" not in pulumi.must(
        "preview", *pack, "--policy-pack-config", str(configuration)
    )
