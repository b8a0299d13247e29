"""The checks of an Omni instance."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from omni_pulumi import errors
from omni_pulumi.api.omni.client import OmniClient
from omni_pulumi.api.omni.models import Connection
from omni_pulumi.doctor.checks import Check, Checks
from omni_pulumi.selection import Parent
from omni_pulumi.settings import OMNI

_MORE_RIGHTS = "Give the owner of the key the role Connection Admin, or use an organization API key."


class OmniChecks(Checks[OmniClient]):
    """The checks of one Omni instance."""

    service = OMNI
    service_name = "omni"
    word = "connection"

    @property
    def _wanted(self) -> tuple[str, ...]:
        return self._selection.connections

    def _connect(self) -> OmniClient:
        return OmniClient(self._instance)

    def _run(self, client: OmniClient) -> Iterator[Check]:
        try:
            listed = {each.id: each for each in client.list_connections()}
        except errors.PermissionDeniedError as error:
            if error.scope == "instance":
                raise
            yield from self._accepted()
            yield self._failure(error, "connections")
            return
        parents = [Parent("omni", each.id, each.name) for each in listed.values()]
        yield from self._accepted()
        yield self._kind_of_key(client)
        yield self._visible(parents)
        yield from self._missing(parents)
        chosen = self._chosen(parents)
        configured: Parent | None = None
        for parent in chosen:
            check = self._dbt(client, parent)
            yield check
            configured = configured or (parent if check.status == "ok" else None)
        yield from self._unchecked(parents)
        if configured is not None:
            yield self._environments(client, configured)
        yield from self._connection_environments(client, listed, chosen)
        if self._for_report and chosen:
            with suppress(errors.Error):
                client.get_connection(chosen[0].id)

    def _kind_of_key(self, client: OmniClient) -> Check:
        name = "kind of key"
        try:
            is_organization_key = client.is_organization_key()
        except errors.Error as error:
            self._require_usable_instance(error, name)
            is_organization_key = None
        if is_organization_key is None:
            result = "Omni's list of users does not tell whether it is an organization API key"
            return self._check(name, "info", result)
        if is_organization_key:
            return self._check(name, "ok", "an organization API key: it may do what an Organization Admin may")
        result = (
            "a personal access token: it may do what its owner may, and set owner_id only to its owner. What it may "
            "write cannot be told without a write"
        )
        return self._check(name, "info", result)

    def _visible(self, parents: list[Parent]) -> Check:
        if parents:
            return self._check("connections", "ok", f"the key sees {len(parents)}")
        return self._check("connections", "problem", "the key sees none", _MORE_RIGHTS)

    def _dbt(self, client: OmniClient, parent: Parent) -> Check:
        """Check dbt of a connection. Omni documents the same role for reading and writing a dbt configuration."""
        try:
            support = client.get_dbt_support(parent.id)
        except errors.PermissionDeniedError:
            result = "the key may not read the configuration, so it may not write it either"
            return self._check("dbt", self._refusal, result, _MORE_RIGHTS, parent)
        except errors.Error as error:
            return self._problem(error, "dbt", parent)
        if support.configuration is not None:
            return self._check("dbt", "ok", "configured", subject=parent)
        if support.is_supported is False:
            if not self._wanted:
                return self._check("dbt", "info", "not supported", subject=parent)
            advice = "Leave out DbtConfiguration and DbtEnvironment of this connection."
            return self._check("dbt", "warning", "not supported", advice, parent)
        result = "not configured" if support.is_supported is None else "supported, not configured"
        return self._check("dbt", "info", result, subject=parent)

    def _environments(self, client: OmniClient, parent: Parent) -> Check:
        try:
            environments = client.list_dbt_environments(parent.id)
        except errors.Error as error:
            return self._problem(error, "dbt environments", parent)
        return self._check("dbt environments", "ok", f"{len(environments)} in the list", subject=parent)

    def _connection_environments(
        self, client: OmniClient, listed: dict[str, Connection], chosen: list[Parent]
    ) -> Iterator[Check]:
        """Check the list of connection environments, and the user attribute of each base connection."""
        name = "connection environments"
        try:
            environments = client.list_connection_environments()
        except errors.PermissionDeniedError:
            yield self._check(name, self._refusal, "the key may not list them", _MORE_RIGHTS)
            return
        except errors.Error as error:
            yield self._problem(error, name)
            return
        if environments is None:
            result = (
                "Omni has no list of them: they cannot be adopted or exported, their drift cannot be detected, and "
                "base connections without a user attribute cannot be told"
            )
            yield self._check(name, "info", result)
            return
        bases = {each.base_connection_id for each in environments}
        yield self._check(name, "ok", f"{len(environments)} in the list, of {len(bases)} base connections")
        for parent in chosen:
            if parent.id in bases:
                yield self._routing(parent, listed[parent.id])

    def _routing(self, parent: Parent, connection: Connection) -> Check:
        name = "environment user attribute"
        if connection.attribute_name is not None:
            return self._check(name, "ok", "set", subject=parent)
        result = "not set, so the environments of this connection have no effect"
        advice = "Declare a ConnectionEnvironmentAttribute for it, or set the user attribute in Omni."
        return self._check(name, "problem", result, advice, parent)
