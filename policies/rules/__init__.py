"""The policies, one file each. ``common`` and ``git`` are shared modules."""

from __future__ import annotations

from pulumi_policy import Policy

from rules import (
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

POLICIES: list[Policy] = [
    no_plain_secrets.POLICY,
    allowed_branches.POLICY,
    allowed_hosts.POLICY,
    allowed_repositories.POLICY,
    same_repository.POLICY,
    production_shared.POLICY,
    production_protected.POLICY,
    production_configuration_protected.POLICY,
    schema_names.POLICY,
    distinct_schemas.POLICY,
    distinct_attribute_values.POLICY,
    environment_has_configuration.POLICY,
    one_configuration.POLICY,
    no_key_rotation.POLICY,
    virtual_schemas_as_decided.POLICY,
    virtual_schemas_decision_stated.POLICY,
    pinned_dbt_version.POLICY,
    lightdash_app_installation.POLICY,
    adopt_is_temporary.POLICY,
    no_personal_environments.POLICY,
    selectable_environment.POLICY,
]
"""All policies, mandatory ones first."""
