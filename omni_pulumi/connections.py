"""The eight kinds of ``dbt_connection`` of a Lightdash dbt source.

Each kind stands here twice: as programs write it, with inputs that may be outputs of other resources, and as it is
checked, compared and sent. A test holds the two together.

Source: https://docs.lightdash.com/api-reference/v1/projects/update-dbt-source, schema ``DbtProjectConfig``. Additional
sources take GitHub only, up to version 1.237.0; the schema has the others, and the service has the last word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

import pulumi
import pydantic
from pulumi.output import Unknown
from pydantic.alias_generators import to_camel

from omni_pulumi.api.lightdash.models import SECRET_FIELDS
from omni_pulumi.fields import MaybeUnknown, OptionalText, Secret, Text

SECRET_PROPERTIES = frozenset(map(to_camel, SECRET_FIELDS))

_METHODS = ("personal_access_token", "installation_id")
"""The ways to open a GitHub repository. Each is named like the field of its credential."""

_METHOD_PROPERTIES = frozenset({"installationId", "authorizationMethod"})
"""How a GitHub repository is opened. Unlike a token, Lightdash returns it and does not keep it when it is left out."""

_WIRE_NAMES = {"hide_refresh_button": "hideRefreshButton"}
"""The one field that Lightdash does not write in snake_case."""

_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED_PREFIX = "LIGHTDASH_DBT_PROFILE_VAR_"


@dataclass(frozen=True, kw_only=True)
class _Connection:
    """What every kind of connection has in common: nothing but the way to Pulumi's properties."""

    def to_properties(self) -> dict[str, Any]:
        """The connection under its properties' names, its type first."""
        kind = next(kind for kind, cls in _KINDS.items() if cls is type(self))
        return {"type": kind, **{to_camel(field.name): getattr(self, field.name) for field in fields(self)}}


@dataclass(frozen=True, kw_only=True)
class _Compiled(_Connection):
    target: pulumi.Input[str] | None = None
    environment: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None
    selector: pulumi.Input[str] | None = None


@dataclass(frozen=True, kw_only=True)
class _Repository(_Compiled):
    repository: pulumi.Input[str]
    branch: pulumi.Input[str]
    project_sub_path: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class GithubConnection(_Repository):
    """A GitHub repository, opened by a personal access token or by an installation of the GitHub app.

    A source that exists keeps the credentials that it has when both are left out.
    """

    personal_access_token: pulumi.Input[str] | None = None
    installation_id: pulumi.Input[str] | None = None
    host_domain: pulumi.Input[str] | None = None


@dataclass(frozen=True, kw_only=True)
class GitlabConnection(_Repository):
    """A GitLab repository."""

    personal_access_token: pulumi.Input[str]
    host_domain: pulumi.Input[str] | None = None


@dataclass(frozen=True, kw_only=True)
class BitbucketConnection(_Repository):
    """A Bitbucket repository."""

    username: pulumi.Input[str]
    personal_access_token: pulumi.Input[str]
    host_domain: pulumi.Input[str] | None = None


@dataclass(frozen=True, kw_only=True)
class AzureDevopsConnection(_Repository):
    """An Azure DevOps repository."""

    organization: pulumi.Input[str]
    project: pulumi.Input[str]
    personal_access_token: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class DbtCloudConnection(_Connection):
    """An environment of dbt Cloud."""

    api_key: pulumi.Input[str]
    environment_id: pulumi.Input[str]
    discovery_api_endpoint: pulumi.Input[str] | None = None
    tags: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None
    webhook_hmac_secret: pulumi.Input[str] | None = None


@dataclass(frozen=True, kw_only=True)
class LocalConnection(_Compiled):
    """A dbt project on the Lightdash server's own disk."""

    profiles_dir: pulumi.Input[str] | None = None
    project_dir: pulumi.Input[str] | None = None


@dataclass(frozen=True, kw_only=True)
class NoneConnection(_Compiled):
    """No repository: the project is deployed with Lightdash's command line."""

    hide_refresh_button: pulumi.Input[bool] | None = None


@dataclass(frozen=True, kw_only=True)
class ManifestConnection(_Connection):
    """A dbt manifest that is given as text."""

    manifest: pulumi.Input[str]
    hide_refresh_button: pulumi.Input[bool]


