"""The eight kinds of ``dbt_connection`` of a Lightdash dbt source.

Each kind is a model that is validated, compared and sent. ``make generate`` writes the classes that programs use.

Source: https://docs.lightdash.com/api-reference/v1/projects/update-dbt-source, schema ``DbtProjectConfig``. Up to
1.237.0 Lightdash refuses all kinds but GitHub for an additional source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Literal, get_args

import pulumi
import pydantic
from pulumi.output import Unknown
from pydantic.alias_generators import to_camel, to_snake

from omni_pulumi.api.lightdash.models import SECRET_FIELDS
from omni_pulumi.fields import (
    ArgumentGroup,
    Branch,
    Derived,
    Inputs,
    Line,
    MaybeUnknown,
    OptionalLine,
    Secret,
    Text,
    applies_rules,
    key_on_one_line,
    matching,
    not_empty,
    one_line,
    rule,
)

SECRET_PROPERTIES = frozenset(map(to_camel, SECRET_FIELDS))

_METHODS = ("personal_access_token", "installation_id")
"""The authorization methods of GitHub. Each is named like the field of its credential."""

_METHOD_PROPERTIES = frozenset({"installationId", "authorizationMethod"})
"""Lightdash removes these when an update leaves them out. A token that is left out stays."""

_WIRE_NAMES = {"hide_refresh_button": "hideRefreshButton"}
"""The only field that Lightdash does not name in snake_case."""


def _authorization_method(method: str | None, info: pydantic.ValidationInfo) -> str | None:
    """Derive the method from the credential. Lightdash itself does not check that the two agree."""
    given = [name for name in _METHODS if info.data.get(name) is not None]
    if len(given) != 1 or not all(name in info.data for name in _METHODS):  # one of the credentials is invalid
        if method not in {None, *_METHODS}:
            raise ValueError(f"must be left out, or one of {', '.join(_METHODS)}")
        return method
    if method not in {None, given[0]}:
        raise ValueError(f"must be left out or {given[0]}, which is the credential of the connection")
    return given[0]


def _secret_line(secret: pydantic.SecretStr) -> pydantic.SecretStr:
    one_line(secret.get_secret_value())
    return secret


_Credential = Annotated[Secret, rule(not_empty), rule(_secret_line)]

_Host = Annotated[
    OptionalLine,
    matching(
        r"[^\s/@?#:]+(:\d+)?(/[^\s/@?#:]+)*", "a host such as git.acme.com, without https:// and a slash at its end"
    ),
]
"""A host, which Lightdash puts between ``https://`` and a path. An instance may have a path of its own."""

_Endpoint = Annotated[OptionalLine, matching(r"https?://[^\s/]+.*", "a URL that begins with https://")]

_RepositoryPath = Annotated[
    Line, matching(r"[^\s/:@]+(/[^\s/:@]+)+", "the path of a repository such as acme/dbt, and no URL")
]

_RepositoryOfGithub = Annotated[Line, matching(r"[\w.-]+/[\w.-]+", "<owner>/<name> such as acme/dbt, and no URL")]

_RepositoryOfProject = Annotated[Line, matching(r"[^/:@]+", "the name of a repository such as dbt, and no URL or path")]

_SubPath = Annotated[Line, matching(r"(?!(?:.*/)?\.\.(?:/|$)).*", 'a path inside the repository: no ".."')]

_Name = Annotated[str, rule(key_on_one_line)]

_Environment = Annotated[
    dict[_Name, MaybeUnknown[str]], pydantic.AfterValidator(lambda environment: environment or None)
]
"""Values by name. Lightdash 0.3277.1 accepts any name. 1.237.0 refuses some, and its error says which and why."""


class _ConnectionArgs(Inputs):
    def to_wire(self) -> dict[str, Any]:
        """Return the connection as Lightdash takes it: its names, a sorted list as environment, without ``None``."""
        wire = {_WIRE_NAMES.get(name, name): value for name, value in self.model_dump(exclude_none=True).items()}
        if "environment" in wire:
            wire["environment"] = [{"key": key, "value": value} for key, value in sorted(wire["environment"].items())]
        return wire


