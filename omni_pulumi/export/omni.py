"""Read the objects of an Omni instance."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from omni_pulumi import errors
from omni_pulumi.api.omni import models
from omni_pulumi.api.omni.client import OmniClient
from omni_pulumi.export.arguments import UndeclarableError, declare
from omni_pulumi.export.objects import (
    ATTRIBUTE,
    CONFIGURATION,
    CONNECTION_ENVIRONMENT,
    ENVIRONMENT,
    ConnectionId,
    Found,
    Inventory,
    Kind,
    SecretText,
    Skipped,
    is_production,
    select_parents,
)
from omni_pulumi.export.reader import Reader
from omni_pulumi.redact import display, is_secret
from omni_pulumi.secret_text import is_secret_name
from omni_pulumi.selection import Parent


class OmniReader(Reader[OmniClient]):
    """Read what is selected of one Omni instance."""

    def read(self) -> Inventory:
        """Read the objects of all selected connections.

        Raises:
            Error: Omni cannot be reached, or refuses the key.
            ExportError: a selected connection does not exist.
        """
        connections = {each.id: each for each in self._client.list_connections()}
        self._parents = {each.id: Parent("omni", each.id, each.name) for each in connections.values()}
        self._note_nothing([*self._parents.values()], "connection of Omni")
        wanted = self._selection.connections
        selected = select_parents(list(self._parents.values()), wanted, word="connection")
        read: set[str] = set()
        for parent in self._each(selected, wanted):
            self._parents[parent.id] = parent
            self._read_connection(parent, connections[parent.id])
            read.add(parent.id)
        if self._selection.has_kind(CONNECTION_ENVIRONMENT):
            self._read_connection_environments(read)
        self._progress(len(selected), len(selected), "")
        return self.inventory

    def _read_connection(self, parent: Parent, connection: models.Connection) -> None:
        if connection.attribute_name is not None and self._selection.has_kind(ATTRIBUTE):
            values = {"attribute_name": connection.attribute_name, "default_values": connection.default_values}
            self._add(ATTRIBUTE, parent, {"connection_id": parent.id, **values}, name=parent.name)
        if not self._selection.has_kind(CONFIGURATION, ENVIRONMENT):
            return
        try:
            configuration = self._client.get_dbt_configuration(parent.id)
            environments = [] if configuration is None else self._client.list_dbt_environments(parent.id)
        except (errors.PermissionDeniedError, errors.NotFoundError) as error:
            self._skip_parent(parent, str(error))
            return
        if configuration is not None and self._selection.has_kind(CONFIGURATION):
            protect = any(is_production(environment.name) for environment in environments)
            self._add_configuration(parent, configuration, protect=protect)
        if self._selection.has_kind(ENVIRONMENT):
            self._add_environments(parent, environments)

    def _add_configuration(self, parent: Parent, configuration: models.DbtConfiguration, *, protect: bool) -> None:
        values = configuration.model_dump()
        values["dbt_version"] = configuration.dbt_version or "Auto"
        self._add(CONFIGURATION, parent, {"connection_id": parent.id, **values}, name=parent.name, protect=protect)

    def _add_environments(self, parent: Parent, environments: list[models.ListedDbtEnvironment]) -> None:
        """Add the environments that are selected. An adoption finds an environment by its name and owner."""
        count = Counter((environment.name, environment.owner_id) for environment in environments)
        for environment in sorted(environments, key=lambda e: (not e.is_default_environment, e.name.casefold(), e.id)):
            if not self._selection.has_name(environment.name) or not self._selection.has_owner(environment.owner_id):
                continue
            if count[environment.name, environment.owner_id] > 1:
                reason = "another one has the same name and owner, so an adoption cannot tell them apart"
                self._skip(ENVIRONMENT, f"{parent.id}/{environment.id}", environment.name, parent, reason)
            else:
                self._add_environment(parent, environment)

    def _add_environment(self, parent: Parent, environment: models.ListedDbtEnvironment) -> None:
        fields = ("name", "target_schema", "target_database", "target_name", "target_role", "owner_id")
        values: dict[str, Any] = {"connection_id": parent.id, **{name: getattr(environment, name) for name in fields}}
        plain = {variable.name: variable.value or "" for variable in environment.variables if not variable.is_secret}
        secret = {variable.name for variable in environment.variables if variable.is_secret}
        secret_looking = {name for name, value in plain.items() if value and (is_secret_name(name) or is_secret(value))}
        if self._selection.secrets == "unmanaged":
            kept_in_omni = secret | secret_looking
            values["variables"] = {name: value for name, value in plain.items() if name not in kept_in_omni}
            values["unmanaged_variables"] = [_as_pattern(name) for name in kept_in_omni]
        else:
            values["variables"] = plain
            values["secret_variables"] = dict.fromkeys(secret, "a value")
        found = self._add(
            ENVIRONMENT,
            parent,
            values,
            name=environment.name,
            service_id=environment.id,
            protect=is_production(environment.name),
            is_default=environment.is_default_environment,
            hidden={"variables": secret_looking, "secret_variables": secret},
        )
        if found and secret_looking:
            way = "unmanaged_variables lists it" if self._selection.secrets == "unmanaged" else "the program reads it"
            names = ", ".join(sorted(secret_looking))
            self.inventory.notes.append(f"{found}: the plain variable looks like a secret, so {way}: {names}.")

    def _read_connection_environments(self, selected: set[str]) -> None:
        environments = self._client.list_connection_environments()
        if environments is None:
            self.inventory.notes.append(
                "This Omni instance has no list of connection environments. They can be neither exported nor adopted."
            )
            return
        known = [each for each in environments if each.base_connection_id in selected]
        for each in sorted(known, key=lambda each: (each.base_connection_id, each.connection_id)):
            parent = self._parents[each.base_connection_id]
            environment = self._parents.get(each.connection_id) or Parent("omni", each.connection_id, "")
            if is_secret(environment.name):
                self._skip(CONNECTION_ENVIRONMENT, each.id, "", parent, "its name looks like a secret")
                continue
            values = {
                "base_connection_id": parent.id,
                "environment_connection_id": environment.id,
                "user_attribute_values": each.user_attribute_values,
            }
            self._add(
                CONNECTION_ENVIRONMENT,
                parent,
                values,
                name=environment.name or environment.id,
                service_id=each.id,
                references={"environment_connection_id": ConnectionId(environment)},
            )

    def _add(
        self,
        kind: Kind,
        parent: Parent,
        values: Mapping[str, Any],
        *,
        name: str,
        service_id: str | None = None,
        protect: bool = False,
        is_default: bool = False,
        hidden: Mapping[str, set[str]] | None = None,
        references: Mapping[str, Any] | None = None,
    ) -> Found | None:
        """Add an object, or skip it when a program cannot declare it.

        Args:
            kind: its kind.
            parent: its connection.
            values: what Omni has, under the names of the arguments.
            name: its display name.
            service_id: its own ID, ``None`` when it is the one of its connection.
            protect: whether it is protected.
            is_default: whether Omni creates it.
            hidden: names of variables whose value is in no file, by argument.
            references: what stands for an argument in the program.
        """
        pulumi_id = _pulumi_id(kind, parent, service_id)
        if is_secret(name):
            self._skip(kind, pulumi_id, name, parent, "its name looks like a secret")
            return None
        try:
            arguments = declare(kind.lifecycle, values, self._selection.profile)
        except UndeclarableError as error:
            self._skip(kind, pulumi_id, name, parent, f"a program cannot declare it: {error}")
            return None
        for argument, variables in (hidden or {}).items():
            if argument in arguments:
                known = arguments[argument].items()
                arguments[argument] = {key: SecretText(key) if key in variables else value for key, value in known}
        arguments.update(references or {})
        del arguments[parent_argument(kind)]
        found = Found(kind, pulumi_id, service_id, parent, name, arguments, protect, is_default)
        self.inventory.found.append(found)
        return found

    def _skip(self, kind: Kind, pulumi_id: str, name: str, parent: Parent, reason: str) -> None:
        title = f'{kind.title} "{display(name)}"' if name else kind.title
        self.inventory.skipped.append(Skipped(pulumi_id, f"{title} ({pulumi_id}) of {parent}", reason))


def parent_argument(kind: Kind) -> str:
    """Return the argument that is the ID of the parent."""
    if kind == CONNECTION_ENVIRONMENT:
        return "base_connection_id"
    return "connection_id" if kind.service == "omni" else "project_uuid"


def _pulumi_id(kind: Kind, parent: Parent, service_id: str | None) -> str:
    if service_id is None:
        return parent.id
    return service_id if kind == CONNECTION_ENVIRONMENT else f"{parent.id}/{service_id}"


def _as_pattern(name: str) -> str:
    """Return the glob that matches only this name."""
    return re.sub(r"([*?\[])", r"[\1]", name)