DbtConnection = (
    GithubConnection
    | GitlabConnection
    | BitbucketConnection
    | AzureDevopsConnection
    | DbtCloudConnection
    | LocalConnection
    | NoneConnection
    | ManifestConnection
)

_KINDS: Mapping[str, type[_Connection]] = {
    "github": GithubConnection,
    "gitlab": GitlabConnection,
    "bitbucket": BitbucketConnection,
    "azure_devops": AzureDevopsConnection,
    "dbt_cloud_ide": DbtCloudConnection,
    "dbt": LocalConnection,
    "none": NoneConnection,
    "manifest": ManifestConnection,
}


def connection_properties(
    connection: pulumi.Input[DbtConnection | Mapping[str, Any]],
) -> pulumi.Input[Mapping[str, Any]]:
    """A connection as Pulumi's properties, each token marked as secret; the whole where it is an output."""
    if isinstance(connection, _Connection):
        connection = connection.to_properties()
    if not isinstance(connection, Mapping):
        whole: pulumi.Output[dict[str, Any]] = pulumi.Output.all(connection).apply(lambda given: _names(given[0]))
        return pulumi.Output.secret(whole)
    properties = _names(connection)
    return {
        name: pulumi.Output.secret(value) if name in SECRET_PROPERTIES and value is not None else value
        for name, value in properties.items()
    }


def _names(connection: DbtConnection | Mapping[str, Any]) -> dict[str, Any]:
    """Properties' names for a plain dict's keys, which may be written the Python or the vendor's way."""
    properties = connection.to_properties() if isinstance(connection, _Connection) else connection
    return {to_camel(name): value for name, value in properties.items()}


def _environment_name(name: str) -> str:
    if not _ENVIRONMENT_NAME.fullmatch(name):
        raise ValueError("must be letters, digits and underscores, and must not begin with a digit")
    if name.startswith(_RESERVED_PREFIX):
        raise ValueError(f"must not begin with {_RESERVED_PREFIX}, which is Lightdash's own")
    return name


class _ConnectionArgs(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True, strict=True
    )

    def to_wire(self) -> dict[str, Any]:
        """The connection as Lightdash takes it: its own names, environment as a sorted list, no ``None``."""
        wire = {_WIRE_NAMES.get(name, name): value for name, value in self.model_dump(exclude_none=True).items()}
        if "environment" in wire:
            wire["environment"] = [{"key": key, "value": value} for key, value in sorted(wire["environment"].items())]
        return wire


_Environment = Annotated[
    dict[Annotated[str, pydantic.AfterValidator(_environment_name)], MaybeUnknown[str]],
    pydantic.AfterValidator(lambda environment: environment or None),
]


class _CompiledArgs(_ConnectionArgs):
    target: MaybeUnknown[OptionalText] = None
    environment: MaybeUnknown[_Environment | None] = None
    selector: MaybeUnknown[OptionalText] = None


class _RepositoryArgs(_CompiledArgs):
    repository: MaybeUnknown[Text]
    branch: MaybeUnknown[Text]
    project_sub_path: MaybeUnknown[Text]


_Credential = Annotated[Secret, pydantic.Field(min_length=1)]


def _authorization_method(method: str | None, info: pydantic.ValidationInfo) -> str | None:
    """The method follows from the credential; Lightdash itself does not check that the two agree."""
    if not all(name in info.data for name in _METHODS):  # one of them is refused already
        return method
    given = [name for name in _METHODS if info.data[name] is not None]
    if len(given) != 1:
        return method
    if method not in {None, given[0]}:
        raise ValueError(f"must be left out or {given[0]}, which is the credential of the connection")
    return given[0]


class GithubConnectionArgs(_RepositoryArgs):
    """A :class:`GithubConnection` as it is checked and sent."""

    type: Literal["github"]
    personal_access_token: MaybeUnknown[_Credential | None] = None
    installation_id: MaybeUnknown[OptionalText] = None
    host_domain: MaybeUnknown[OptionalText] = None
    authorization_method: Annotated[
        Literal["personal_access_token", "installation_id"] | None, pydantic.AfterValidator(_authorization_method)
    ] = pydantic.Field(default=None, validate_default=True)


class GitlabConnectionArgs(_RepositoryArgs):
    """A :class:`GitlabConnection` as it is checked and sent."""

    type: Literal["gitlab"]
    personal_access_token: MaybeUnknown[_Credential]
    host_domain: MaybeUnknown[OptionalText] = None