class _CompiledArgs(_ConnectionArgs):
    """A connection whose project Lightdash compiles with dbt."""

    target: MaybeUnknown[OptionalLine] = pydantic.Field(default=None, description="Name of the dbt target.")
    environment: MaybeUnknown[_Environment | None] = pydantic.Field(
        default=None, description="Environment variables of dbt, values by name."
    )
    selector: MaybeUnknown[OptionalLine] = pydantic.Field(default=None, description="dbt selector of the models.")


class _RepositoryArgs(_CompiledArgs):
    """A repository with a dbt project."""

    repository: MaybeUnknown[_RepositoryPath] = pydantic.Field(
        description="Name of the repository, such as `acme/dbt`."
    )
    branch: MaybeUnknown[Branch] = pydantic.Field(description="Git branch.")
    project_sub_path: MaybeUnknown[_SubPath] = pydantic.Field(
        description="Path of the dbt project in the repository, such as `/`."
    )


class GithubConnectionArgs(_RepositoryArgs):
    """A GitHub repository, accessed with a personal access token or an installation of Lightdash's GitHub app.

    If both are left out, a source that exists keeps its credentials.
    """

    type: Literal["github"]
    repository: MaybeUnknown[_RepositoryOfGithub] = pydantic.Field(
        description="Name of the repository, such as `acme/dbt`."
    )
    personal_access_token: MaybeUnknown[_Credential | None] = pydantic.Field(
        default=None, description="Personal access token. Always secret."
    )
    installation_id: MaybeUnknown[OptionalLine] = pydantic.Field(
        default=None, description="ID of the installation of Lightdash's GitHub app."
    )
    host_domain: MaybeUnknown[_Host] = pydantic.Field(
        default=None, description="Host of GitHub Enterprise. Default: `github.com`."
    )
    authorization_method: Annotated[
        MaybeUnknown[Annotated[str | None, rule(_authorization_method)]],
        Derived(),
    ] = pydantic.Field(default=None, validate_default=True)


class GitlabConnectionArgs(_RepositoryArgs):
    """A GitLab repository."""

    type: Literal["gitlab"]
    personal_access_token: MaybeUnknown[_Credential] = pydantic.Field(
        description="Personal access token. Always secret."
    )
    host_domain: MaybeUnknown[_Host] = pydantic.Field(
        default=None, description="Host of the GitLab instance. Default: `gitlab.com`."
    )


class BitbucketConnectionArgs(_RepositoryArgs):
    """A Bitbucket repository."""

    type: Literal["bitbucket"]
    username: MaybeUnknown[Line] = pydantic.Field(description="Name of the user who owns the token.")
    personal_access_token: MaybeUnknown[_Credential] = pydantic.Field(description="Access token. Always secret.")
    host_domain: MaybeUnknown[_Host] = pydantic.Field(
        default=None, description="Host of the Bitbucket instance. Default: `bitbucket.org`."
    )


class AzureDevopsConnectionArgs(_RepositoryArgs):
    """An Azure DevOps repository."""

    type: Literal["azure_devops"]
    repository: MaybeUnknown[_RepositoryOfProject] = pydantic.Field(
        description="Name of the repository, such as `dbt`."
    )
    organization: MaybeUnknown[Line] = pydantic.Field(description="Name of the organization.")
    project: MaybeUnknown[Line] = pydantic.Field(description="Name of the project.")
    personal_access_token: MaybeUnknown[_Credential] = pydantic.Field(
        description="Personal access token. Always secret."
    )


class DbtCloudConnectionArgs(_ConnectionArgs):
    """An environment of dbt Cloud."""

    type: Literal["dbt_cloud_ide"]
    api_key: MaybeUnknown[_Credential] = pydantic.Field(description="API key of dbt Cloud. Always secret.")
    environment_id: MaybeUnknown[Line] = pydantic.Field(description="ID of the environment.")
    discovery_api_endpoint: MaybeUnknown[_Endpoint] = pydantic.Field(
        default=None, description="URL of the Discovery API."
    )
    tags: MaybeUnknown[
        Annotated[
            list[MaybeUnknown[Annotated[str, rule(one_line)]]] | None,
            pydantic.AfterValidator(lambda tags: tags or None),
        ]
    ] = pydantic.Field(default=None, description="Tags of the models to include.")
    webhook_hmac_secret: MaybeUnknown[_Credential | None] = pydantic.Field(
        default=None, description="Secret that signs the webhooks. Always secret."
    )


