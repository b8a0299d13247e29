"""The models of Omni's requests and responses. Fields that are not known are ignored, because responses grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pydantic
from pydantic.alias_generators import to_camel

UserAttributeForm = Literal["environmentUserAttribute", "userAttributeNameForConnectionEnvironments"]
"""How the environment user attribute is sent: as one field, or as the two fields of an older guide of Omni."""

KeptSecretForm = Literal["missing", "null"]
"""How a secret that keeps its value is sent: without ``value``, or with ``null``. Omni documents both."""


class Model(pydantic.BaseModel):
    """Base class of the models."""

    model_config = pydantic.ConfigDict(
        alias_generator=to_camel, validate_by_name=True, frozen=True, hide_input_in_errors=True
    )


class DbtConfiguration(Model):
    """The dbt configuration of a connection, in a response and in a request."""

    ssh_url: str
    branch: str
    autogen_relationships: bool
    enable_virtual_schemas: bool
    enable_semantic_layer: bool = False
    dbt_version: str | None = None
    project_root_path: str | None = None


@dataclass(frozen=True)
class DbtSupport:
    """Whether a connection supports dbt, and its dbt configuration.

    Attributes:
        configuration: ``None`` when dbt is not configured.
        is_supported: ``None`` when Omni does not tell.
    """

    configuration: DbtConfiguration | None
    is_supported: bool | None = None


class Variable(Model):
    """A variable of a dbt environment in a response. The value of a secret is always ``None``."""

    id: str
    name: str
    value: str | None = None
    is_secret: bool


class VariableBody(Model):
    """A variable in a request. A new one has a name. One that exists has its ID and no name: names cannot change.

    A secret without a value keeps its value.
    """

    id: str | None = None
    name: str | None = None
    value: str | None = pydantic.Field(default=None, repr=False)
    is_secret: bool

    @classmethod
    def of(cls, variable_id: str | None, name: str, value: str, *, is_secret: bool) -> VariableBody:
        """Return the body of a variable that exists, or of a new one when ``variable_id`` is ``None``."""
        if variable_id is None:
            return cls(name=name, value=value, is_secret=is_secret)
        return cls(id=variable_id, value=value, is_secret=is_secret)


class DbtEnvironment(Model):
    """A dbt environment in a response. A response to a write may have the ID and no other field."""

    id: str
    name: str | None = None
    target_schema: str | None = None
    owner_id: str | None = None
    target_database: str | None = None
    target_name: str | None = None
    target_role: str | None = None
    is_default_environment: bool = False
    is_deferral_enabled: bool | None = None
    variables: list[Variable] | None = None

    @pydantic.field_validator("variables", mode="before")
    @classmethod
    def _ignore_object(cls, value: object) -> object:
        """Omni's page shows ``variables`` in the response to an update as one object, which is not the list."""
        return None if isinstance(value, Mapping) else value

    def as_listed(self) -> ListedDbtEnvironment | None:
        """Return the environment as a list has it, ``None`` when the response lacks a field."""
        fields = {name: getattr(self, name) for name in self.model_fields_set}
        missing = DbtEnvironment.model_fields.keys() - fields.keys() - {"is_deferral_enabled"}
        return None if missing or self.variables is None else ListedDbtEnvironment(**fields)


class ListedDbtEnvironment(DbtEnvironment):
    """A dbt environment in a list. The fields that drift is found in are required."""

    name: str
    target_schema: str
    variables: list[Variable]


class DbtEnvironmentPage(Model):
    """A page of the list of dbt environments."""

    class PageInfo(Model):
        """Where the next page is."""

        has_next_page: bool
        next_cursor: str | None = None

    records: list[ListedDbtEnvironment]
    page_info: PageInfo


class DbtEnvironmentBody(Model):
    """A dbt environment in a request. A field that was not set is left out; ``None`` is sent.

    One source says that Omni keeps fields that a request leaves out. Another one says that Omni resets them. So every
    managed field is set. Without ``owner_id`` Omni decides. An older Omni refuses ``is_deferral_enabled``.
    """

    name: str
    target_schema: str
    target_database: str | None
    target_name: str | None
    target_role: str | None
    owner_id: str | None = None
    is_deferral_enabled: bool | None = None
    variables: list[VariableBody]

    def to_json(self, *, creating: bool) -> dict[str, Any]:
        """Return the JSON. Omni refuses an empty list of variables when it creates an environment."""
        left_out = {"variables"} if creating and not self.variables else set()
        return self.model_dump(by_alias=True, exclude_unset=True, exclude=left_out)

    @property
    def keeps_secrets(self) -> bool:
        """Whether a secret is sent without a value."""
        return any(variable.is_secret and variable.value is None for variable in self.variables)

    def with_kept_secrets(self, form: KeptSecretForm) -> DbtEnvironmentBody:
        """Return the body with the values of kept secrets in one of the two forms."""
        if form == "missing":
            return self
        null = {"value": None}
        variables = [v.model_copy(update=null) if v.value is None else v for v in self.variables]
        return self.model_copy(update={"variables": variables})

    def secrets(self) -> tuple[str, ...]:
        """Return the secret values of the body."""
        return tuple(v.value for v in self.variables if v.is_secret and v.value is not None)


class ConnectionEnvironment(Model):
    """A connection environment in a list."""

    id: str
    base_connection_id: str
    connection_id: str
    user_attribute_values: list[str]


class ConnectionEnvironments(Model):
    """The list of connection environments."""

    connection_environments: list[ConnectionEnvironment] = pydantic.Field(
        validation_alias=pydantic.AliasChoices("connectionEnvironments", "data")
    )


class CreatedConnectionEnvironments(Model):
    """The response to a create of connection environments. It may have no more than the two IDs of each."""

    class Created(Model):
        """One connection environment."""

        id: str
        connection_id: str = pydantic.Field(
            validation_alias=pydantic.AliasChoices("connectionId", "environmentConnectionId")
        )

    created: list[Created] = pydantic.Field(validation_alias=pydantic.AliasChoices("connectionEnvironments", "data"))


class Connection(Model):
    """A connection, with the user attribute that selects one of its environments. Omni's sources differ in a name."""

    id: str
    name: str = ""
    dialect: str | None = None
    database: str | None = None
    default_schema: str | None = None
    attribute_name: str | None = pydantic.Field(
        validation_alias=pydantic.AliasChoices(
            "userAttributeNameForConnectionEnvironments", "userAttributeNameForConnectionsEnvironments"
        )
    )
    default_values: list[str] = pydantic.Field(default=[], alias="userAttributeValuesForDefaultEnvironment")

    @pydantic.field_validator("default_values", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Omni's sources show a list, comma-separated text or ``null``."""
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return [] if value is None else value


class ConnectionResponse(Model):
    """The response with one connection."""

    connection: Connection


class Connections(Model):
    """The list of connections."""

    connections: list[Connection]


class UserAttributeBody(Model):
    """The environment user attribute in a request. Without a name it is removed."""

    attribute_name: str | None
    default_values: list[str]

    def to_json(self, form: UserAttributeForm) -> dict[str, Any]:
        """Return the JSON in one of the two forms."""
        if form == "environmentUserAttribute":
            attribute = {"attributeName": self.attribute_name, "defaultValues": self.default_values or None}
            return {form: attribute if self.attribute_name is not None else None}
        return {
            form: self.attribute_name,
            "userAttributeValuesForDefaultEnvironment": ",".join(self.default_values) or None,
        }
