"""The dbt repository of an Omni connection: one per connection, written as a whole.

Source: https://docs.omni.co/api/dbt/update-dbt-configuration. The surprising fact: an update answers only that it was
carried out, so the configuration is read back after every write.
"""

from __future__ import annotations

import logging
import re
from typing import Annotated

import pulumi
import pydantic
from pydantic.alias_generators import to_camel

from omni_pulumi.adoption import adopt, log_created, nothing_to_adopt, recreate, warn_about_kept
from omni_pulumi.api import omni
from omni_pulumi.api.errors import Error, NotFoundError, ResponseLostError
from omni_pulumi.api.omni import OmniClient
from omni_pulumi.dynamic import Provider, Resource, output
from omni_pulumi.lifecycle import (
    Adopt,
    Args,
    Claim,
    Known,
    Lifecycle,
    OptionalText,
    State,
    Text,
    Uuid,
    undeclared_fields,
)
from omni_pulumi.settings import OMNI
from omni_pulumi.settle import look

_log = logging.getLogger(__name__)

_PROJECT_ROOT_PATH = re.compile(r"\A(?!/)(?!.*\.\.)[\w ./-]+")
_DBT_VERSION = re.compile(r"\A(Auto|\d+\.\d+)")


def _project_root_path(text: str | None) -> str | None:
    if text and not _PROJECT_ROOT_PATH.fullmatch(text):
        raise ValueError(
            'must be a path inside the repository: no leading "/", no "..", only letters, digits, blanks and _ . / -'
        )
    return text


def _dbt_version(text: str) -> str:
    """The supported versions move, so every ``<major>.<minor>`` is accepted and the service has the last word."""
    if not _DBT_VERSION.fullmatch(text):
        raise ValueError('must be "Auto" or <major>.<minor> such as "1.11"')
    return text


class DbtConfigurationArgs(Args):
    """Arguments of :class:`DbtConfiguration`."""

    connection_id: Known[Uuid] = pydantic.Field(description="UUID of the Omni connection. Changing it replaces.")
    ssh_url: Known[Text] = pydantic.Field(
        description="URL of the git repository, such as `git@github.com:acme/dbt.git`."
    )
    branch: Known[Text] = pydantic.Field(description="Git branch.")
    autogen_relationships: Known[bool] = pydantic.Field(description="Generate relationships from dbt.")
    enable_virtual_schemas: Known[bool] = pydantic.Field(
        description="Enable virtual schemas from dbt. Switching it later means that content must be migrated."
    )
    enable_semantic_layer: Known[bool] = pydantic.Field(
        default=False, description="Enable the dbt semantic layer integration."
    )
    dbt_version: Known[Annotated[str, pydantic.AfterValidator(_dbt_version)]] = pydantic.Field(
        default="Auto", description="dbt version: `Auto` or `<major>.<minor>`."
    )
    project_root_path: Known[Annotated[OptionalText, pydantic.AfterValidator(_project_root_path)]] = pydantic.Field(
        default=None, description="Path of the dbt project inside the repository; its root when left out."
    )
    rotate_keys_trigger: Known[str | None] = pydantic.Field(
        default=None,
        description="Any text. Adding it later or changing it rotates the SSH deploy keys once; the new key must then "
        "be registered at the git host.",
    )


class DbtConfigurationState(State):
    """State of :class:`DbtConfiguration`."""

    connection_id: str
    ssh_url: str = ""
    branch: str = ""
    autogen_relationships: bool = False
    enable_virtual_schemas: bool = False
    enable_semantic_layer: bool = False
    dbt_version: str = "Auto"
    project_root_path: str | None = None
    rotate_keys_trigger: str | None = None


def create(client: OmniClient, args: DbtConfigurationArgs, claim: Claim) -> DbtConfigurationState:
    """Write the configuration, or adopt the one that the connection has.

    A connection has one configuration, and its ID is known. So it is claimed before a read, which may be behind.
    """
    claim(args.connection_id)
    existing = client.get_dbt_configuration(args.connection_id)
    if existing is None:
        if args.adopt == "existing":
            raise nothing_to_adopt(_describe(args))
        state = _write(client, args)
        log_created(_describe(args), args.connection_id, args)
        return state
    current = _merge(DbtConfigurationState.from_args(args), existing)
    return adopt(
        _describe(args),
        args.connection_id,
        args,
        current,
        write=lambda: _write(client, args),
        undeclared=[to_camel(name) for name in undeclared_fields(current, args)],
    )


def read(client: OmniClient, state: DbtConfigurationState) -> DbtConfigurationState | None:
    """Read the configuration; "not configured", a few times, means that it is gone."""
    current = look(lambda: client.get_dbt_configuration(state.connection_id))
    return None if current is None else _merge(state, current)


def update(
    client: OmniClient, state: DbtConfigurationState, args: DbtConfigurationArgs, _claim: Claim
) -> DbtConfigurationState:
    """Write the whole configuration; another trigger rotates the keys in the same request."""
    current = client.get_dbt_configuration(args.connection_id)
    if current is None:
        recreate(_describe(args), args.connection_id, args)
    kept = {} if current is None else undeclared_fields(_merge(state, current), args, state)
    rotate_keys = args.rotate_keys_trigger not in {None, state.rotate_keys_trigger}
    visible = LIFECYCLE.changed(state, args) != ["rotate_keys_trigger"]
    written = _write(client, args.model_copy(update=kept), rotate_keys=rotate_keys, visible=visible)
    warn_about_kept(_describe(args), [to_camel(name) for name in kept])
    return written.model_copy(update=dict.fromkeys(kept))


