"""Which names and values look secret, and how a remediation moves them."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_policy import ResourceValidationArgs, ResourceValidationPolicy
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, deserialize_properties, serialize_properties
from pulumi_policy.proxy import unknown_checking_proxy

from omni_pulumi.policies import select_policies
from omni_pulumi.secret_text import is_secret_name, is_secret_value
from tests.policies.evaluation import UNKNOWN, Declared, evaluate, resource_args
from tests.policies.stacks import configuration, environment, source

POLICY = select_policies(names={"no-plain-secrets"})[0]


@pytest.mark.parametrize(
    "name",
    [
        "TOKEN",
        "DBT_TOKEN",
        "DBT_ENV_SECRET_GIT",
        "dbtPassword",
        "snowflake-passphrase",
        "API_KEY",
        "apiKey",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_PAT",
        "PRIVATE_KEY",
        "DB_PWD",
        "CREDENTIALS",
        "TOKEN_2",
        "PGPASSWORD",
        "DB_PASS",
        "SNOWFLAKE_PASS",
        "DBPASSWORD",
        "AUTHTOKEN",
        "ACCESSTOKEN",
        "DBTAPIKEY",
        "PASSWORDS",
        "API_TOKENS",
        "DBT_ENV_SECRET_URL",
        "DBT_ENV_SECRETS_FILE",
        "SNOWFLAKE_PASSWORD_DEV",
        "API_KEY_EU",
    ],
)
def test_secret_names(name: str) -> None:
    """Names of secrets are recognized in any spelling."""
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "DBT_TARGET",
        "TOKENIZER",
        "PATH",
        "PATTERN",
        "KEY_COLUMN",
        "SECRETARY",
        "TOKEN_URL",
        "SECRET_NAME",
        "KEYS",
        "COMPASS",
        "PASS_RATE",
        "MAX_TOKENS",
        "TOKEN_COLUMN",
        "PASSWORD_POLICY",
        "TOKEN_LIMIT",
        "CREDENTIALS_TABLE",
        "PRIVATE_KEY_PATH",
        "SECRETS_FILE",
        "GOOGLE_APPLICATION_CREDENTIALS",
    ],
)
def test_other_names(name: str) -> None:
    """A name that contains the word of a secret, or says where a secret is, is not secret."""
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "value",
    [
        "ghp_0123456789abcdefghij",
        "github_pat_0123456789abc",
        "glpat-0123456789abcdef",
        "AKIAIOSFODNN7EXAMPLE",
        "dapi0123456789abcdef0123456789abcdef",
        "dbtc_0123456789abcdefghij",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
        "postgres://dbt:hunter2@warehouse/analytics",
        "postgres://dbt:hun/ter2@w/db",
        "https://ghp_0123456789@github.com/acme/dbt",
        "https://0123456789abcdefghij@github.com/acme/dbt",
        "https://0123456789abcdefghij:@github.com/acme/dbt",
        "https://github.com/acme/dbt?token=hunter2",
        "jdbc:postgresql://w/db?user=dbt&password=hunter2",
        "jdbc:sqlserver://w;user=dbt;Password=hunter2",
        "https://acme.blob.core.windows.net/x?sv=1&sig=hunter2",
        "https://acme.com/x?access_token=hunter2",
        "omni_osk_0123456789abcdef",
        "omni_pat_0123456789abcdef",
        "ldpat_0123456789abcdef",
        "ATBB0123456789abcdef",
        "ATATT3xFfGF0123456789abcdef",
    ],
)
def test_secret_values(value: str) -> None:
    """Secrets are recognized by the prefixes that their issuers use."""
    assert is_secret_value(value)


@pytest.mark.parametrize(
    "value",
    [
        "staging",
        "git@github.com:acme/dbt.git",
        "https://acme.com:8080/x",
        "https://acme.com:8080/x@1",
        "https://acme@dev.azure.com/acme/bi/_git/dbt",
        "https://ada@bitbucket.org/acme/dbt",
        "https://acme.com/x?token=",
        "2026-11-21",
        "ghp",
        "user@acme.com",
        "risk-scoring-models-production",
        "task-daily-orders-incremental",
        "highs_and_lows_daily_report",
    ],
)
def test_other_values(value: str) -> None:
    """Other values are not secret."""
    assert not is_secret_value(value)


def test_messages_contain_no_value() -> None:
    """A violation names the variable and never shows its value, for each type of resource."""
    secret = "ghp_0123456789abcdef"
    for declared in (
        environment(variables={"A": secret, "A_TOKEN": secret}),
        source(environment={"A": secret, "A_TOKEN": secret}),
        configuration(sshUrl=f"https://me:{secret}@github.com/acme/dbt"),
        source(target=secret),
    ):
        result = evaluate(POLICY, [declared])
        assert result.reports
        assert secret not in result.text


def secret(value: Any) -> dict[str, Any]:
    """Return a secret as the engine sends it."""
    return {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": value}


def moved(declared: Declared, config: dict[str, Any] | None = None) -> Any:
    """Return the inputs that go back to the engine, or ``None`` without changes."""
    args = resource_args(declared, config)
    properties = unknown_checking_proxy(deserialize_properties(declared.properties, proxy_secrets=True))
    assert isinstance(POLICY, ResourceValidationPolicy)
    result: Any = POLICY.remediate(
        ResourceValidationArgs(args.resource_type, properties, args.urn, args.name, args.opts, None, config)
    )
    return None if result is None else serialize_properties(result)


def test_remediation_moves() -> None:
    """A remediation moves secret and secret-looking variables to ``secretVariables`` and changes nothing else."""
    declared = environment(
        variables={"A_TOKEN": "x", "B": "ghp_0123456789abcdef", "C": "c", "D": secret("d"), "E_TOKEN": secret("e")},
        secretVariables={"S": secret("s")},
        targetDatabase=secret("db"),
    )
    after = moved(declared)
    assert after == {
        **declared.properties,
        "variables": {"C": "c"},
        "secretVariables": {
            "S": secret("s"),
            "A_TOKEN": secret("x"),
            "B": secret("ghp_0123456789abcdef"),
            "D": secret("d"),
            "E_TOKEN": secret("e"),
        },
    }
    assert evaluate(POLICY, [declared._replace(properties=deserialize_properties(after))]).reports == []


def test_remediation_of_what_is_secret_as_a_whole() -> None:
    """Variables that stay in a map that is secret as a whole stay secret."""
    declared = environment(variables=secret({"A_TOKEN": "x", "C": "c"}), secretVariables=secret({"S": "s"}))
    after = moved(declared)
    assert after["variables"] == secret({"C": "c"})
    assert after["secretVariables"] == {"S": secret("s"), "A_TOKEN": secret("x")}


def test_remediation_of_unknown_values() -> None:
    """A variable with an unknown value is moved because of its name. A map that is unknown as a whole is unchanged."""
    after = moved(environment(variables={"A_TOKEN": UNKNOWN, "B": UNKNOWN}))
    assert after["variables"] == {"B": UNKNOWN}
    assert after["secretVariables"] == {"A_TOKEN": secret(UNKNOWN)}
    assert moved(environment(variables=UNKNOWN)) is None
    assert moved(environment(variables={"A_TOKEN": "x"}, secretVariables=UNKNOWN)) is None


def test_nothing_to_remediate() -> None:
    """Without secrets to move the inputs are unchanged, and an existing secret variable is not overwritten."""
    assert moved(environment()) is None
    assert moved(environment(variables={})) is None
    assert moved(environment(variables={"A_TOKEN": ""})) is None
    assert moved(environment(variables={"A_TOKEN": "x", "A_B": secret("b")}), {"allowedNames": ["A_*"]}) is None
    assert moved(environment(variables={"A_TOKEN": "x"}, secretVariables={"A_TOKEN": secret("y")})) is None


def test_lightdash_is_not_remediated() -> None:
    """Lightdash has no secret variables, so nothing is moved."""
    assert moved(source(environment={"A_TOKEN": "x"})) is None
