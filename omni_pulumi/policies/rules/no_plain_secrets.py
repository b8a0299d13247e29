"""Plain variables, URLs and texts contain no secrets.

A remediation moves secrets from ``variables`` to ``secret_variables``, and their values are secret in the state from
then on. Lightdash's ``environment`` has no secret counterpart, so nothing is moved there.

A validation is not told which values are secret, so it recognizes secrets by names and values. A remediation is told,
and also moves every value that is secret in the program: in ``variables`` it would become a plain variable in Omni.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pulumi_policy import EnforcementLevel, ResourceValidationArgs, Secret, Severity

from omni_pulumi.policies.common import (
    DBT_CONFIGURATION,
    DBT_ENVIRONMENT,
    LIGHTDASH_DBT_SOURCE,
    UNKNOWN,
    Config,
    Report,
    Resource,
    argument,
    matches,
    strings,
)
from omni_pulumi.policies.rule import ResourceRule
from omni_pulumi.secret_text import is_secret_name, is_secret_value

_NO_LEAVES = frozenset({"personalAccessToken", "apiKey", "webhookHmacSecret", "manifest", "environment"})
"""Properties of a Lightdash connection that are secret, are a whole dbt manifest, or are checked by name."""


def _looks_secret(name: str, config: Config) -> bool:
    """Return whether the name of a variable looks secret."""
    return matches(name, config["secretNames"]) or is_secret_name(name)


def _suspects(resource: Resource, config: Config, *path: str) -> Iterator[tuple[str, str]]:
    """Yield the variables in a map that look secret, with ``name`` or ``value`` as the reason. Skip empty values."""
    for name in resource.names(*path):
        if matches(name, config["allowedNames"]):
            continue
        value = resource.text(*path, name)
        if value is not None and _looks_secret(name, config):
            yield name, "name"
        elif value is not None and value is not UNKNOWN and is_secret_value(value):
            yield name, "value"


def _check_environment(resource: Resource, config: Config, report: Report) -> None:
    for name, why in _suspects(resource, config, "variables"):
        report(
            f"variables.{name} looks like a secret because of its {why}. Omni returns the values of plain variables, "
            "and Pulumi shows them in previews. Move it to secret_variables and read it from a secret of the stack's "
            "configuration. If it was committed, replace the secret."
        )


def _check_source(resource: Resource, config: Config, report: Report) -> None:
    for name, why in _suspects(resource, config, "dbtConnection", "environment"):
        report(
            f"dbt_connection.environment.{name} looks like a secret because of its {why}. Lightdash returns these "
            "variables in plain text. Remove it and let dbt read it from another place, or add the name to "
            "allowedNames in the policy's configuration."
        )
    for name in resource.names("dbtConnection"):
        if name in _NO_LEAVES or matches(name, config["allowedNames"]):
            continue
        leaves = [resource.text("dbtConnection", name), *resource.elements("dbtConnection", name)]
        if any(isinstance(leaf, str) and is_secret_value(leaf) for leaf in leaves):
            report(
                f"{argument('dbtConnection', name)} looks like a secret because of its value, which is in plain text "
                "in the state and in every preview. Move credentials to personal_access_token or api_key. If it was "
                "committed, replace the secret."
            )


def _check_url(resource: Resource, _config: Config, report: Report) -> None:
    url = resource.text("sshUrl")
    if url is not None and url is not UNKNOWN and is_secret_value(url):
        report(
            "ssh_url contains a password or a token, which is in plain text in the state and in every preview. "
            "Write it like git@host:owner/repository.git, which Omni opens with its deploy key."
        )


def _remediate(args: ResourceValidationArgs, config: Config) -> Mapping[str, Any] | None:
    """Return the inputs with all secret and secret-looking variables in ``secretVariables``, or ``None``.

    Reads the inputs without pulumi-policy's proxy, which hides whether a value is secret. An unknown value is a text
    here and is moved like any other.
    """
    if args.resource_type != DBT_ENVIRONMENT:
        return None
    properties = _behind_proxy(args.props)
    variables = _behind_proxy(_plain(properties.get("variables")))
    secrets = _behind_proxy(_plain(properties.get("secretVariables", {})))
    if not isinstance(variables, dict) or not isinstance(secrets, dict):  # unknown as a whole
        return None
    texts = {name: _plain(value) for name, value in variables.items() if isinstance(_plain(value), str)}
    moved = {
        name: Secret(value)
        for name, value in texts.items()
        if value and not matches(name, config["allowedNames"]) and name not in secrets
        if isinstance(variables[name], Secret) or _looks_secret(name, config) or is_secret_value(value)
    }
    if not moved:
        return None
    left = {name: value for name, value in variables.items() if name not in moved}
    whole_is_secret = isinstance(properties["variables"], Secret)
    return {
        **properties,
        "variables": Secret(left) if whole_is_secret else left,
        "secretVariables": {**{name: Secret(_plain(value)) for name, value in secrets.items()}, **moved},
    }


def _behind_proxy(value: Any) -> Any:
    """Return a map without its proxy, so that secrets are marked. Each level of a map has its own proxy."""
    return value["__target"] if isinstance(value, Mapping) and not isinstance(value, dict) else value


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Secret) else value


RULE = ResourceRule(
    name="no-plain-secrets",
    description="Secrets are in secret_variables, not in plain variables or URLs.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    topics=("secrets",),
    steps="Move the variable to secret_variables, or set the policy's enforcementLevel to remediate, which moves it. "
    "Replace a secret that was committed.",
    checks={DBT_ENVIRONMENT: _check_environment, LIGHTDASH_DBT_SOURCE: _check_source, DBT_CONFIGURATION: _check_url},
    config={
        "secretNames": strings("Patterns of additional names that are secret.", example=["ACME_*"]),
        "allowedNames": strings("Patterns of names that are not secret.", example=["TOKEN_BUDGET"]),
    },
    remediate=_remediate,
)
