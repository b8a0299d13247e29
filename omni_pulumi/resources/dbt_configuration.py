"""The dbt configuration of an Omni connection. A connection has one, and it is written as a whole.

Source: https://docs.omni.co/api/dbt/update-dbt-configuration. The surprising fact: the response to an update does not
contain the configuration, so it is read again after each write.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import pulumi
import pydantic
from pulumi.output import Unknown

from omni_pulumi.adoption import adopt, log_created, nothing_to_adopt, warn_about_kept, warn_about_recreation
from omni_pulumi.api.omni import models
from omni_pulumi.api.retry import poll, write_and_verify
from omni_pulumi.changes import changed_fields, undeclared_fields
from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.dynamic.resource import Resource, output
from omni_pulumi.errors import Error, ResponseLostError
from omni_pulumi.fields import (
    Adopt,
    Args,
    Branch,
    ConnectionId,
    Identifies,
    Line,
    MaybeUnknown,
    OptionalLine,
    ParentId,
    Replaces,
    State,
    common_fields,
    matching,
    rule,
)
from omni_pulumi.lifecycle import Claims
from omni_pulumi.services import OmniLifecycle

if TYPE_CHECKING:
    from omni_pulumi.api.omni.client import OmniClient

_log = logging.getLogger(__name__)

_PROJECT_ROOT_PATH = re.compile(r"\A(?!/)(?!.*\.\.)[\w ./-]+")
_CLONE_URL = (
    r"(?:git|ssh|git\+ssh|ssh\+git|https?)://[^/]+/.+"
    r"|[^/:@]+@(?:[^/:@]+|\[[^]]+\]):(?!//).+"
    r"|(?:[^/:@]{2,}|\[[^]]+\]):(?!/?/).+"
)
"""The URLs that git can clone from another host. Omni has methods for SSH and for HTTPS."""

_DBT_VERSION = re.compile(r"\A(Auto|\d+\.\d+)")


def _project_root_path(text: str | None) -> str | None:
    if text and not _PROJECT_ROOT_PATH.fullmatch(text):
        raise ValueError(
            'must be a path inside the repository: no leading "/", no "..", only letters, digits, spaces and _ . / -'
        )
    return text


class DbtConfigurationArgs(Args):
    """Arguments of :class:`DbtConfiguration`."""

    connection_id: Annotated[MaybeUnknown[ConnectionId], ParentId(), Identifies(), Replaces()] = pydantic.Field(
        description="UUID of the Omni connection."
    )
    ssh_url: MaybeUnknown[
        Annotated[Line, matching(_CLONE_URL, "a URL that git can clone, such as git@github.com:acme/dbt.git")]
    ] = pydantic.Field(description="URL of the git repository, such as `git@github.com:acme/dbt.git`.")
    branch: MaybeUnknown[Branch] = pydantic.Field(description="Git branch.")
    autogen_relationships: MaybeUnknown[bool] = pydantic.Field(
        description="Whether Omni generates relationships from dbt."
    )
    enable_virtual_schemas: MaybeUnknown[bool] = pydantic.Field(
        description="Whether Omni creates virtual schemas from dbt. Content must be migrated when this changes."
    )
    enable_semantic_layer: MaybeUnknown[bool] = pydantic.Field(
        default=False, description="Whether Omni integrates the dbt semantic layer."
    )
    dbt_version: MaybeUnknown[Line] = pydantic.Field(
        default="Auto", description="dbt version: `Auto` or `<major>.<minor>`."
    )
    project_root_path: MaybeUnknown[Annotated[OptionalLine, rule(_project_root_path)]] = pydantic.Field(
        default=None, description="Path of the dbt project in the repository. Default: the root of the repository."
    )
    rotate_keys_trigger: MaybeUnknown[str | None] = pydantic.Field(
        default=None,
        description="Any text. Adding it later or changing it rotates the SSH deploy keys once. Then register the new "
        "key at the git host.",
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


class DbtConfigurationLifecycle(OmniLifecycle[DbtConfigurationArgs, DbtConfigurationState]):
    """How a dbt configuration is created, read, updated and deleted."""

    args_model = DbtConfigurationArgs
    state_model = DbtConfigurationState

    def describe(self, resource: DbtConfigurationArgs | DbtConfigurationState) -> str:
        """Return the object in words, for messages."""
        return f"the dbt configuration of connection {resource.connection_id}"

    def id_of(self, state: DbtConfigurationState) -> str:
        """Return the ID of the connection."""
        return state.connection_id

    def create(self, client: OmniClient, args: DbtConfigurationArgs, claims: Claims) -> DbtConfigurationState:
        """Write the configuration, or adopt the one that the connection has.

        The ID is known before the read, so the configuration is claimed first: the read may lack a recent change.
        """
        claims(args.connection_id)
        existing = client.get_dbt_configuration(args.connection_id)
        if existing is None:
            if args.adopt == "existing":
                raise nothing_to_adopt(self.describe(args))
            state = _write(client, args, None)
            log_created(self.describe(args), args.connection_id, args)
            return state
        current = _merge(DbtConfigurationState.from_args(args), existing)
        return adopt(
            self.describe(args),
            args.connection_id,
            args,
            current,
            write=lambda: _write(client, args, existing),
            undeclared=list(undeclared_fields(current, args)),
        )

    def read(self, client: OmniClient, state: DbtConfigurationState) -> DbtConfigurationState | None:
        """Read the configuration. It is deleted when Omni answers "not configured" several times."""
        current = poll(lambda: client.get_dbt_configuration(state.connection_id))
        return None if current is None else _merge(state, current)

    def update(
        self, client: OmniClient, state: DbtConfigurationState, args: DbtConfigurationArgs
    ) -> DbtConfigurationState:
        """Write the configuration, which also creates it again. A changed trigger rotates the keys in that request."""
        current = client.get_dbt_configuration(args.connection_id)
        if current is None:
            warn_about_recreation(self.describe(args), args.connection_id, args)
        kept = {} if current is None else undeclared_fields(_merge(state, current), args, state)
        rotate_keys = args.rotate_keys_trigger not in {None, state.rotate_keys_trigger}
        only_rotates = changed_fields(state, args) == ["rotate_keys_trigger"]
        written = _write(
            client, args.model_copy(update=kept), current, rotate_keys=rotate_keys, only_rotates=only_rotates
        )
        warn_about_kept(self.describe(args), list(kept))
        return written.model_copy(update=dict.fromkeys(kept))

    def delete(self, client: OmniClient, state: DbtConfigurationState) -> None:
        """Unlink the repository."""
        client.delete_dbt_configuration(state.connection_id)

    def exists(self, client: OmniClient, state: DbtConfigurationState) -> bool:
        """Return whether the connection has a configuration."""
        return poll(lambda: client.get_dbt_configuration(state.connection_id)) is not None

    def lost_by_deletion(self, _arguments: Mapping[str, Any]) -> list[str]:
        """Return the deploy keys, which Omni makes with the configuration."""
        return ["the SSH deploy keys"]

    def warnings(self, args: DbtConfigurationArgs) -> dict[str, str]:
        """Warn about a form of ``dbt_version`` that is not known, because the versions that Omni supports change."""
        if isinstance(args.dbt_version, Unknown) or _DBT_VERSION.fullmatch(args.dbt_version):
            return {}
        return {
            "dbt_version": 'dbt_version is neither "Auto" nor <major>.<minor> such as "1.11", so Omni may refuse it'
        }


def _write(
    client: OmniClient,
    args: DbtConfigurationArgs,
    before: models.DbtConfiguration | None,
    *,
    rotate_keys: bool = False,
    only_rotates: bool = False,
) -> DbtConfigurationState:
    """Write the configuration and read it back.

    Args:
        client: the client.
        args: what the program declares.
        before: what Omni had. Omni may store another form of a value, so any change shows that the write was applied.
        rotate_keys: whether the write rotates the deploy keys.
        only_rotates: whether it changes nothing else. Then no read shows whether it was applied.
    """
    written = DbtConfigurationState.from_args(args)
    configuration = models.DbtConfiguration(**common_fields(args, models.DbtConfiguration))

    def is_applied() -> bool | None:
        current = client.get_dbt_configuration(args.connection_id)
        return None if current is None else current != before or not changed_fields(_merge(written, current), args)

    def write() -> None:
        client.put_dbt_configuration(args.connection_id, configuration, rotate_keys=rotate_keys)

    if only_rotates:
        _rotate(write, args)
    else:
        write_and_verify(write, is_applied)
    try:
        current = client.get_dbt_configuration(args.connection_id)
    except Error as error:
        _log.warning(
            "the dbt configuration of connection %s was written, but reading it back failed: %s The state has the "
            "values of the program. Run `pulumi refresh` to verify them",
            args.connection_id,
            error.message,
        )
        return written
    return written if current is None else _merge(written, current)


def _rotate(write: Callable[[], None], args: DbtConfigurationArgs) -> None:
    try:
        write()
    except Error as error:
        if not error.outcome_unknown:
            raise
        raise ResponseLostError(
            error.message,
            advice="The same command rotates the deploy keys again.",
            operation=error.operation,
            resource_id=args.connection_id,
            outcome_unknown=True,
        ) from None


def _merge(state: DbtConfigurationState, current: models.DbtConfiguration) -> DbtConfigurationState:
    """Return the state with what Omni has. Omni may return ``null`` or an empty text for a default."""
    found = common_fields(current, DbtConfigurationState)
    found["dbt_version"] = current.dbt_version or "Auto"
    found["project_root_path"] = current.project_root_path or None
    return state.model_copy(update=found)


class DbtConfigurationProvider(Provider["OmniClient", DbtConfigurationArgs, DbtConfigurationState]):
    """Serves :class:`DbtConfiguration` to the engine."""

    lifecycle = DbtConfigurationLifecycle()


class DbtConfiguration(Resource, module="omni", name="DbtConfiguration"):
    """The dbt repository of an Omni connection.

    Its ID is the connection's. Creating it also makes Omni create the connection's default dbt environment.
    """

    # Generated by `make generate`. Change the models instead.
    connection_id: pulumi.Output[str] = output()
    """UUID of the Omni connection."""
    ssh_url: pulumi.Output[str] = output()
    """URL of the git repository, such as `git@github.com:acme/dbt.git`."""
    branch: pulumi.Output[str] = output()
    """Git branch."""
    autogen_relationships: pulumi.Output[bool] = output()
    """Whether Omni generates relationships from dbt."""
    enable_virtual_schemas: pulumi.Output[bool] = output()
    """Whether Omni creates virtual schemas from dbt. Content must be migrated when this changes."""
    enable_semantic_layer: pulumi.Output[bool] = output()
    """Whether Omni integrates the dbt semantic layer."""
    dbt_version: pulumi.Output[str] = output()
    """dbt version: `Auto` or `<major>.<minor>`."""
    project_root_path: pulumi.Output[str | None] = output()
    """Path of the dbt project in the repository. Default: the root of the repository."""
    rotate_keys_trigger: pulumi.Output[str | None] = output()
    """Any text. Adding it later or changing it rotates the SSH deploy keys once. Then register the new key at the git
    host.
    """

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
        project_root_path: pulumi.Input[str | None] = None,
        rotate_keys_trigger: pulumi.Input[str | None] = None,
        adopt: Adopt | None = None,
        profile: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the resource.

        Args:
            resource_name: Name of the resource in the program.
            connection_id: UUID of the Omni connection. Changing it replaces the resource.
            ssh_url: URL of the git repository, such as `git@github.com:acme/dbt.git`.
            branch: Git branch.
            autogen_relationships: Whether Omni generates relationships from dbt.
            enable_virtual_schemas: Whether Omni creates virtual schemas from dbt. Content must be migrated when this
                changes.
            enable_semantic_layer: Whether Omni integrates the dbt semantic layer.
            dbt_version: dbt version: `Auto` or `<major>.<minor>`.
            project_root_path: Path of the dbt project in the repository. Default: the root of the repository.
            rotate_keys_trigger: Any text. Adding it later or changing it rotates the SSH deploy keys once. Then
                register the new key at the git host.
            adopt: What to do if the object exists already. `False`, the default: fail. `True`: adopt it, or else create
                it. `"existing"`: adopt it, or fail if it does not exist. It has an effect only when Pulumi creates the
                resource. Remove `"existing"` afterwards, because it forbids a replacement.
            profile: Name of the instance's settings, for a stack that uses several instances of a service.
            opts: Resource options.
        """
        super().__init__(*self._arguments(DbtConfigurationProvider(), resource_name, locals(), opts))

    # End of the generated part.
