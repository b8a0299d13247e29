"""Names and values that are secret and that are not, and texts before and after masking."""

from __future__ import annotations

import pytest

from omni_pulumi.redact import environment_secrets, redact
from omni_pulumi.secret_text import is_searchable, is_secret_name, is_secret_value

SECRET_NAMES = """
    TOKEN DBT_TOKEN DBT_ENV_SECRET_GIT dbtPassword dbPassword DB_PASSWORD snowflake-passphrase passphrase API_KEY
    apiKey apikey x-api-key accessKey AWS_SECRET_ACCESS_KEY GITHUB_PAT PRIVATE_KEY private_key privateKey privatekey
    DB_PWD CREDENTIALS TOKEN_2 PGPASSWORD DB_PASS SNOWFLAKE_PASS DBPASSWORD AUTHTOKEN ACCESSTOKEN DBTAPIKEY
    PASSWORDS API_TOKENS DBT_ENV_SECRET_URL DBT_ENV_SECRETS_FILE SNOWFLAKE_PASSWORD_DEV API_KEY_EU mytoken
    clientSecret SECRET_SALT BIGQUERY_KEYFILE KEYFILE_JSON keyfileJson SLACK_WEBHOOK SLACK_WEBHOOK_URL webhookUrl
    DB_PW APP_JWT SESSION_COOKIE OMNI_API_KEY LIGHTDASH_API_KEY PULUMI_CONFIG_PASSPHRASE PULUMI_ACCESS_TOKEN
    motherduck_token
"""
OTHER_NAMES = """
    DBT_TARGET TOKENIZER PATH path PATTERN KEY_COLUMN SECRETARY TOKEN_URL tokenUrl SECRET_NAME secretName KEYS key
    keys COMPASS compass PASS_RATE MAX_TOKENS maxTokens NUM_TOKENS TOKEN_COLUMN PASSWORD_POLICY TOKEN_LIMIT
    CREDENTIALS_TABLE PRIVATE_KEY_PATH SECRETS_FILE GOOGLE_APPLICATION_CREDENTIALS DBT_SECRETS_SCHEMA TOKEN_COUNT
    secretsTrigger rotateKeysTrigger minimumPasswordLength author TOKEN_EXPIRES_IN JWT_AUDIENCE COOKIE_NAME
    WEBHOOK_ID KEYFILE_PATH WEBHOOK_NAME PWR_PLANT UPWARD PATIENT_ID PATIENTS targetSchema branch DBT_THREADS
    PRIMARY_KEY
"""

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEdeadbeef\nc0ffee==\n-----END RSA PRIVATE KEY-----"
SECRET_VALUES = [
    *("ghp_0123456789abcdefghij", "github_pat_0123456789abc", "glpat-0123456789abcdef", "AKIAIOSFODNN7EXAMPLE"),
    *("dapi0123456789abcdef0123456789abcdef", "dbtc_0123456789abcdefghij", "omni_osk_0123456789abcdef"),
    *("omni_pat_0123456789abcdef", "ldpat_0123456789abcdef", "ldsvc_0123456789abcdef", "ATBB0123456789abcdef"),
    *("ATATT3xFfGF0123456789abcdef", "GOCSPX-0123456789abcdef", "sk_" + "live_0123456789abcdef"),
    *("sk-proj-0123456789abcdef", "hf_" + "abcdefghijKLMNOPQRST0123", "pul-0123456789abcdef0123456789abcdef01234567"),
    *("hvs.CAESIJ0123456789abcdefgh", "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQ", PEM, PEM.partition("MIIE")[0]),
    "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln",
    "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=bWFkZSB1cA==;EndpointSuffix=core.windows.net",
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
    "host=w user=dbt password=hunter2 dbname=db",
    "host=w user=dbt password='hunter 2' dbname=db",
    '{"user": "dbt", "password": "hunter2"}',
    '{"auth": {"token": "hunter2"}}',
    "Authorization: Bearer abcdefgh",
    "Bearer 0123456789abcdef",
]
OTHER_VALUES = [
    *("staging", "git@github.com:acme/dbt.git", "https://acme.com:8080/x", "https://acme.com:8080/x@1", "2026-11-21"),
    *("https://acme@dev.azure.com/acme/bi/_git/dbt", "https://ada@bitbucket.org/acme/dbt", "ghp", "user@acme.com"),
    *("https://acme.com/x?token=", "risk-scoring-models-production", "task-daily-orders-incremental", "pul-staging"),
    *(
        "highs_and_lows_daily_report",
        "sk-learn-models-for-production",
        "hf_daily_orders_incremental",
    ),
    *("0b7a2f7e-51c4-4c57-9d0e-6a1f0c9be001", "bearer authentication", "Basic authentication is not supported"),
    *(
        "secret_variables.DBT_TOKEN has a new value",
        "token_count=3",
        "the token: it is used by dbt",
        "npm_config_registry",
    ),
    *('secret_variables={"DBT_TOKEN": config.require_secret("dbtToken")}', "personal_access_token=None"),
    *('token = os.environ["DBT_TOKEN"]', "password: see https://acme.com/docs/v2", '{"tokenUrl": "https://acme.com"}'),
    *('{"password": "[secret]"}', "Set OMNI_API_KEY=<key> again", "api_key: [secret]", "select * from secrets.users"),
    *("The authorization is required", "https://docs.slack.com/services/T0/B0/how-to", "AKIA", "credentials are wrong"),
]


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_secret_names(name: str) -> None:
    """Names of secrets are recognized in any spelling."""
    assert is_secret_name(name)


