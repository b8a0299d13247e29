"""Omni's endpoints for dbt, connections and connection environments, one method each.

Source: https://docs.omni.co/api/dbt, https://docs.omni.co/api/connections,
https://docs.omni.co/api/connection-environments. Omni's pages and its OpenAPI
document contradict each other in places, which gives several dialects. Each
method says how it supports them. docs/behaviour.md lists the contradictions.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from omni_pulumi import errors
from omni_pulumi.api.exchange import Observer
from omni_pulumi.api.instance import Instance
from omni_pulumi.api.omni.models import (
    Connection,
    ConnectionEnvironment,
    ConnectionEnvironments,
    ConnectionResponse,
    Connections,
    CreatedConnectionEnvironments,
    DbtConfiguration,
    DbtEnvironment,
    DbtEnvironmentBody,
    DbtEnvironmentPage,
    DbtSupport,
    KeptSecretForm,
    ListedDbtEnvironment,
    UserAttributeBody,
    UserAttributeForm,
)
from omni_pulumi.api.read_cache import ReadCache
from omni_pulumi.api.request import Request
from omni_pulumi.api.request_form import RequestForm
from omni_pulumi.api.retry import poll
from omni_pulumi.api.transport import Transport

_log = logging.getLogger(__name__)

_ValuesForm = Literal["text", "list"]
"""How values are sent: as comma-separated text (Omni's pages) or as a list (Omni's OpenAPI document)."""

_PAGE_SIZE: Final = 100
"""The most that Omni returns in one page. Its default is 20."""

_CONFIGURATION_FIELDS = frozenset(field.alias for field in DbtConfiguration.model_fields.values())

_CONNECTIONS = "/api/v1/connections"
_CONNECTION_ENVIRONMENTS = "/api/v1/connection-environments"


class OmniClient:
    """Sends requests to one Omni instance with one API key. Safe to share between threads."""

    def __init__(self, instance: Instance) -> None:
        """Prepare a client. No request is sent yet."""
        self._transport = Transport("Omni", instance, "Bearer")
        self.failures = self._transport.failures
        self.lookups: ReadCache[Any] = ReadCache(max_age=math.inf)
        self._environments: ReadCache[list[ListedDbtEnvironment]] = ReadCache()
        self._connection_environments: ReadCache[list[ConnectionEnvironment] | None] = ReadCache()
        self._values: RequestForm[_ValuesForm] = RequestForm("text", "list")
        self._kept_secret: RequestForm[KeptSecretForm] = RequestForm("missing", "null")
        self._has_connection_environment_list = True
        self._user_attribute: RequestForm[UserAttributeForm] = RequestForm(
            "environmentUserAttribute", "userAttributeNameForConnectionEnvironments"
        )

    @property
    def has_connection_environment_list(self) -> bool:
        """Whether Omni has a list of connection environments. ``True`` until a read shows that it has none."""
        return self._has_connection_environment_list

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def observe(self, observer: Observer) -> None:
        """Call a function with each response, before it is parsed."""
        self._transport.observe(observer)

    def invalidate_lists(self) -> None:
        """Read each list again before it is used."""
        self._environments.invalidate_all()
        self._connection_environments.invalidate_all()

    def get_dbt_configuration(self, connection_id: str) -> DbtConfiguration | None:
        """Return the dbt configuration of a connection, ``None`` when it has none.

        Raises:
            errors.PermissionDeniedError: the key is wrong, or its owner is not a Connection Admin.
            errors.NotFoundError: the connection does not exist.
        """
        return self.get_dbt_support(connection_id).configuration

    def get_dbt_support(self, connection_id: str) -> DbtSupport:
        """Return whether a connection supports dbt, with its dbt configuration.

        Omni answers "not configured" with 200, and ``supportsDbt`` or a ``message`` instead of a configuration. If it
        answers 404, only the message distinguishes it from a connection that does not exist. A configuration that lacks
        a field is an unexpected response, and not the absence of a configuration.

        Raises:
            errors.PermissionDeniedError: the key is wrong, or its owner is not a Connection Admin.
            errors.NotFoundError: the connection does not exist.
        """
        request = Request(
            method="GET",
            path=_dbt(connection_id),
            operation=f"read the dbt configuration of connection {connection_id}",
            resource_id=connection_id,
            parent_id=connection_id,
        )
        try:
            content = self._transport.send(request)
        except errors.NotFoundError as error:
            if error.meaning == "not_configured":
                return DbtSupport(None)
            raise
        if isinstance(content, Mapping) and _CONFIGURATION_FIELDS.isdisjoint(content):
            message, supported = content.get("message"), content.get("supportsDbt")
            if "supportsDbt" in content or (isinstance(message, str) and "not configured" in message):
                return DbtSupport(None, is_supported=supported if isinstance(supported, bool) else None)
        return DbtSupport(self._transport.parse(DbtConfiguration, content, request), is_supported=True)

    def put_dbt_configuration(
        self, connection_id: str, configuration: DbtConfiguration, *, rotate_keys: bool = False
    ) -> None:
        """Write the dbt configuration of a connection. The response does not contain it.

        Raises:
            errors.BadRequestError: Omni refuses a value.
            errors.NotFoundError: the connection does not exist.
        """
        request = Request(
            method="PUT",
            path=_dbt(connection_id),
            operation=f"write the dbt configuration of connection {connection_id}",
            resource_id=connection_id,
            body=configuration.model_dump(by_alias=True) | ({"rotateKeys": True} if rotate_keys else {}),
            idempotent=not rotate_keys,
        )
        with self._environments.writing(connection_id):
            self._transport.send(request)

    def delete_dbt_configuration(self, connection_id: str) -> None:
        """Unlink the dbt repository of a connection.

        Raises:
            errors.NotFoundError: the connection does not exist, or it has no dbt configuration.
        """
        request = Request(
            method="DELETE",
            path=_dbt(connection_id),
            operation=f"delete the dbt configuration of connection {connection_id}",
            resource_id=connection_id,
        )
        with self._environments.writing(connection_id):
            self._transport.send(request)

    def list_dbt_environments(self, connection_id: str, *, use_cache: bool = True) -> list[ListedDbtEnvironment]:
        """Return all dbt environments of a connection.

        Args:
            connection_id: UUID of the connection.
            use_cache: whether a response of the last 5 seconds may be used.

        Raises:
            errors.NotFoundError: the connection does not exist.
        """
        if not use_cache:
            self._environments.invalidate(connection_id)
        return self._environments.get(connection_id, lambda: self._list_dbt_environments(connection_id))

    def _list_dbt_environments(self, connection_id: str) -> list[ListedDbtEnvironment]:
        """Omni's pages show a list, and its OpenAPI document shows pages of a list."""
        environments: list[ListedDbtEnvironment] = []
        cursors: list[str] = []
        while True:
            request = Request(
                method="GET",
                path=_dbt_environments(connection_id),
                operation=f"list the dbt environments of connection {connection_id}",
                parent_id=connection_id,
                params={"pageSize": str(_PAGE_SIZE)} | ({"cursor": cursors[-1]} if cursors else {}),
            )
            content = self._transport.send(request)
            if isinstance(content, list):
                content = {"records": content, "pageInfo": {"hasNextPage": False}}
            page = self._transport.parse(DbtEnvironmentPage, content, request)
            environments += page.records
            if not page.page_info.has_next_page:
                return environments
            cursor = page.page_info.next_cursor
            if not cursor or cursor in cursors:
                raise errors.UnexpectedResponseError(
                    f"Cannot {request.operation}: Omni announced another page without a new cursor for it. Run the "
                    "command again. If the error persists, report it with the output of `omni-pulumi --version`.",
                    status=200,
                    fields=("pageInfo.nextCursor",),
                    operation=request.operation,
                )
            cursors.append(cursor)

    def create_dbt_environment(self, connection_id: str, body: DbtEnvironmentBody) -> DbtEnvironment:
        """Create a dbt environment and return what the response contains of it.

        Raises:
            errors.BadRequestError: Omni refuses a value, for example an owner who is not a member.
            errors.NotFoundError: the connection does not exist.
        """
        request = Request(
            method="POST",
            path=_dbt_environments(connection_id),
            operation=f'create dbt environment "{body.name}" of connection {connection_id}',
            body=body.to_json(creating=True),
            secrets=body.secrets(),
            idempotent=False,
        )
        with self._environments.writing(connection_id) as apply:
            created = self._transport.parse(DbtEnvironment, self._transport.send(request), request)
            if (listed := created.as_listed()) is not None:
                apply(lambda environments: [*(e for e in environments if e.id != listed.id), listed])
        return created

    def update_dbt_environment(
        self, connection_id: str, environment_id: str, body: DbtEnvironmentBody
    ) -> DbtEnvironment:
        """Write a dbt environment and return what the response contains of it.

        The request is not idempotent, because a new variable has no ID.

        Raises:
            errors.BadRequestError: Omni refuses a value.
            errors.NotFoundError: the connection or the environment does not exist.
        """

        def send(form: KeptSecretForm) -> DbtEnvironment:
            request = Request(
                method="PUT",
                path=f"{_dbt_environments(connection_id)}/{environment_id}",
                operation=f'update dbt environment "{body.name}" ({environment_id}) of connection {connection_id}',
                resource_id=environment_id,
                body=body.with_kept_secrets(form).to_json(creating=False),
                secrets=body.secrets(),
                idempotent=False,
            )
            with self._environments.writing(connection_id) as apply:
                updated = self._transport.parse(DbtEnvironment, self._transport.send(request), request)
                if (listed := updated.as_listed()) is not None:
                    apply(lambda environments: [listed if e.id == listed.id else e for e in environments])
            return updated

        return self._kept_secret.send(send) if body.keeps_secrets else send("missing")

    def delete_dbt_environment(self, connection_id: str, environment_id: str) -> None:
        """Delete a dbt environment. This cannot be undone.

        Raises:
            errors.NotFoundError: the connection or the environment does not exist.
        """
        request = Request(
            method="DELETE",
            path=f"{_dbt_environments(connection_id)}/{environment_id}",
            operation=f"delete dbt environment {environment_id} of connection {connection_id}",
            resource_id=environment_id,
        )
        with self._environments.writing(connection_id) as apply:
            self._transport.send(request)
            apply(lambda environments: [e for e in environments if e.id != environment_id])

    def list_connection_environments(self, *, use_cache: bool = True) -> list[ConnectionEnvironment] | None:
        """Return all connection environments, ``None`` when Omni has no such list (404 or 405).

        Args:
            use_cache: whether a response of the last 5 seconds may be used.
        """
        if not self._has_connection_environment_list:
            return None
        if not use_cache:
            self._connection_environments.invalidate(_CONNECTION_ENVIRONMENTS)
        return self._connection_environments.get(_CONNECTION_ENVIRONMENTS, self._list_connection_environments)

    def _list_connection_environments(self) -> list[ConnectionEnvironment] | None:
        """A 404 or 405 without Omni's error format may come from a proxy, so it must occur several times."""
        request = Request(method="GET", path=_CONNECTION_ENVIRONMENTS, operation="list the connection environments")

        environments: list[ConnectionEnvironment] | None = None

        def has_list() -> bool | None:
            """Return ``None`` for a 404 or 405 that may come from a proxy."""
            nonlocal environments
            try:
                content = self._transport.send(request)
            except errors.ResponseError as error:
                if error.status not in {404, 405}:
                    raise
                return False if error.detail else None
            environments = self._transport.parse(ConnectionEnvironments, content, request).connection_environments
            return True

        if not poll(has_list):
            self._has_connection_environment_list = False
            _log.warning(
                "Omni at %s has no list of connection environments, so their drift cannot be detected",
                self._transport.base_url,
            )
        return environments

    def create_connection_environment(self, base_connection_id: str, environment_connection_id: str) -> str:
        """Make one connection an environment of another, and return the ID of the connection environment.

        Raises:
            errors.BadRequestError: the connection cannot be an environment of the other one, or is one already.
            errors.NotFoundError: the base connection does not exist.
            errors.UnexpectedResponseError: the response does not contain the new connection environment.
        """
        operation = f"make connection {environment_connection_id} an environment of connection {base_connection_id}"

        def send(form: _ValuesForm) -> str:
            request = Request(
                method="POST",
                path=_CONNECTION_ENVIRONMENTS,
                operation=operation,
                body={
                    "baseConnectionId": base_connection_id,
                    "environmentConnectionIds": _in_form(form, [environment_connection_id]),
                },
                idempotent=False,
            )
            with self._connection_environments.writing(_CONNECTION_ENVIRONMENTS) as apply:
                content = self._transport.send(request)
                answer = self._transport.parse(CreatedConnectionEnvironments, content, request)
                ids = [each.id for each in answer.created if each.connection_id == environment_connection_id]
                if not ids:
                    raise errors.UnexpectedResponseError(
                        f"Cannot {operation}: Omni's response does not contain the new connection environment, which "
                        "may have been created. If it exists, delete it in Omni.",
                        status=201,
                        operation=operation,
                        outcome_unknown=True,
                    )
                created = ConnectionEnvironment(
                    id=ids[0],
                    base_connection_id=base_connection_id,
                    connection_id=environment_connection_id,
                    user_attribute_values=[],
                )
                apply(
                    lambda environments: (
                        None if environments is None else [*(e for e in environments if e.id != created.id), created]
                    )
                )
            return created.id

        return self._values.send(send)

    def update_connection_environment(self, connection_environment_id: str, user_attribute_values: list[str]) -> None:
        """Set the user-attribute values that a connection environment serves.

        Raises:
            errors.BadRequestError: another environment of the base connection uses a value.
            errors.NotFoundError: the connection environment does not exist.
        """

        def set_values(environments: list[ConnectionEnvironment] | None) -> list[ConnectionEnvironment] | None:
            values = {"user_attribute_values": user_attribute_values}
            return environments and [
                e.model_copy(update=values) if e.id == connection_environment_id else e for e in environments
            ]

        def send(form: _ValuesForm) -> None:
            request = Request(
                method="PUT",
                path=f"{_CONNECTION_ENVIRONMENTS}/{connection_environment_id}",
                operation=f"set the user attribute values of connection environment {connection_environment_id}",
                resource_id=connection_environment_id,
                body={"userAttributeValues": _in_form(form, user_attribute_values)},
            )
            with self._connection_environments.writing(_CONNECTION_ENVIRONMENTS) as apply:
                self._transport.send(request)
                apply(set_values)

        self._values.send(send)

    def delete_connection_environment(self, connection_environment_id: str) -> None:
        """Delete a connection environment. The two connections stay.

        Raises:
            errors.NotFoundError: the connection environment does not exist.
        """
        request = Request(
            method="DELETE",
            path=f"{_CONNECTION_ENVIRONMENTS}/{connection_environment_id}",
            operation=f"delete connection environment {connection_environment_id}",
            resource_id=connection_environment_id,
        )
        with self._connection_environments.writing(_CONNECTION_ENVIRONMENTS) as apply:
            self._transport.send(request)
            apply(lambda environments: environments and [e for e in environments if e.id != connection_environment_id])

    def list_connections(self) -> list[Connection]:
        """Return all connections that the key may see, with their environment user attributes.

        Raises:
            errors.PermissionDeniedError: the key is wrong, or may not list connections.
        """
        request = Request(method="GET", path=_CONNECTIONS, operation="list the connections")
        return self._transport.parse(Connections, self._transport.send(request), request).connections

    def get_connection(self, connection_id: str) -> Connection:
        """Return a connection with its environment user attribute.

        Not every Omni instance has this route. If it answers 404 or 405, the connection is found in the list of all.

        Raises:
            errors.NotFoundError: the connection does not exist.
        """
        operation = f"read connection {connection_id}"
        request = Request(
            method="GET",
            path=_connection(connection_id),
            operation=operation,
            resource_id=connection_id,
            parent_id=connection_id,
        )
        try:
            content = self._transport.send(request)
        except errors.ResponseError as error:
            if error.status not in {404, 405}:
                raise
            request = Request(method="GET", path=_CONNECTIONS, operation=operation, parent_id=connection_id)
            connections = self._transport.parse(Connections, self._transport.send(request), request).connections
            listed = next((each for each in connections if each.id == connection_id), None)
            if listed is None:
                raise
            return listed
        return self._transport.parse(ConnectionResponse, content, request).connection

    def is_organization_key(self) -> bool | None:
        """Return whether the key is an organization API key, ``None`` when Omni's answer does not tell.

        Only such a key may list the users. The filter matches no user, so the response contains none.

        Source: https://docs.omni.co/api/authentication.
        """
        request = Request(
            method="GET",
            path="/api/scim/v2/Users",
            operation="find out the kind of the key",
            params={"filter": 'userName eq "nobody@example.com"', "count": "1"},
        )
        try:
            self._transport.send(request)
        except (errors.AuthenticationError, errors.PermissionDeniedError):
            return False
        except errors.ResponseError as error:
            if isinstance(error, errors.RateLimitError):
                raise
            return None
        return True

    def set_environment_user_attribute(self, connection_id: str, body: UserAttributeBody) -> None:
        """Set or remove the user attribute that selects an environment of a connection.

        Raises:
            errors.BadRequestError: the attribute does not exist, or an environment of the connection uses a value.
            errors.NotFoundError: the connection does not exist.
        """

        def send(form: UserAttributeForm) -> None:
            request = Request(
                method="PATCH",
                path=_connection(connection_id),
                operation=f"set the environment user attribute of connection {connection_id}",
                resource_id=connection_id,
                body=body.to_json(form),
            )
            self._transport.send(request)

        self._user_attribute.send(send)


def _in_form(form: _ValuesForm, values: Sequence[str]) -> Any:
    return ",".join(values) if form == "text" else list(values)


def _connection(connection_id: str) -> str:
    return f"{_CONNECTIONS}/{connection_id}"


def _dbt(connection_id: str) -> str:
    return f"{_connection(connection_id)}/dbt"


def _dbt_environments(connection_id: str) -> str:
    return f"{_dbt(connection_id)}/environments"