class BitbucketConnectionArgs(_RepositoryArgs):
    """A :class:`BitbucketConnection` as it is checked and sent."""

    type: Literal["bitbucket"]
    username: MaybeUnknown[Text]
    personal_access_token: MaybeUnknown[_Credential]
    host_domain: MaybeUnknown[OptionalText] = None


class AzureDevopsConnectionArgs(_RepositoryArgs):
    """An :class:`AzureDevopsConnection` as it is checked and sent."""

    type: Literal["azure_devops"]
    organization: MaybeUnknown[Text]
    project: MaybeUnknown[Text]
    personal_access_token: MaybeUnknown[_Credential]


class DbtCloudConnectionArgs(_ConnectionArgs):
    """A :class:`DbtCloudConnection` as it is checked and sent."""

    type: Literal["dbt_cloud_ide"]
    api_key: MaybeUnknown[_Credential]
    environment_id: MaybeUnknown[Text]
    discovery_api_endpoint: MaybeUnknown[OptionalText] = None
    tags: MaybeUnknown[
        Annotated[list[MaybeUnknown[str]] | None, pydantic.AfterValidator(lambda tags: tags or None)]
    ] = None
    webhook_hmac_secret: MaybeUnknown[_Credential | None] = None


class LocalConnectionArgs(_CompiledArgs):
    """A :class:`LocalConnection` as it is checked and sent."""

    type: Literal["dbt"]
    profiles_dir: MaybeUnknown[OptionalText] = None
    project_dir: MaybeUnknown[OptionalText] = None


class NoneConnectionArgs(_CompiledArgs):
    """A :class:`NoneConnection` as it is checked and sent."""

    type: Literal["none"]
    hide_refresh_button: MaybeUnknown[bool | None] = None


class ManifestConnectionArgs(_ConnectionArgs):
    """A :class:`ManifestConnection` as it is checked and sent."""

    type: Literal["manifest"]
    manifest: MaybeUnknown[Text]
    hide_refresh_button: MaybeUnknown[bool]


def _one_credential(connection: Any) -> Any:
    """Refuse two credentials, of which Lightdash would use one."""
    if isinstance(connection, GithubConnectionArgs) and all(getattr(connection, name) is not None for name in _METHODS):
        raise ValueError("needs personal_access_token or installation_id, got both: leave one out")
    return connection


def _unless_type_unknown(value: Any, validate: pydantic.ValidatorFunctionWrapHandler) -> Any:
    """The rules depend on the type, so all of them wait for it."""
    if isinstance(value, Mapping) and isinstance(value.get("type"), Unknown):
        return value
    return validate(value)


ConnectionArgs = Annotated[
    GithubConnectionArgs
    | GitlabConnectionArgs
    | BitbucketConnectionArgs
    | AzureDevopsConnectionArgs
    | DbtCloudConnectionArgs
    | LocalConnectionArgs
    | NoneConnectionArgs
    | ManifestConnectionArgs,
    pydantic.Field(discriminator="type"),
    pydantic.AfterValidator(_one_credential),
    pydantic.WrapValidator(_unless_type_unknown),
]
"""A connection as it is checked and sent, told apart by its ``type``."""

_ARGS: Mapping[str, type[_ConnectionArgs]] = {
    "github": GithubConnectionArgs,
    "gitlab": GitlabConnectionArgs,
    "bitbucket": BitbucketConnectionArgs,
    "azure_devops": AzureDevopsConnectionArgs,
    "dbt_cloud_ide": DbtCloudConnectionArgs,
    "dbt": LocalConnectionArgs,
    "none": NoneConnectionArgs,
    "manifest": ManifestConnectionArgs,
}


def stored(connection: Any) -> Any:
    """A connection in the form of :data:`StoredConnection`."""
    if isinstance(connection, _ConnectionArgs):
        connection = connection.model_dump(by_alias=True, exclude_none=True, warnings=False)
    if not isinstance(connection, Mapping):
        return connection
    return {
        name: pydantic.SecretStr(value) if name in SECRET_PROPERTIES and isinstance(value, str) else value
        for name, value in connection.items()
    }


