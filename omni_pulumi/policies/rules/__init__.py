"""The rules, one module each."""

from __future__ import annotations

from omni_pulumi.policies.rule import Rule
from omni_pulumi.policies.rules import (
    adopt_is_temporary,
    allowed_branches,
    allowed_hosts,
    allowed_repositories,
    distinct_attribute_values,
    distinct_schemas,
    environment_has_configuration,
    lightdash_app_installation,
    no_key_rotation,
    no_personal_environments,
    no_plain_secrets,
    one_configuration,
    pinned_dbt_version,
    production_configuration_protected,
    production_protected,
    production_shared,
    same_repository,
    schema_names,
    selectable_environment,
    virtual_schemas_as_decided,
    virtual_schemas_decision_stated,
)

RULES: list[Rule] = [
    no_plain_secrets.RULE,
    allowed_branches.RULE,
    allowed_hosts.RULE,
    allowed_repositories.RULE,
    same_repository.RULE,
    production_shared.RULE,
    production_protected.RULE,
    production_configuration_protected.RULE,
    schema_names.RULE,
    distinct_schemas.RULE,
    distinct_attribute_values.RULE,
    environment_has_configuration.RULE,
    one_configuration.RULE,
    no_key_rotation.RULE,
    virtual_schemas_as_decided.RULE,
    virtual_schemas_decision_stated.RULE,
    pinned_dbt_version.RULE,
    lightdash_app_installation.RULE,
    adopt_is_temporary.RULE,
    no_personal_environments.RULE,
    selectable_environment.RULE,
]
"""All rules, mandatory ones first."""