def delete(client: OmniClient, state: DbtConfigurationState) -> None:
    """Unlink the repository."""
    try:
        client.delete_dbt_configuration(state.connection_id)
    except NotFoundError:
        if look(lambda: client.get_dbt_configuration(state.connection_id)) is not None:
            raise


def _write(
    client: OmniClient, args: DbtConfigurationArgs, *, rotate_keys: bool = False, visible: bool = True
) -> DbtConfigurationState:
    """Write and read back. When the answer got lost, what is read tells, if the change is ``visible`` in it."""
    written = DbtConfigurationState.from_args(args)
    configuration = omni.DbtConfiguration(
        ssh_url=args.ssh_url,
        branch=args.branch,
        autogen_relationships=args.autogen_relationships,
        enable_virtual_schemas=args.enable_virtual_schemas,
        enable_semantic_layer=args.enable_semantic_layer,
        dbt_version=args.dbt_version,
        project_root_path=args.project_root_path,
    )
    try:
        client.put_dbt_configuration(args.connection_id, configuration, rotate_keys=rotate_keys)
    except Error as error:
        if not error.outcome_unknown:
            raise
        if not visible:
            raise ResponseLostError(
                f"{error} Whether the deploy keys were rotated is not known; the same command rotates them once more.",
                operation=error.operation,
                resource_id=args.connection_id,
                outcome_unknown=True,
            ) from None
        try:
            current = look(lambda: client.get_dbt_configuration(args.connection_id))
        except Error as failure:
            raise ResponseLostError(
                f"{error} It may have been written all the same, and reading it back failed too: {failure}",
                operation=error.operation,
                resource_id=args.connection_id,
                outcome_unknown=True,
            ) from None
        if current is None or LIFECYCLE.changed(_merge(written, current), args):
            raise
        return written
    try:
        current = client.get_dbt_configuration(args.connection_id)
    except Error as error:
        _log.warning("the dbt configuration was written and could not be read back: %s", error)
        return written
    return written if current is None else _merge(written, current)


def _describe(it: DbtConfigurationArgs | DbtConfigurationState) -> str:
    return f"the dbt configuration of connection {it.connection_id}"


def _merge(state: DbtConfigurationState, current: omni.DbtConfiguration) -> DbtConfigurationState:
    return state.model_copy(
        update={
            "ssh_url": current.ssh_url,
            "branch": current.branch,
            "autogen_relationships": current.autogen_relationships,
            "enable_virtual_schemas": current.enable_virtual_schemas,
            "enable_semantic_layer": current.enable_semantic_layer,
            "dbt_version": current.dbt_version or "Auto",
            "project_root_path": current.project_root_path or None,
        }
    )


LIFECYCLE = Lifecycle(
    service=OMNI,
    connect=OmniClient,
    args=DbtConfigurationArgs,
    state=DbtConfigurationState,
    id_of=lambda state: state.connection_id,
    describe=_describe,
    identity=frozenset({"connection_id"}),
    create=create,
    read=read,
    update=update,
    delete=delete,
    replace_on=frozenset({"connection_id"}),
    parent="connection_id",
)


class DbtConfigurationProvider(Provider[OmniClient, DbtConfigurationArgs, DbtConfigurationState]):
    """Serves :class:`DbtConfiguration` to the engine."""

    lifecycle = LIFECYCLE


class DbtConfiguration(Resource, module="omni", name="DbtConfiguration"):
    """The dbt repository of an Omni connection.

    Its ID is the connection's. Creating it also makes Omni create the connection's default dbt environment.
    """

    connection_id: pulumi.Output[str] = output()
    """UUID of the connection, lower-case."""
    ssh_url: pulumi.Output[str] = output()
    """URL of the git repository."""
    branch: pulumi.Output[str] = output()
    """Git branch."""
    autogen_relationships: pulumi.Output[bool] = output()
    """Whether relationships are generated from dbt."""
    enable_virtual_schemas: pulumi.Output[bool] = output()
    """Whether virtual schemas are enabled."""
    enable_semantic_layer: pulumi.Output[bool] = output()
    """Whether the semantic layer integration is enabled."""
    dbt_version: pulumi.Output[str] = output()
    """dbt version, ``Auto`` or ``<major>.<minor>``."""
    project_root_path: pulumi.Output[str | None] = output()
    """Path of the dbt project inside the repository."""
    rotate_keys_trigger: pulumi.Output[str | None] = output()
    """The trigger of the last key rotation."""

    def __init__(
        self,
        resource_name: str,
        *,
        connection_id: pulumi.Input[str],
        ssh_url: pulumi.Input[str],
        branch: pulumi.Input[str],
        autogen_relationships: pulumi.Input[bool],
        enable_virtual_schemas: pulumi.Input[bool],
        enable_semantic_layer: pulumi.Input[bool] | None = None,
        dbt_version: pulumi.Input[str] | None = None,
        project_root_path: pulumi.Input[str] | None = None,
        rotate_keys_trigger: pulumi.Input[str] | None = None,
        adopt: Adopt | None = None,
        profile: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the configuration; :class:`DbtConfigurationArgs` describes each argument."""
        arguments = {
            "connection_id": connection_id,
            "ssh_url": ssh_url,
            "branch": branch,
            "autogen_relationships": autogen_relationships,
            "enable_virtual_schemas": enable_virtual_schemas,
            "enable_semantic_layer": enable_semantic_layer,
            "dbt_version": dbt_version,
            "project_root_path": project_root_path,
            "rotate_keys_trigger": rotate_keys_trigger,
            "adopt": adopt,
            "profile": profile,
        }
        super().__init__(DbtConfigurationProvider(), resource_name, arguments, opts)
