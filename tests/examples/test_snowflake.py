"""The Snowflake program with Pulumi's mocks: outputs reach the resources that use them, and the key stays secret."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import yaml
from pulumi.runtime.rpc import _special_secret_sig, _special_sig_key

from tests.examples.conftest import EXAMPLES

pytestmark = pytest.mark.slow

FOLDER = EXAMPLES / "snowflake"
Inputs = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    """The inputs of each resource by kind and name."""
    declared = yaml.safe_load((FOLDER / "Pulumi.yaml").read_text())["config"]
    config = json.dumps({key: each["default"] for key, each in declared.items()})
    command = [sys.executable, "-m", "tests.examples.mocked", str(FOLDER), config]
    ran = subprocess.run(command, cwd=EXAMPLES.parent, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return {(each["type"].rpartition(":")[2], each["name"]): each["inputs"] for each in json.loads(ran.stdout)}


def test_snowflake_objects(inputs: Inputs) -> None:
    """The schema is in the database. The user has the role and a public key without BEGIN and END lines."""
    assert inputs["Schema", "staging"] == {"database": "ANALYTICS", "name": "STAGING"}
    assert inputs["ServiceUser", "dbt"]["rsaPublicKey"] == "MIIBIjAN"
    assert inputs["GrantAccountRole", "dbt"] == {"roleName": '"DBT_STAGING"', "userName": '"DBT_STAGING"'}


def test_privileges_of_the_role(inputs: Inputs) -> None:
    """The role can use warehouse, database and schema, and create tables and views in the schema, nothing else."""
    grants = {name: each for (kind, name), each in inputs.items() if kind == "GrantPrivilegesToAccountRole"}
    assert {each["accountRoleName"] for each in grants.values()} == {'"DBT_STAGING"'}
    assert grants["schema"]["onSchema"] == {"schemaName": '"STAGING"'}
    assert {name: each["privileges"] for name, each in grants.items()} == {
        "compute": ["USAGE"],
        "database": ["USAGE"],
        "schema": ["USAGE", "CREATE TABLE", "CREATE VIEW"],
    }


def test_inputs_of_omni_and_lightdash(inputs: Inputs) -> None:
    """Omni and Lightdash get the names in Snowflake. Only Omni gets the private key, as a secret."""
    environment = inputs["DbtEnvironment", "staging"]
    assert [environment[key] for key in ("targetDatabase", "targetSchema", "targetRole")] == [
        "ANALYTICS",
        "STAGING",
        "DBT_STAGING",
    ]
    assert environment["variables"] == {"SNOWFLAKE_USER": "DBT_STAGING", "SNOWFLAKE_WAREHOUSE": "TRANSFORMING"}
    assert environment["secretVariables"] == {
        _special_sig_key: _special_secret_sig,
        "value": {"SNOWFLAKE_PRIVATE_KEY": "a private key"},
    }
    assert inputs["LightdashDbtSource", "staging"]["dbtConnection"]["environment"] == {
        "SNOWFLAKE_DATABASE": "ANALYTICS",
        "SNOWFLAKE_SCHEMA": "STAGING",
    }
    assert json.dumps(list(inputs.values())).count("a private key") == 1
