"""Read the dbt sources of a Lightdash instance."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, get_args

from omni_pulumi import errors
from omni_pulumi.api.lightdash.client import LightdashClient
from omni_pulumi.api.lightdash.models import SECRET_FIELDS, DbtSource, SourceConnection
from omni_pulumi.export.arguments import UndeclarableError, declare, hide_secrets, without_defaults
from omni_pulumi.export.objects import (
    SOURCE,
    ConstructorCall,
    Found,
    Inventory,
    SecretText,
    Skipped,
    select_parents,
)
from omni_pulumi.export.reader import Reader
from omni_pulumi.lightdash_connections import CONNECTION_ARGS, DbtConnection, stored_from_response
from omni_pulumi.redact import display, is_secret
from omni_pulumi.secret_text import is_secret_name
from omni_pulumi.selection import Parent

_CLASSES = {each.type: each for each in get_args(DbtConnection)}
"""Classes of a program's connections by type."""


class LightdashReader(Reader[LightdashClient]):
    """Read what is selected of one Lightdash instance."""

    def read(self) -> Inventory:
        """Read the additional dbt sources of all selected projects. A preview project must be named.

        Raises:
            Error: Lightdash cannot be reached, or refuses the token.
            ExportError: a selected project does not exist.
        """
        if not self._selection.has_kind(SOURCE):
            return self.inventory
        projects = self._client.list_projects()
        previews = {project.project_uuid for project in projects if project.is_preview}
        parents = [Parent("lightdash", project.project_uuid, project.name) for project in projects]
        self._note_nothing(parents, "project of Lightdash")
        selected = select_parents(parents, self._selection.projects, word="project")
        if not self._selection.projects:
            selected = [parent for parent in selected if parent.id not in previews]
        for parent in self._each(selected, self._selection.projects):
            try:
                self._read_project(parent)
            except (errors.PermissionDeniedError, errors.NotFoundError) as error:
                self._skip_parent(parent, str(error))
        self._progress(len(selected), len(selected), "")
        return self.inventory

    def _read_project(self, parent: Parent) -> None:
        sources = [source for source in self._client.list_dbt_sources(parent.id) if not source.is_primary]
        for source in sorted(sources, key=lambda source: (source.name.casefold(), source.project_dbt_source_uuid)):
            if self._selection.has_name(source.name):
                try:
                    self.inventory.found.append(self._found(parent, source))
                except UndeclarableError as error:
                    description = f'dbt source "{display(source.name)}" ({source.project_dbt_source_uuid}) of {parent}'
                    self.inventory.skipped.append(Skipped(_pulumi_id(parent, source), description, str(error)))

    def _found(self, parent: Parent, source: DbtSource) -> Found:
        """Return a source as a program declares it.

        Raises:
            UndeclarableError: a program cannot declare it, or the token does not see all of it.
        """
        if is_secret(source.name):
            raise UndeclarableError("its name looks like a secret")
        if source.has_credential_error:
            raise UndeclarableError("Lightdash can no longer decrypt the stored connection")
        connection = self._client.get_dbt_source(parent.id, source.project_dbt_source_uuid).dbt_connection
        if connection is None:
            raise UndeclarableError("Lightdash returned no connection")
        if connection.type not in CONNECTION_ARGS:
            raise UndeclarableError("its connection has a type that this version does not know")
        if connection.environment is None and not self._client.may_manage_project(parent.id):
            raise UndeclarableError(
                "Lightdash returned no environment variables, and shows them only to a token that may manage the "
                "project"
            )
        declared = self._connection(connection)
        values = {"project_uuid": parent.id, "name": source.name, "dbt_connection": declared}
        arguments = declare(SOURCE.lifecycle, values, self._selection.profile)
        del arguments["project_uuid"]
        arguments["dbt_connection"] = self._typed(connection.type, declared)
        service_id = source.project_dbt_source_uuid
        return Found(SOURCE, _pulumi_id(parent, source), service_id, parent, source.name, arguments)

    def _connection(self, connection: SourceConnection) -> dict[str, Any]:
        """Return the properties of a connection, with a placeholder for each credential that the program needs."""
        properties = stored_from_response(connection.model_dump(), None)
        needed = {name for name in SECRET_FIELDS if _is_required(connection.type, name)}
        if needed and self._selection.secrets == "unmanaged":
            raise UndeclarableError(
                f"a program must declare {' and '.join(sorted(needed))} of a connection of the type "
                f"{connection.type}, which --secrets config reads from the stack's configuration"
            )
        if properties.pop("authorizationMethod", None) == "personal_access_token":
            properties.pop("installationId", None)
            if self._selection.secrets == "config":
                needed.add("personal_access_token")
        aliases = CONNECTION_ARGS[connection.type].model_fields
        return properties | {str(aliases[name].alias): "a value" for name in sorted(needed)}

    def _typed(self, kind: str, properties: Mapping[str, Any]) -> ConstructorCall:
        """Return the connection as an instance of its class, with the required arguments first."""
        model = CONNECTION_ARGS[kind]
        names = [field.name for field in dataclasses.fields(_CLASSES[kind])]
        names.sort(key=lambda name: not model.model_fields[name].is_required())
        fields = {name: model.model_fields[name] for name in names}
        arguments = without_defaults(model.model_validate(properties), fields)
        for name in SECRET_FIELDS:
            if name in arguments:
                arguments[name] = SecretText(name)
        if "environment" in arguments:
            environment = arguments["environment"].items()
            arguments["environment"] = {k: SecretText(k) if v and is_secret_name(k) else v for k, v in environment}
        return ConstructorCall(_CLASSES[kind].__name__, hide_secrets(arguments))


def _pulumi_id(parent: Parent, source: DbtSource) -> str:
    return f"{parent.id}/{source.project_dbt_source_uuid}"


def _is_required(kind: str, name: str) -> bool:
    field = CONNECTION_ARGS[kind].model_fields.get(name)
    return field is not None and field.is_required()
