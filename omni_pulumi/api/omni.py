"""Omni's endpoints for dbt and connection environments, one method each.

Source: https://docs.omni.co/api/dbt, https://docs.omni.co/api/connection-environments. Omni's hand-written pages and
the document that it generates from its code differ in places; each method says how it copes with both.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pydantic
from pydantic.alias_generators import to_camel

from omni_pulumi.api import errors, waiting
from omni_pulumi.api.request_form import RequestForm
from omni_pulumi.api.shared import SharedReads
from omni_pulumi.api.transport import Instance, Transport

_log = logging.getLogger(__name__)

_Values = Literal["text", "list"]
"""How values are sent: as comma-separated text, as the pages say, or as a list, as the generated document says."""

_KeptSecret = Literal["missing", "null"]
"""How a secret that keeps its value is sent: without ``value``, or with ``null``. Omni's sources allow both."""

_PAGE_SIZE = 100
"""The most that a list answers at once; its default is 20."""


class _Model(pydantic.BaseModel):
    """Answers grow, so fields that are not known are ignored."""

    model_config = pydantic.ConfigDict(
        alias_generator=to_camel, validate_by_name=True, frozen=True, hide_input_in_errors=True
    )


class DbtConfiguration(_Model):
    """The dbt repository of a connection, as it is read and as it is written."""

    ssh_url: str
    branch: str
    autogen_relationships: bool
    enable_virtual_schemas: bool
    enable_semantic_layer: bool = False
    dbt_version: str | None = None
    project_root_path: str | None = None


class Variable(_Model):
    """A variable of a dbt environment as Omni answers it: a secret's value is always ``None``."""

    id: str
    name: str
    value: str | None = None
    is_secret: bool


class VariableBody(_Model):
    """A variable as it is sent: a new one has a name, an existing one its ID and no name (names cannot change).

    A secret without a value keeps the one that Omni has.
    """

    id: str | None = None
    name: str | None = None
    value: str | None = pydantic.Field(default=None, repr=False)
    is_secret: bool

    @classmethod
    def of(cls, variable_id: str | None, name: str, value: str, *, is_secret: bool) -> VariableBody:
        """The form for a variable that exists, or for a new one when ``variable_id`` is ``None``."""
        if variable_id is None:
            return cls(name=name, value=value, is_secret=is_secret)
        return cls(id=variable_id, value=value, is_secret=is_secret)


class DbtEnvironment(_Model):
    """A dbt environment as Omni answers it. Answers to writes may lack fields, so only the ID is certain."""

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
    def _only_a_list(cls, value: object) -> object:
        """The page shows ``variables`` in an update's answer as one object: no list, so it has to be read."""
        return None if isinstance(value, Mapping) else value


class ListedDbtEnvironment(DbtEnvironment):
    """A dbt environment in a list, where what decides about drift must be there."""

    name: str
    target_schema: str
    variables: list[Variable]


class DbtEnvironmentBody(_Model):
    """A dbt environment as it is sent. A field that was not set is left out; ``None`` is sent.

    One source says that left-out fields are kept, another that they fall back to their defaults, so every managed field
    is set. Without ``owner_id`` the service decides, and an older service refuses an ``is_deferral_enabled``.
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
        """The request's body. An empty list of variables is refused when an environment is created."""
        left_out = {"variables"} if creating and not self.variables else set()
        return self.model_dump(by_alias=True, exclude_unset=True, exclude=left_out)

    @property
    def keeps_secrets(self) -> bool:
        """Whether a secret is sent without a value, so that it keeps the one that Omni has."""
        return any(variable.is_secret and variable.value is None for variable in self.variables)

    def with_kept_secrets(self, form: _KeptSecret) -> DbtEnvironmentBody:
        """The body with the values of kept secrets left out, or ``null``."""
        if form == "missing":
            return self
        null = {"value": None}
        variables = [v.model_copy(update=null) if v.value is None else v for v in self.variables]
        return self.model_copy(update={"variables": variables})


class ConnectionEnvironment(_Model):
    """A connection environment in a list."""

    id: str
    base_connection_id: str
    connection_id: str
    user_attribute_values: list[str]