@pytest.mark.parametrize("name", OTHER_NAMES.split())
def test_other_names(name: str) -> None:
    """A name that contains the word of a secret, or says what belongs to a secret, is not secret."""
    assert not is_secret_name(name)


@pytest.mark.parametrize("value", SECRET_VALUES)
def test_secret_values(value: str) -> None:
    """Secrets are recognized by the forms that their issuers use. Masking a masked text does not change it."""
    assert is_secret_value(value)
    masked = redact(f"before {value} after")
    assert masked.startswith("before ")
    assert redact(masked) == masked
    for part in ("hunter", "ter2", "0123456789", "MIIE", "c0ffee", "bWFkZ", "XXXX", "abcdefgh"):
        assert part not in masked


@pytest.mark.parametrize("value", OTHER_VALUES)
def test_other_values(value: str) -> None:
    """Other values are not secret."""
    assert not is_secret_value(value)


def test_text_around_a_secret_stays() -> None:
    """Only the secret is masked."""
    text = f'cannot read {PEM}\nwith "password": "hunter2", Authorization: Bearer abc.def-1 and DB_PWD=x7'
    assert redact(text) == (
        'cannot read [secret]\nwith "password": "[secret]", Authorization: Bearer [secret] and DB_PWD=[secret]'
    )


def test_lines_and_quotations_of_a_value() -> None:
    """A secret that is known is masked line by line, and as JSON and Python quote it."""
    key = 'line of a key 1\n"line" of a key 2\n'
    for text in (key, repr(key), *key.splitlines()):
        assert "of a key" not in redact(f"<{text}>", [key])


def test_secrets_of_the_environment() -> None:
    """A variable with the name of a secret and a value of 8 characters is one. Paths and words are not."""
    environment = {
        "OMNI_API_KEY": "omni-key-of-the-job\n",
        "DB_PASSWORD": "short7!",
        "TOKEN": "production",
        "TOKEN_FILE": "/run/secrets/token",
        "HOME": "/home/somebody",
    }
    assert environment_secrets(environment) == {"omni-key-of-the-job"}


@pytest.mark.parametrize("value", ["", "abc", "main", "staging", "Production", "true"])
def test_common_words_are_not_searched_for(value: str) -> None:
    """A short word is not masked in other texts, where it would show what the secret is."""
    assert not is_searchable(value)
