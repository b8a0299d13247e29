"""The differences between Omni's public API descriptions.

It is unknown which description a given instance follows, and instances have changed over time. Each difference is a
field of `Dialect`, so that clients can be tested against each description and against mixtures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from omni_pulumi.simulator.forms import StoredForm, as_sent

ErrorFormat = Literal["error_message", "detail_status"]


@dataclass(frozen=True)
class Dialect:
    """A variant of Omni's API.

    Attributes:
        environment_list: whether the list of dbt environments is a bare array or paged (`pageInfo`, `records`).
        connection_environments: whether requests use comma-separated strings (`pages`) or arrays (`generated`); also
            selects the format of the response to POST.
        connection_environment_list: whether connection environments can be listed.
        connection_get: whether a single connection can be read. If not, the list of connections is the only way.
        connection_update: the required field of a PATCH of a connection: `environmentUserAttribute`, or the name field
            of an older guide, in which the attribute is two fields with strings.
        user_attribute_field: the field of a connection in responses that contains the user attribute's name. Omni's
            descriptions spell it in two ways.
        default_values: whether responses contain the default values of the user attribute as a comma-separated string
            or as an array.
        omitted_fields: whether a PUT keeps optional fields that it omits or resets them to their defaults.
        omitted_variables: whether a PUT keeps or deletes variables that it omits.
        errors: the format of errors of the dbt endpoints. Connection environments always use `detail_status`.
        default_environment_deletable: whether the default dbt environment can be deleted.
        named_variable_updates: whether an item of `variables` with an `id` may also have a `name`.
        required_on_update: the fields that a PUT of a dbt environment requires.
        dbt_versions: the accepted dbt versions, or None for any text.
        environment_delete_message: whether the response to DELETE of a dbt environment contains a `message`.
        kept_value: how an item of `variables` keeps a secret value: with `value` null, with `value` missing, or either.
        stored_form: returns the form in which Omni stores a text of a dbt configuration or environment that a request
            contains, for example :func:`~omni_pulumi.simulator.forms.normal_form`. Names, IDs and secrets stay as sent.
    """

    environment_list: Literal["array", "paged"]
    connection_environments: Literal["pages", "generated"]
    connection_environment_list: bool
    connection_get: bool
    connection_update: Literal["environmentUserAttribute", "userAttributeNameForConnectionEnvironments"]
    user_attribute_field: Literal[
        "userAttributeNameForConnectionEnvironments", "userAttributeNameForConnectionsEnvironments"
    ]
    default_values: Literal["string", "array"]
    omitted_fields: Literal["kept", "defaults"]
    omitted_variables: Literal["kept", "deleted"]
    errors: ErrorFormat
    default_environment_deletable: bool
    named_variable_updates: bool = True
    required_on_update: tuple[str, ...] = ()
    dbt_versions: tuple[str, ...] | None = None
    environment_delete_message: bool = False
    kept_value: Literal["either", "null", "missing"] = "either"
    stored_form: StoredForm = as_sent


PAGES = Dialect(
    environment_list="array",
    connection_environments="pages",
    connection_environment_list=False,
    connection_get=True,
    connection_update="environmentUserAttribute",
    user_attribute_field="userAttributeNameForConnectionEnvironments",
    default_values="string",
    omitted_fields="kept",
    omitted_variables="deleted",
    errors="error_message",
    default_environment_deletable=False,
    named_variable_updates=True,
    required_on_update=(),
    dbt_versions=("Auto", "1.10", "1.11"),
    environment_delete_message=False,
)
"""The hand-written documentation pages at docs.omni.co/api."""

GENERATED = Dialect(
    environment_list="paged",
    connection_environments="generated",
    connection_environment_list=True,
    connection_get=False,
    connection_update="environmentUserAttribute",
    user_attribute_field="userAttributeNameForConnectionsEnvironments",
    default_values="array",
    omitted_fields="defaults",
    omitted_variables="deleted",
    errors="detail_status",
    default_environment_deletable=True,
    named_variable_updates=False,
    required_on_update=("name", "targetSchema"),
    dbt_versions=None,
    environment_delete_message=True,
)
"""The OpenAPI document that Omni generates from its code."""
