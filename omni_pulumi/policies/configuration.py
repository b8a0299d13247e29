"""Checks the file of ``--policy-pack-config``.

Pulumi checks the values of settings. It ignores the level of a policy that does not exist, and an error about other
settings of such a policy does not name it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from jsonschema import Draft7Validator, FormatChecker

from omni_pulumi.policies import exemptions
from omni_pulumi.policies.common import PYTHON_REGEX, Schema
from omni_pulumi.policies.rules import RULES

_LEVEL: Schema = {"enforcementLevel": {"enum": ["advisory", "mandatory", "remediate", "disabled"]}}
_SETTINGS: dict[str, Schema] = {
    "all": _LEVEL,
    exemptions.NAME: _LEVEL,
    **{rule.name: {**rule.schema, **_LEVEL} for rule in RULES},
}
"""The JSON schemas of the settings of each policy, and of ``all``."""

_FORMATS = FormatChecker()
_FORMATS.checkers[PYTHON_REGEX] = _FORMATS.checkers["regex"]


def check(text: str, own: Collection[str] = ()) -> list[str]:
    """Return what is wrong with a configuration, a sentence each.

    Args:
        text: the configuration, a JSON object by policy. Pulumi accepts an empty text.
        own: patterns of the names of policies that are not from this package. They are not checked.
    """
    if not text.strip():
        return []
    try:
        config = json.loads(text)
    except ValueError as error:
        return [f"Expected JSON: {error}."]
    if not isinstance(config, dict):
        return ["Expected a JSON object with the names of policies."]
    checked = {name: given for name, given in config.items() if not any(fnmatchcase(name, each) for each in own)}
    return [error for name, given in checked.items() for error in _errors(name, given)] + [
        *_level_of_exemptions(config)
    ]


def _errors(policy: str, given: Any) -> Iterator[str]:
    """Yield what is wrong with the configuration of a policy."""
    schemas = _SETTINGS.get(policy)
    if schemas is None:
        yield f"{policy} is not a policy.{_suggestion(policy, _SETTINGS)}"
        return
    settings = {"enforcementLevel": given} if isinstance(given, str) else given
    if not isinstance(settings, dict):
        yield f"{policy} must be an enforcement level, or an object with enforcementLevel and settings."
        return
    for name in sorted(settings.keys() - schemas.keys()):
        yield f"{policy} has no setting {name}.{_suggestion(name, schemas)}"
    validator = Draft7Validator({"properties": schemas}, format_checker=_FORMATS)
    for error in validator.iter_errors(settings):
        yield f"{policy}.{'.'.join(map(str, error.absolute_path))}: {error.message}."


def _suggestion(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]}?" if close else f" Known are: {', '.join(sorted(known))}."


def _level_of_exemptions(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield an error if a level for all policies makes each exemption fail the preview."""
    level = config.get("all")
    level = level.get("enforcementLevel") if isinstance(level, dict) else level
    exempts = any(isinstance(given, dict) and given.get("exempt") for given in config.values())
    if exempts and level in {"mandatory", "remediate"} and exemptions.NAME not in config:
        yield (
            f'all is "{level}", which also makes the policy {exemptions.NAME} mandatory, so that each exemption fails '
            f'the preview. Add "{exemptions.NAME}": "advisory".'
        )