class LocalConnectionArgs(_CompiledArgs):
    """A dbt project on the disk of the Lightdash server."""

    type: Literal["dbt"]
    profiles_dir: MaybeUnknown[OptionalLine] = pydantic.Field(
        default=None, description="Path of the directory with `profiles.yml`."
    )
    project_dir: MaybeUnknown[OptionalLine] = pydantic.Field(default=None, description="Path of the dbt project.")


class NoneConnectionArgs(_CompiledArgs):
    """No repository: Lightdash's command line deploys the project."""

    type: Literal["none"]
    hide_refresh_button: MaybeUnknown[bool | None] = pydantic.Field(
        default=None, description='Whether Lightdash hides "Refresh dbt".'
    )


class ManifestConnectionArgs(_ConnectionArgs):
    """A dbt manifest as text."""

    type: Literal["manifest"]
    manifest: MaybeUnknown[Text] = pydantic.Field(description="JSON of the manifest.")
    hide_refresh_button: MaybeUnknown[bool] = pydantic.Field(description='Whether Lightdash hides "Refresh dbt".')


def _one_credential(connection: Any) -> Any:
    """Refuse two credentials, because Lightdash would use only one."""
    if isinstance(connection, GithubConnectionArgs) and all(getattr(connection, name) is not None for name in _METHODS):
        raise ValueError("needs personal_access_token or installation_id, got both: leave one out")
    return connection


class OtherConnectionArgs(_ConnectionArgs):
    """A connection of a kind that Lightdash has and this package does not know. No program can declare it."""

    type: str


def _unless_type_unknown(
    value: Any, validate: pydantic.ValidatorFunctionWrapHandler, info: pydantic.ValidationInfo
) -> Any:
    """Validate a connection once its type is known, because the rules depend on it."""
    kind = value.get("type") if isinstance(value, Mapping) else None
    if isinstance(kind, Unknown):
        return value
    if kind not in CONNECTION_ARGS and not applies_rules(info):
        return OtherConnectionArgs.model_validate(value)
    return validate(value)


AnyConnectionArgs = (
    GithubConnectionArgs
    | GitlabConnectionArgs
    | BitbucketConnectionArgs
    | AzureDevopsConnectionArgs
    | DbtCloudConnectionArgs
    | LocalConnectionArgs
    | NoneConnectionArgs
    | ManifestConnectionArgs
)

ConnectionArgs = Annotated[
    AnyConnectionArgs,
    pydantic.Field(discriminator="type"),
    rule(_one_credential),
    pydantic.WrapValidator(_unless_type_unknown),
]
"""A connection of any kind. Its ``type`` decides which fields it has."""

CONNECTION_ARGS: Mapping[str, type[_ConnectionArgs]] = {
    get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(AnyConnectionArgs)
}
"""The models of the kinds of connection by their ``type``."""


LEFT_OUT: Any = ...
"""The default of an optional field, so that a ``None`` from a source that is not set is an error."""


@dataclass(frozen=True, kw_only=True)
class _Connection(ArgumentGroup):
    """A connection as a program declares it. Its fields may be outputs of other resources."""

    type: ClassVar[str]

    def arguments(self) -> dict[str, Any]:
        """Return the type and the fields that are given."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"type": self.type, **{name: value for name, value in values.items() if value is not LEFT_OUT}}


# Generated by `make generate`. Change the models instead.
@dataclass(frozen=True, kw_only=True)
class _Compiled(_Connection):
    """A connection whose project Lightdash compiles with dbt."""

    target: pulumi.Input[str] | pulumi.Output[str | None] = LEFT_OUT
    """Name of the dbt target."""
    environment: (
        pulumi.Input[Mapping[str, pulumi.Input[str]]] | pulumi.Output[Mapping[str, pulumi.Input[str]] | None]
    ) = LEFT_OUT
    """Environment variables of dbt, values by name."""
    selector: pulumi.Input[str] | pulumi.Output[str | None] = LEFT_OUT
    """dbt selector of the models."""


@dataclass(frozen=True, kw_only=True)
class _Repository(_Compiled):
    """A repository with a dbt project."""

    repository: pulumi.Input[str]
    """Name of the repository, such as `acme/dbt`."""
    branch: pulumi.Input[str]
    """Git branch."""
    project_sub_path: pulumi.Input[str]
    """Path of the dbt project in the repository, such as `/`."""


@dataclass(frozen=True, kw_only=True)
class GithubConnection(_Repository):
    """A GitHub repository, accessed with a personal access token or an installation of Lightdash's GitHub app.

    If both are left out, a source that exists keeps its credentials.
    """

    type: ClassVar[str] = "github"

    personal_access_token: pulumi.Input[str] | pulumi.Output[str | None] = LEFT_OUT
    """Personal access token. Always secret."""
    installation_id: pulumi.Input[str] | pulumi.Output[str | None] = LEFT_OUT
    """ID of the installation of Lightdash's GitHub app."""
    host_domain: pulumi.Input[str] | pulumi.Output[str | None] = LEFT_OUT
    """Host of GitHub Enterprise. Default: `github.com`."""


