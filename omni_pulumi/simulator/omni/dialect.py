"""Where Omni's public sources contradict each other.

Nobody outside of Omni knows which source a given instance follows, and the answer has changed over time. Each
contradiction is one field here, so that a client can be tried against either reading, and against mixtures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ErrorForm = Literal["error_message", "detail_status"]


@dataclass(frozen=True)
class Dialect:
    """One reading of Omni's API.

    Attributes:
        environment_list: the dbt environments as a bare array, or in pages (`pageInfo`, `records`).
        connection_environments: requests with comma-separated strings (`pages`) or with arrays (`generated`), and the
            shape of the answer to a creation that goes with it.
        connection_environment_list: whether connection environments can be listed at all.
        omitted_fields: what a PUT does to optional fields that it does not carry.
        omitted_variables: what a PUT does to variables that its array does not carry.
        errors: the shape of an error of the dbt endpoints. Connection environments always answer `detail_status`.
        default_environment_deletable: whether the environment that comes with the dbt configuration can be deleted.
        named_variable_updates: whether an item of `variables` with an `id` may carry the variable's `name` too.
        required_on_update: the fields that an environment's PUT must carry.
        dbt_versions: the accepted dbt versions, or None where any text is.
        environment_delete_message: whether the answer to an environment's deletion carries a `message`.
        kept_value: how an item of `variables` keeps the value of a secret: `value` may be `null` or `missing`, or one
            of the two only.
    """

    environment_list: Literal["array", "paged"]
    connection_environments: Literal["pages", "generated"]
    connection_environment_list: bool
    omitted_fields: Literal["kept", "defaults"]
    omitted_variables: Literal["kept", "deleted"]
    errors: ErrorForm
    default_environment_deletable: bool
    named_variable_updates: bool = True
    required_on_update: tuple[str, ...] = ()
    dbt_versions: tuple[str, ...] | None = None
    environment_delete_message: bool = False
    kept_value: Literal["either", "null", "missing"] = "either"


PAGES = Dialect(
    environment_list="array",
    connection_environments="pages",
    connection_environment_list=False,
    omitted_fields="kept",
    omitted_variables="deleted",
    errors="error_message",
    default_environment_deletable=False,
    named_variable_updates=True,
    required_on_update=(),
    dbt_versions=("Auto", "1.10", "1.11"),
    environment_delete_message=False,
)
"""The hand-written pages at docs.omni.co/api."""

GENERATED = Dialect(
    environment_list="paged",
    connection_environments="generated",
    connection_environment_list=True,
    omitted_fields="defaults",
    omitted_variables="deleted",
    errors="detail_status",
    default_environment_deletable=True,
    named_variable_updates=False,
    required_on_update=("name", "targetSchema"),
    dbt_versions=None,
    environment_delete_message=True,
)
"""The document that Omni generates from its own code."""