class _PageInfo(_Model):
    has_next_page: bool
    next_cursor: str | None = None


class _EnvironmentPage(_Model):
    records: list[ListedDbtEnvironment]
    page_info: _PageInfo


class _ConnectionEnvironments(_Model):
    connection_environments: list[ConnectionEnvironment] = pydantic.Field(
        validation_alias=pydantic.AliasChoices("connectionEnvironments", "data")
    )


class _CreatedConnectionEnvironment(_Model):
    """The answer to a create may name only the two IDs."""

    id: str
    connection_id: str = pydantic.Field(
        validation_alias=pydantic.AliasChoices("connectionId", "environmentConnectionId")
    )


class _CreatedConnectionEnvironments(_Model):
    created: list[_CreatedConnectionEnvironment] = pydantic.Field(
        validation_alias=pydantic.AliasChoices("connectionEnvironments", "data")
    )


class OmniClient:
    """Talks to one Omni instance with one key. Safe to share between threads."""

    def __init__(self, instance: Instance) -> None:
        """Prepare for an instance; no request is sent yet."""
        self._transport = Transport("Omni", instance, "Bearer")
        self.failures = self._transport.failures
        self._environments: SharedReads[list[ListedDbtEnvironment]] = SharedReads()
        self._connection_environments: SharedReads[list[ConnectionEnvironment] | None] = SharedReads()
        self._values: RequestForm[_Values] = RequestForm("text", "list")
        self._kept_secret: RequestForm[_KeptSecret] = RequestForm("missing", "null")
        self._has_connection_environment_list = True

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def forget_lists(self) -> None:
        """Read each list again before it is used."""
        self._environments.forget_all()
        self._connection_environments.forget_all()

    def get_dbt_configuration(self, connection_id: str) -> DbtConfiguration | None:
        """The dbt configuration of a connection, ``None`` when there is none.

        "Not configured" is 200 with ``supportsDbt`` or a ``message`` that says so, and no configuration. Where it is a
        404, only the message tells it from a connection that does not exist.

        Raises:
            errors.PermissionDeniedError: not Connection Admin, or a bad key.
            errors.NotFoundError: no such connection.
        """
        operation = f"read the dbt configuration of connection {connection_id}"
        try:
            content = self._transport.request(
                "GET", _dbt(connection_id), operation=operation, resource_id=connection_id, parent_id=connection_id
            )
        except errors.NotFoundError as error:
            if "not configured" in error.detail and "not found" not in error.detail:
                return None
            raise
        if isinstance(content, Mapping) and "sshUrl" not in content:
            message = content.get("message")
            if "supportsDbt" in content or (isinstance(message, str) and "not configured" in message):
                return None
        return self._transport.parse(DbtConfiguration, content, operation=operation, resource_id=connection_id)

    def put_dbt_configuration(
        self, connection_id: str, configuration: DbtConfiguration, *, rotate_keys: bool = False
    ) -> None:
        """Write the dbt configuration of a connection. The answer does not repeat it: read it back.

        Raises:
            errors.BadRequestError: a value is refused.
            errors.NotFoundError: no such connection.
        """
        body = configuration.model_dump(by_alias=True)
        if rotate_keys:
            body["rotateKeys"] = True
        operation = f"write the dbt configuration of connection {connection_id}"
        with self._environments.writing(connection_id):
            self._transport.request(
                "PUT",
                _dbt(connection_id),
                operation=operation,
                resource_id=connection_id,
                body=body,
                idempotent=not rotate_keys,
            )

    def delete_dbt_configuration(self, connection_id: str) -> None:
        """Unlink the dbt repository of a connection.

        Raises:
            errors.NotFoundError: no such connection, or nothing is configured.
        """
        operation = f"delete the dbt configuration of connection {connection_id}"
        with self._environments.writing(connection_id):
            self._transport.request("DELETE", _dbt(connection_id), operation=operation, resource_id=connection_id)

    def list_dbt_environments(self, connection_id: str, *, fresh: bool = False) -> list[ListedDbtEnvironment]:
        """All dbt environments of a connection, one request for all who ask at about the same time.

        Args:
            connection_id: UUID of the connection.
            fresh: whether an answer of the last seconds will not do.

        Raises:
            errors.NotFoundError: no such connection.
        """
        if fresh:
            self._environments.forget(connection_id)
        return self._environments.get(connection_id, lambda: self._list_dbt_environments(connection_id))

    def _list_dbt_environments(self, connection_id: str) -> list[ListedDbtEnvironment]:
        """A bare list, or pages that are followed to the end."""
        operation = f"list the dbt environments of connection {connection_id}"
        params = {"pageSize": str(_PAGE_SIZE)}
        environments: list[ListedDbtEnvironment] = []
        cursors: set[str] = set()
        while True:
            content = self._transport.request(
                "GET", _environments(connection_id), operation=operation, parent_id=connection_id, params=params
            )
            if isinstance(content, list):
                content = {"records": content, "pageInfo": {"hasNextPage": False}}
            page = self._transport.parse(_EnvironmentPage, content, operation=operation)
            environments += page.records
            if not page.page_info.has_next_page:
                return environments
            cursor = page.page_info.next_cursor
            if not cursor or cursor in cursors:
                raise errors.UnexpectedResponseError(
                    f"Cannot {operation}: a page does not say where the next one is.",
                    status=200,
                    fields=("pageInfo.nextCursor",),
                    operation=operation,
                )
            cursors.add(cursor)
            params["cursor"] = cursor

    def create_dbt_environment(self, connection_id: str, body: DbtEnvironmentBody) -> DbtEnvironment:
        """Create a dbt environment and return it as answered.

        Raises:
            errors.BadRequestError: a value is refused, for example an owner who is not a member.
            errors.NotFoundError: no such connection.
        """
        operation = f'create dbt environment "{body.name}" of connection {connection_id}'
        with self._environments.writing(connection_id):
            content = self._transport.request(
                "POST",
                _environments(connection_id),
                operation=operation,
                body=body.to_json(creating=True),
                secrets=_secrets(body),
                idempotent=False,
            )
        return self._transport.parse(DbtEnvironment, content, operation=operation, outcome_unknown=True)

    def update_dbt_environment(
        self, connection_id: str, environment_id: str, body: DbtEnvironmentBody
    ) -> DbtEnvironment:
        """Write a dbt environment and return it as answered. New variables have no ID, so it is not idempotent.

        Raises:
            errors.BadRequestError: a value is refused.
            errors.NotFoundError: no such connection or environment.
        """
        operation = f'update dbt environment "{body.name}" ({environment_id}) of connection {connection_id}'

        def send(form: _KeptSecret) -> DbtEnvironment:
            with self._environments.writing(connection_id):
                content = self._transport.request(
                    "PUT",
                    f"{_environments(connection_id)}/{environment_id}",
                    operation=operation,
                    resource_id=environment_id,
                    body=body.with_kept_secrets(form).to_json(creating=False),
                    secrets=_secrets(body),
                    idempotent=False,
                )
            return self._transport.parse(
                DbtEnvironment, content, operation=operation, resource_id=environment_id, outcome_unknown=True
            )

        return self._kept_secret.send(send) if body.keeps_secrets else send("missing")

    def delete_dbt_environment(self, connection_id: str, environment_id: str) -> None:
        """Delete a dbt environment. This cannot be undone.

        Raises:
            errors.NotFoundError: no such connection or environment.
        """
        operation = f"delete dbt environment {environment_id} of connection {connection_id}"
        with self._environments.writing(connection_id):
            self._transport.request(
                "DELETE",
                f"{_environments(connection_id)}/{environment_id}",
                operation=operation,
                resource_id=environment_id,
            )

    def list_connection_environments(self, *, fresh: bool = False) -> list[ConnectionEnvironment] | None:
        """All connection environments, or ``None`` where the service has no such list (404 or 405).

        Args:
            fresh: whether an answer of the last seconds will not do.
        """
        if not self._has_connection_environment_list:
            return None
        if fresh:
            self._connection_environments.forget(_CONNECTION_ENVIRONMENTS)
        return self._connection_environments.get(_CONNECTION_ENVIRONMENTS, self._list_connection_environments)

    def _list_connection_environments(self) -> list[ConnectionEnvironment] | None:
        """A 404 or 405 that is not in Omni's own format may be a proxy's, so it must stay for a few seconds."""
        operation = "list the connection environments"
        for _ in waiting.looks():
            try:
                content = self._transport.request("GET", _CONNECTION_ENVIRONMENTS, operation=operation)
            except errors.ResponseError as error:
                if error.status not in {404, 405}:
                    raise
                if error.detail:
                    break
            else:
                return self._transport.parse(
                    _ConnectionEnvironments, content, operation=operation
                ).connection_environments
        self._has_connection_environment_list = False
        _log.warning(
            "Omni at %s has no list of connection environments: what others change there cannot be seen",
            self._transport.base_url,
        )
        return None

    def create_connection_environment(self, base_connection_id: str, environment_connection_id: str) -> str:
        """Make one connection an environment of another, and return the ID of the connection environment.

        Raises:
            errors.BadRequestError: the connection cannot be an environment of this one, or is one already.
            errors.NotFoundError: no such base connection.
            errors.UnexpectedResponseError: the answer does not name the new connection environment.
        """
        operation = f"make connection {environment_connection_id} an environment of connection {base_connection_id}"
        content = self._connection_environment_request(
            "POST",
            _CONNECTION_ENVIRONMENTS,
            "environmentConnectionIds",
            [environment_connection_id],
            operation=operation,
            rest={"baseConnectionId": base_connection_id},
        )
        answer = self._transport.parse(
            _CreatedConnectionEnvironments, content, operation=operation, outcome_unknown=True
        )
        for environment in answer.created:
            if environment.connection_id == environment_connection_id:
                return environment.id
        raise errors.UnexpectedResponseError(
            f"Cannot {operation}: Omni's answer does not name the new connection environment.",
            status=201,
            operation=operation,
            outcome_unknown=True,
        )

    def update_connection_environment(self, connection_environment_id: str, user_attribute_values: list[str]) -> None:
        """Set the user-attribute values that a connection environment serves.

        Raises:
            errors.BadRequestError: a value is in use by another environment of the base connection.
            errors.NotFoundError: no such connection environment.
        """
        self._connection_environment_request(
            "PUT",
            f"{_CONNECTION_ENVIRONMENTS}/{connection_environment_id}",
            "userAttributeValues",
            user_attribute_values,
            operation=f"set the user attribute values of connection environment {connection_environment_id}",
            resource_id=connection_environment_id,
        )

    def delete_connection_environment(self, connection_environment_id: str) -> None:
        """Delete a connection environment. The two connections stay.

        Raises:
            errors.NotFoundError: no such connection environment.
        """
        operation = f"delete connection environment {connection_environment_id}"
        path = f"{_CONNECTION_ENVIRONMENTS}/{connection_environment_id}"
        with self._connection_environments.writing(_CONNECTION_ENVIRONMENTS):
            self._transport.request("DELETE", path, operation=operation, resource_id=connection_environment_id)

    def _connection_environment_request(
        self,
        method: str,
        path: str,
        field: str,
        values: Sequence[str],
        *,
        operation: str,
        resource_id: str | None = None,
        rest: Mapping[str, str] = {},
    ) -> Any:
        """Send ``field`` as comma-separated text (the pages) or as a list (the generated document).

        Nobody knows which of the two a given Omni takes.
        """

        def send(form: _Values) -> Any:
            value = ",".join(values) if form == "text" else list(values)
            with self._connection_environments.writing(_CONNECTION_ENVIRONMENTS):
                return self._transport.request(
                    method,
                    path,
                    operation=operation,
                    resource_id=resource_id,
                    body={**rest, field: value},
                    idempotent=method == "PUT",
                )

        return self._values.send(send)


_CONNECTION_ENVIRONMENTS = "/api/v1/connection-environments"


def _dbt(connection_id: str) -> str:
    return f"/api/v1/connections/{connection_id}/dbt"


def _environments(connection_id: str) -> str:
    return f"{_dbt(connection_id)}/environments"


def _secrets(body: DbtEnvironmentBody) -> list[str]:
    return [variable.value for variable in body.variables if variable.is_secret and variable.value is not None]