@dataclass(frozen=True, kw_only=True)
class GitlabConnection(_Repository):
    """A GitLab repository."""

    type: ClassVar[str] = "gitlab"

    personal_access_token: pulumi.Input[str]
    """Personal access token. Always secret."""
    host_domain: pulumi.Input[str] | pulumi.Output[str | None] = LEFT_OUT
    """Host of the GitLab instance. Default: `gitlab.com`."""


@dataclass(frozen=True, kw_only=True)
class BitbucketConnection(_Repository):
    """A Bitbucket repository."""

    type: ClassVar[str] = "bitbucket"

    username: pulumi.Input[str]
    """Name of the user who owns the token."""
    personal_access_token: pulumi.Input[str]
    """Access token. Always secret."""
    host_domain: pulumi.Input[str] | pulumi.Output[str | None] = LEFT_OUT
    """Host of the Bitbucket instance. Default: `bitbucket.org`."""


@dataclass(frozen=True, kw_only=True)
class AzureDevopsConnection(_Repository):
    """An Azure DevOps repository."""

    type: ClassVar[str] = "azure_devops"

    organization: pulumi.Input[str]
    """Name of the organization."""
    project: pulumi.Input[str]
    """Name of the project."""
    personal_access_token: pulumi.Input[str]
    """Personal access token. Always secret."""


@dataclass(frozen=True, kw_only=True)
class DbtCloudConnection(_Connection):
    """An environment of dbt Cloud."""

    type: ClassVar[str] = "dbt_cloud_ide"

    api_key: pulumi.Input[str]
    """API key of dbt Cloud. Always secret."""
    environment_id: pulumi.Input[str]
    """ID of the environment."""
    discovery_api_endpoint: pulumi.Input[str] | pulumi.Output[str | None] = LEFT_OUT
    """URL of the Discovery API."""
    tags: pulumi.Input[Sequence[pulumi.Input[str]]] | pulumi.Output[Sequence[pulumi.Input[str]] | None] = LEFT_OUT
    """Tags of the models to include."""
    webhook_hmac_secret: pulumi.Input[str] | pulumi.Output[str | None] = LEFT_OUT
    """Secret that signs the webhooks. Always secret."""


@dataclass(frozen=True, kw_only=True)
class LocalConnection(_Compiled):
    """A dbt project on the disk of the Lightdash server."""

    type: ClassVar[str] = "dbt"

    profiles_dir: pulumi.Input[str] | pulumi.Output[str | None] = LEFT_OUT
    """Path of the directory with `profiles.yml`."""
    project_dir: pulumi.Input[str] | pulumi.Output[str | None] = LEFT_OUT
    """Path of the dbt project."""


@dataclass(frozen=True, kw_only=True)
class NoneConnection(_Compiled):
    """No repository: Lightdash's command line deploys the project."""

    type: ClassVar[str] = "none"

    hide_refresh_button: pulumi.Input[bool] | pulumi.Output[bool | None] = LEFT_OUT
    """Whether Lightdash hides "Refresh dbt"."""


