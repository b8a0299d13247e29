"""No secret in plain variables.

Moving works for ``variables``, and the moved value is secret in the state from then on. Lightdash has no secret
variables beside ``environment`` and returns these in clear, so there is nowhere to move to.

A value that is secret in the program and stands in ``variables`` would be a plain variable for Omni. Only a remediation
is told which values are secret, so only that moves them whatever they look like; a validation recognizes names and
values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi_policy import EnforcementLevel, ResourceValidationArgs, Secret, Severity

from rules.reading import (
    DBT_CONFIGURATION,
    DBT_ENVIRONMENT,
    LIGHTDASH_DBT_SOURCE,
    UNKNOWN,
    Config,
    Report,
    Resource,
    matches,
    resource_rule,
    strings,
)

_SECRET_NAME = re.compile(
    r"(TOKENS?|PASSWORDS?|PASSWD|PASSPHRASE|SECRETS?|CREDENTIALS?"
    r"|(API|ACCESS|PRIVATE|SIGNING|ENCRYPTION)[_-]?KEYS?|CONNECTION[_-]?STRING)(?![A-Z])"
    r"|(?<![A-Z])((PWD|PAT)(?![A-Z])|PASS$)"
)
_NAME_OF_SOMETHING_ELSE = re.compile(
    r"\A((MAX|MIN|NUM)_(\w+_)?TOKENS$|GOOGLE_APPLICATION_CREDENTIALS$"
    r"|.*[_-](URLS?|URI|NAMES?|PATH|FILE|DIR|IDS?|TTL|TYPE|HEADER|ENABLED|VERSION|COLUMN|TABLE|POLICY|LIMIT)$)"
)
_SECRET_VALUE = re.compile(
    r"(?<![A-Za-z0-9])(gh[opsur]_\w{10,}|github_pat_\w{10,}|glpat-[\w-]{10,}|xox[abeprs]-[\w-]{10,}"
    r"|omni_(osk|pat)_\w{10,}|ldpat_\w{8,}|AT(BB|ATT)\w{10,}|(AKIA|ASIA)[0-9A-Z]{16}"
    r"|dapi[0-9a-f]{32}|dbt[cu]_[\w-]{16,}|sk-[\w-]{20,}|AIza[\w-]{30,}|ya29\.[\w-]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----)"
)
_TOKEN_IN_URL = re.compile(
    r"https?://[^\s/:@]{20,}:?@"  # in the place of a user
    r"|[?&;](password|pwd|token|sig|access_token)=[^\s&;]",
    re.IGNORECASE,
)
_USER_IN_URL = re.compile(r"(?<=\w)://(?=[^\s/:@]*(?P<colon>:)(?!\d+/))")  # no port follows the colon
_PASSWORD = re.compile(r"[^\s\"@]+(?P<at>@?)")
_NOT_IN_JWT = re.compile(r"[^\w-]")
_JWT_HEADER = re.compile(r"(?<![A-Za-z0-9])eyJ[\w-]{8,}")
_JWT_PAYLOAD = re.compile(r"eyJ[\w-]{8,}")
_NO_LEAVES = frozenset({"personalAccessToken", "apiKey", "webhookHmacSecret", "manifest", "environment"})
"""Properties of a Lightdash connection that are secret themselves, a project's text, or looked at by their names."""


