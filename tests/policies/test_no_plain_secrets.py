"""Plain variables that look secret are reported, and a remediation moves them."""

from __future__ import annotations

from typing import Any

from pulumi_policy import ResourceValidationArgs, ResourceValidationPolicy
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, deserialize_properties, serialize_properties
from pulumi_policy.proxy import unknown_checking_proxy

from omni_pulumi.policies import select_policies
from tests.policies.evaluation import UNKNOWN, Declared, evaluate, resource_args
from tests.policies.stacks import configuration, environment, source

POLICY = select_policies(names={"no-plain-secrets"})[0]


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