@dataclass(frozen=True, kw_only=True)
class ManifestConnection(_Connection):
    """A dbt manifest as text."""

    type: ClassVar[str] = "manifest"

    manifest: pulumi.Input[str]
    """JSON of the manifest."""
    hide_refresh_button: pulumi.Input[bool]
    """Whether Lightdash hides "Refresh dbt"."""


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
# End of the generated part.


def connection_properties(connection: pulumi.Input[Mapping[str, Any]]) -> pulumi.Input[Mapping[str, Any]]:
    """Return a connection under Pulumi's property names, with secret tokens. An output is secret as a whole.

    A value of a wrong type is returned as it is, so that `check` reports it.
    """
    if isinstance(connection, pulumi.Output):
        return pulumi.Output.secret(connection.apply(_names))
    properties: Mapping[str, Any] = _names(connection)
    if not isinstance(properties, Mapping):
        return properties
    return {
        name: pulumi.Output.secret(value) if name in SECRET_PROPERTIES else value for name, value in properties.items()
    }


def _names(connection: Any) -> Any:
    """Return a connection with camelCase keys. The keys of a dict may be in snake_case."""
    if not isinstance(connection, Mapping):
        return connection
    return {to_camel(name): value for name, value in connection.items()}


def as_stored(connection: Any) -> Any:
    """Return a connection in the form of :data:`StoredConnection`."""
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


StoredConnection = Annotated[
    dict[str, Any], pydantic.BeforeValidator(as_stored), pydantic.PlainSerializer(_show_secrets)
]
"""A connection as the state contains it: what the service had, under Pulumi's property names."""


def has_credentials(connection: Any) -> bool:
    """Return whether a program declares the credentials of a connection. Only GitHub's may be left out."""
    if not isinstance(connection, GithubConnectionArgs):
        return connection is not None
    return any(getattr(connection, name) is not None for name in _METHODS)


def stored_from_response(answer: Mapping[str, Any], known: StoredConnection | None) -> StoredConnection:
    """Return the connection of a response as the state contains it.

    Lightdash never returns secrets, so known ones of the same type are carried over. Credentials that the program does
    not declare are left out, so that they never drift.

    Args:
        answer: a connection as Lightdash returns it.
        known: what the state has, or what the program declares, ``None`` when there is neither.
    """
    kind = str(answer.get("type"))
    properties: dict[str, Any] = {}
    for name, field in CONNECTION_ARGS.get(kind, OtherConnectionArgs).model_fields.items():
        value = answer.get(_WIRE_NAMES.get(name, name))
        if name == "environment":
            value = {item["key"]: item["value"] for item in value or []}
        if value not in (None, "", [], {}) or (value == "" and field.is_required()):
            properties[to_camel(name)] = value
    if known is None or known.get("type") != kind:
        return properties
    if _METHOD_PROPERTIES.isdisjoint(known):
        properties = {name: value for name, value in properties.items() if name not in _METHOD_PROPERTIES}
    return properties | {name: value for name, value in known.items() if name in SECRET_PROPERTIES}


def undeclared_connection_fields(
    current: StoredConnection | None, declared: Any, known: StoredConnection | None = None
) -> StoredConnection:
    """Return the fields of a connection that Lightdash has and neither the program nor the state has.

    A write replaces the whole connection, so it would remove them. Credentials are not among them:
    :func:`connection_body` keeps those.

    Args:
        current: what Lightdash has, ``None`` when that cannot be read.
        declared: what the program declares.
        known: what the state has, ``None`` when the object is not in the state.
    """
    declared = as_stored(declared)
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
    """Return the paths of fields. Each environment variable has its own: ``dbt_connection.environment.A``."""
    paths = [f"dbt_connection.{to_snake(name)}" for name in fields if name != "environment"]
    return sorted([*paths, *(f"dbt_connection.environment.{key}" for key in fields.get("environment", {}))])


def connection_body(declared: Any, current: Mapping[str, Any] | None, kept: StoredConnection) -> dict[str, Any]:
    """Return the connection of an update, which replaces the whole stored one.

    Fields of a later Lightdash, which a program cannot declare, are sent back. If the program declares no credentials
    of GitHub, the authorization method is sent back, and Lightdash keeps the token.

    Args:
        declared: what the program declares.
        current: what Lightdash returned, ``None`` when it can no longer decrypt the connection.
        kept: further fields to send back.
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