def is_secret_name(name: str, config: Config) -> bool:
    """Whether a variable looks secret by its name."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()
    return (
        matches(name, config["secretNames"])
        or words.startswith("DBT_ENV_SECRET")
        or bool(_SECRET_NAME.search(words) and not _NAME_OF_SOMETHING_ELSE.match(words))
    )


def is_secret_value(value: str) -> bool:
    """Whether a text is a secret or has one in it, by its looks."""
    return bool(_SECRET_VALUE.search(value) or _TOKEN_IN_URL.search(value)) or _has_password(value) or _has_jwt(value)


def _has_password(text: str) -> bool:
    """Whether a URL in the text has a password.

    Reads each password once, however many users may begin in it: one pattern for both takes quadratic time.
    """
    end = 0
    for user in _USER_IN_URL.finditer(text):
        start = user.end("colon")
        password = _PASSWORD.match(text, start) if start >= end else None
        if password and password["at"]:
            return True
        end = password.end() if password else end
    return False


def _has_jwt(text: str) -> bool:
    """Whether the text has a JSON Web Token: header, payload and signature between dots. Reads each part once."""
    parts = text.split(".")
    return any(
        _JWT_PAYLOAD.fullmatch(payload) and _JWT_HEADER.search(_NOT_IN_JWT.split(parts[before])[-1])
        for before, payload in enumerate(parts[1:-1])
    )


def _suspects(resource: Resource, config: Config, *path: str) -> Iterator[tuple[str, str]]:
    """Names of the variables in a map that look secret, and by what. Nothing to hide is in an empty value."""
    for name in resource.names(*path):
        if matches(name, config["allowedNames"]):
            continue
        value = resource.text(*path, name)
        if value is not None and is_secret_name(name, config):
            yield name, "name"
        elif value is not None and value is not UNKNOWN and is_secret_value(value):
            yield name, "value"


def _check_environment(resource: Resource, config: Config, report: Report) -> None:
    for name, why in _suspects(resource, config, "variables"):
        report(
            f"variables.{name} looks like a secret by its {why}: Omni returns the values of plain variables, and "
            "Pulumi shows them in previews. Move it to secret_variables, from a secret of the stack's configuration; "
            "and if it was committed, replace it where it is from."
        )


def _check_source(resource: Resource, config: Config, report: Report) -> None:
    for name, why in _suspects(resource, config, "dbtConnection", "environment"):
        report(
            f"dbtConnection.environment.{name} looks like a secret by its {why}, and Lightdash returns all of these "
            "in clear. Take it out and let dbt read it from elsewhere, or add the name to allowedNames of this "
            "rule's configuration."
        )
    for name in resource.names("dbtConnection"):
        if name in _NO_LEAVES or matches(name, config["allowedNames"]):
            continue
        leaves = [resource.text("dbtConnection", name), *resource.elements("dbtConnection", name)]
        if any(isinstance(leaf, str) and is_secret_value(leaf) for leaf in leaves):
            report(
                f"dbtConnection.{name} looks like a secret by its value, which is in the state and in every preview in "
                "clear. Take it out: credentials belong in personal_access_token or api_key; and if it was committed, "
                "replace it where it is from."
            )


def _check_url(resource: Resource, _config: Config, report: Report) -> None:
    url = resource.text("sshUrl")
    if url is not None and url is not UNKNOWN and is_secret_value(url):
        report(
            "sshUrl holds a password or a token, which is in the state and in every preview in clear. Use the form "
            "git@host:owner/repository.git: Omni opens it with its deploy key."
        )


def remediate(args: ResourceValidationArgs) -> Mapping[str, Any] | None:
    """The inputs with each secret or secret-looking variable moved to ``secretVariables``, and secret from there on.

    The inputs are read behind pulumi-policy's proxy, which hides what is secret: a secret must stay one. Unknown values
    are texts here, and move like any other.
    """
    if args.resource_type != DBT_ENVIRONMENT:
        return None
    config = {"allowedNames": [], "secretNames": [], **args.get_config()}
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
        if isinstance(variables[name], Secret) or is_secret_name(name, config) or is_secret_value(value)
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
    """A map with its secrets marked. Each level has a proxy of its own."""
    return value["__target"] if isinstance(value, Mapping) and not isinstance(value, dict) else value


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Secret) else value


POLICY = resource_rule(
    name="no-plain-secrets",
    description="Secrets belong in secret_variables, never in plain variables or in a URL.",
    level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    steps="Move the variable to secret_variables, or set the rule's enforcementLevel to remediate, which does it. "
    "Replace a secret that was committed.",
    checks={DBT_ENVIRONMENT: _check_environment, LIGHTDASH_DBT_SOURCE: _check_source, DBT_CONFIGURATION: _check_url},
    config={
        "secretNames": strings("Patterns of further names that are secret."),
        "allowedNames": strings("Patterns of names that are not secret, whatever they look like."),
    },
    remediate=remediate,
)
