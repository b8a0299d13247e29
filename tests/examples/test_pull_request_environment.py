"""Each pull request has a schema and a dbt environment, which are removed when it is closed."""

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
    """Another stack manages the dbt configuration of the connection."""
    omni.configure_dbt(CONNECTION_ID)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """The database file with the schemas."""
    return tmp_path / "warehouse.duckdb"


@pytest.fixture
def environments(omni: OmniSimulator, warehouse: Path) -> Callable[[], dict[str, str]]:
    """Returns the environments of pull requests with their schemas, which are those of the warehouse."""

    def read() -> dict[str, str]:
        names = {each["name"]: each["target_schema"] for each in omni.environments(CONNECTION_ID)}
        found = {name: schema for name, schema in names.items() if name.startswith("PR_")}
        with duckdb.connect(str(warehouse)) as database:
            rows = database.execute(
                "SELECT schema_name FROM duckdb_schemas() WHERE schema_name LIKE 'pr\\_%' ESCAPE '\\'"
            )
            assert sorted(found.values()) == sorted(schema for (schema,) in rows.fetchall())
        return found

    return read


def test_two_pull_requests(ci: Ci, tmp_path: Path, warehouse: Path, environments: Callable[[], dict[str, str]]) -> None:
    """Two pull requests have separate environments. A push changes nothing, and closing one keeps the other.

    Each run is a new checkout without the stack's configuration file. Closing a pull request twice is no error.
    """

    def service() -> GitHub | GitLab:
        checkout = tmp_path / f"checkout-{len([*tmp_path.glob('checkout-*')])}"
        copy(EXAMPLES / NAME, checkout / NAME)
        return ci(NAME, checkout, WAREHOUSE=str(warehouse))

    for number, action in ((7, "opened"), (8, "opened"), (7, "synchronize")):
        (ran,) = service().pull_request(number, action).values()
        assert not ran.failed, ran.log
    assert "3 unchanged" in ran.log
    assert environments() == {"PR_7": "pr_7", "PR_8": "pr_8"}

    for _ in range(2):
        (ran,) = service().pull_request(7, "closed").values()
        assert not ran.failed, ran.log
        assert environments() == {"PR_8": "pr_8"}

    assert service().pull_request(9, fork=True) == {}


def test_drift_is_corrected(
    example: Example, omni: OmniSimulator, warehouse: Path, environments: Callable[[], dict[str, str]]
) -> None:
    """A dropped schema and a deleted environment are created again."""
    pulumi = example(NAME, stack="pr-7", WAREHOUSE=str(warehouse))
    pulumi.must("up", "--yes", "--skip-preview")
    (environment,) = [each["id"] for each in omni.environments(CONNECTION_ID) if each["name"] == "PR_7"]
    omni.delete_environment(environment)
    with duckdb.connect(str(warehouse)) as database:
        database.execute("DROP SCHEMA pr_7")
    assert "+ 2 created" in pulumi.must("up", "--yes", "--skip-preview", "--refresh")
    assert environments() == {"PR_7": "pr_7"}


def test_other_stack_name_is_an_error(example: Example, warehouse: Path) -> None:
    """A stack with another name is an error that names both forms."""
    result = example(NAME, stack="prod", WAREHOUSE=str(warehouse)).run("preview")
    assert result.status != 0
    assert "pr-<number>, got 'prod'" in result.output


def test_policies(example: Example, tmp_path: Path, warehouse: Path) -> None:
    """The policy configuration in the README allows a dbt configuration in another stack."""
    pulumi = example(NAME, stack="pr-7", WAREHOUSE=str(warehouse))
    copy(EXAMPLES.parent / "policies", tmp_path / "policies")
    pack = ("--policy-pack", str(tmp_path / "policies"))
    (block,) = re.findall(
        r"^```json\n(.*?)^```$", (EXAMPLES / NAME / "README.md").read_text(), re.DOTALL | re.MULTILINE
    )
    configuration = tmp_path / "policies.json"
    configuration.write_text(block)
    assert json.loads(block)["environment-has-configuration"]["declaredElsewhere"] == [CONNECTION_ID]

    assert "environment-has-configuration" in pulumi.run("preview", *pack).output
    assert "environment-has-configuration" not in pulumi.must(
        "preview", *pack, "--policy-pack-config", str(configuration)
    )
