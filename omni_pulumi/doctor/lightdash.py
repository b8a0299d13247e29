"""The checks of a Lightdash instance."""

from __future__ import annotations

from collections.abc import Iterator

from omni_pulumi import errors
from omni_pulumi.api.lightdash.client import LightdashClient
from omni_pulumi.doctor.checks import Check, Checks
from omni_pulumi.selection import Parent
from omni_pulumi.settings import LIGHTDASH

_MORE_RIGHTS = "Give the owner of the token the role of an admin of the project or of the organization."

_DOCUMENTED_VERSION = "0.3277.1"
"""The version of the API reference that describes dbt sources.

Source: https://docs.lightdash.com/api-reference/v1/projects/update-dbt-source.
"""

_VERSION = "Lightdash-Version"
"""The header of every response that has the version."""


class LightdashChecks(Checks[LightdashClient]):
    """The checks of one Lightdash instance."""

    service = LIGHTDASH
    service_name = "lightdash"
    word = "project"

    @property
    def _wanted(self) -> tuple[str, ...]:
        return self._selection.projects

    def _connect(self) -> LightdashClient:
        return LightdashClient(self._instance)

    def _run(self, client: LightdashClient) -> Iterator[Check]:
        projects = client.list_projects()
        yield from self._accepted()
        version = self._traffic.exchanges[-1].headers.get(_VERSION)
        yield self._check("version", "info", version or "Lightdash does not send its version")
        parents = [Parent("lightdash", each.project_uuid, each.name) for each in projects]
        yield self._visible(parents)
        yield from self._missing(parents)
        previews = {each.project_uuid for each in projects if each.is_preview}
        own = parents if self._wanted else [parent for parent in parents if parent.id not in previews]
        for parent in self._chosen(own):
            yield from self._project(client, parent)
        yield from self._unchecked(own)

    def _visible(self, parents: list[Parent]) -> Check:
        if parents:
            return self._check("projects", "ok", f"the token sees {len(parents)}")
        return self._check("projects", "problem", "the token sees none", _MORE_RIGHTS)

    def _project(self, client: LightdashClient, parent: Parent) -> Iterator[Check]:
        try:
            sources = client.list_dbt_sources(parent.id)
        except errors.NotFoundError:
            advice = f"Upgrade Lightdash: version {_DOCUMENTED_VERSION} has dbt sources in its API."
            yield self._check("dbt sources", "problem", "Lightdash does not find them", advice, parent)
            return
        except errors.Error as error:
            yield self._problem(error, "dbt sources", parent)
            return
        count = sum(not source.is_primary for source in sources)
        yield self._permission(client, parent, f"{count} additional dbt sources")
        broken = sum(source.has_credential_error for source in sources)
        if broken:
            result = f"Lightdash can no longer decrypt the credentials of {broken} dbt sources"
            advice = "The next update of their LightdashDbtSource writes the declared credentials again."
            yield self._check("credentials", "warning", result, advice, parent)

    def _permission(self, client: LightdashClient, parent: Parent, sources: str) -> Check:
        """Check what the token may do. Lightdash does not document where it says so."""
        try:
            may_manage = client.may_manage_project(parent.id)
        except errors.Error as error:
            self._require_usable_instance(error, "dbt sources", parent)
            may_manage = None
        if may_manage:
            return self._check("dbt sources", "ok", f"{sources}; the token may manage them", subject=parent)
        if may_manage is None:
            result = f"{sources}; whether the token may manage them cannot be told without a write"
            return self._check("dbt sources", "info", result, subject=parent)
        result = f"{sources}; the token may read them and not write them"
        return self._check("dbt sources", self._refusal, result, _MORE_RIGHTS, parent)