def _show_secrets(connection: dict[str, Any] | None) -> dict[str, Any] | None:
    if connection is None:
        return None
    return {
        name: value.get_secret_value() if isinstance(value, pydantic.SecretStr) else value
        for name, value in connection.items()
    }


StoredConnection = Annotated[dict[str, Any], pydantic.BeforeValidator(stored), pydantic.PlainSerializer(_show_secrets)]
"""A connection as the state keeps it: whatever the service had, under our properties' names."""


def has_credentials(connection: Any) -> bool:
    """Return whether a program declares the credentials of a connection. Only those of GitHub may be left out."""
    if not isinstance(connection, GithubConnectionArgs):
        return True
    return any(getattr(connection, name) is not None for name in _METHODS)


def stored_connection(answer: Mapping[str, Any], known: StoredConnection | None) -> StoredConnection:
    """Return the connection of an answer as the state keeps it.

    Lightdash never returns secrets, so known ones of the same type are carried over. Credentials that are not known are
    not the program's: they are left out, so that they never drift.

    Args:
        answer: a connection as Lightdash returns it.
        known: what the state has, or what the program declares, ``None`` when neither is known.
    """
    kind = str(answer.get("type"))
    properties: dict[str, Any] = {}
    for name in _ARGS[kind].model_fields if kind in _ARGS else ("type",):
        value = answer.get(_WIRE_NAMES.get(name, name))
        if name == "environment":
            value = {item["key"]: item["value"] for item in value or []}
        if value not in (None, "", [], {}):
            properties[to_camel(name)] = value
    if known is None or known.get("type") != kind:
        return properties
    if _METHOD_PROPERTIES.isdisjoint(known):
        properties = {name: value for name, value in properties.items() if name not in _METHOD_PROPERTIES}
    return properties | {name: value for name, value in known.items() if name in SECRET_PROPERTIES}


def undeclared_fields(
    current: StoredConnection | None, declared: Any, known: StoredConnection | None = None
) -> StoredConnection:
    """Return the part of a connection that Lightdash has and neither the program nor the state knows.

    A write replaces the whole connection, so it would remove that part. Credentials are not among it:
    :func:`connection_body` keeps those.

    Args:
        current: what Lightdash has, ``None`` when that cannot be read.
        declared: what the program declares.
        known: what the state has, ``None`` when the object is not in the state.
    """
    declared = stored(declared)
    if current is None or current.get("type") != declared["type"]:
        return {}
    known = known if known is not None and known.get("type") == current["type"] else {}
    fields = {
        name: value
        for name, value in current.items()
        if name not in declared and name not in known and name not in SECRET_PROPERTIES | _METHOD_PROPERTIES
    }
    names = {*declared.get("environment", {}), *known.get("environment", {})}
    environment = {key: value for key, value in current.get("environment", {}).items() if key not in names}
    fields.pop("environment", None)
    return fields | ({"environment": environment} if environment else {})


def field_paths(fields: StoredConnection) -> list[str]:
    """Return the paths of fields, an environment variable being one: ``dbtConnection.environment.A``."""
    paths = [f"dbtConnection.{name}" for name in fields if name != "environment"]
    return sorted([*paths, *(f"dbtConnection.environment.{key}" for key in fields.get("environment", {}))])


def connection_body(declared: Any, current: Mapping[str, Any] | None, kept: StoredConnection) -> dict[str, Any]:
    """Return the connection of an update, which replaces the stored one as a whole.

    What Lightdash has stays as it is where a program cannot declare it, because it is of a later version, and where the
    program leaves it out: the way in which a GitHub repository is opened. Lightdash keeps a token that is left out.

    Args:
        declared: what the program declares.
        current: what Lightdash returned, ``None`` when it can no longer decrypt it.
        kept: what else stays as it is.
    """
    fields = {name: kept[to_camel(name)] for name in type(declared).model_fields if to_camel(name) in kept}
    if "environment" in fields:
        fields["environment"] = {**(declared.environment or {}), **fields["environment"]}
    body: dict[str, Any] = declared.model_copy(update=fields).to_wire()
    if current is None or current["type"] != body["type"]:
        return body
    known = {_WIRE_NAMES.get(name, name) for name in type(declared).model_fields}
    if not has_credentials(declared):
        known -= {*_METHODS, "authorization_method"}
    return {name: value for name, value in current.items() if name not in known and value is not None} | body
