"""The models of Lightdash's responses. Fields that are not known are ignored, because responses grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import pydantic
from pydantic.alias_generators import to_camel

SECRET_FIELDS = ("personal_access_token", "api_key", "webhook_hmac_secret")
"""The fields of a connection that Lightdash never returns, and keeps when an update leaves them out."""

T = TypeVar("T")


class Model(pydantic.BaseModel):
    """Base class of the models."""

    model_config = pydantic.ConfigDict(alias_generator=to_camel, frozen=True, hide_input_in_errors=True)


class Response(Model, Generic[T]):
    """Every successful response of Lightdash has this form."""

    results: T


class Project(Model):
    """A project in the list of the organization. A preview project is a temporary copy of another one."""

    project_uuid: str
    name: str
    type: str = "DEFAULT"

    @property
    def is_preview(self) -> bool:
        """Whether the project is a preview project."""
        return self.type == "PREVIEW"


class DbtSource(Model):
    """A dbt source in a list, or in the response to a write."""

    project_dbt_source_uuid: str
    name: str
    is_primary: bool = False
    precedence: int | None = None
    has_credential_error: bool = False


class EnvironmentVariable(Model):
    """An environment variable of a connection."""

    key: str
    value: str


class SourceConnection(Model):
    """A connection without its secrets. Its type decides which other fields it has."""

    model_config = pydantic.ConfigDict(extra="allow")

    type: str
    environment: list[EnvironmentVariable] | None = None


class DbtSourceWithConnection(DbtSource):
    """A dbt source that is read by its UUID.

    The connection is ``None`` when Lightdash can no longer decrypt the stored one.
    """

    dbt_connection: SourceConnection | None

    @classmethod
    def without_connection(cls, source: DbtSource) -> DbtSourceWithConnection:
        """Return a source whose connection cannot be read."""
        return cls(**source.model_dump(by_alias=True), dbtConnection=None)


class AbilityRule(Model):
    """A permission of a token's owner. Lightdash checks permissions with CASL, and these are its raw rules.

    A rule applies to a project when the project meets all conditions. Lightdash also sends conditions such as
    ``{"projectUuid": {"$in": [...]}}``.
    """

    action: str | list[str]
    subject: str | list[str]
    conditions: dict[str, Any] | None = None
    inverted: bool = False

    def applies(self, action: str, subject: str, project_uuid: str) -> bool:
        """Return whether the rule is about an action on a subject of a project.

        A user belongs to one organization, so a condition on its ID excludes no project that the user can see. Other
        conditions, such as one on the user who created the project, exclude a project.
        """
        conditions = self.conditions or {}
        return (
            action in _values(self.action)
            and not {subject, "all"}.isdisjoint(_values(self.subject))
            and conditions.keys() <= {"organizationUuid", "projectUuid"}
            and ("projectUuid" not in conditions or project_uuid in _values(conditions["projectUuid"]))
        )


class User(Model):
    """The owner of a token. Lightdash does not document the rules, so they may be missing."""

    ability_rules: list[AbilityRule] = []

    def may(self, action: str, subject: str, project_uuid: str) -> bool:
        """Return whether an action on a subject of a project is allowed. In CASL the last rule that applies decides."""
        rules = [rule for rule in self.ability_rules if rule.applies(action, subject, project_uuid)]
        return bool(rules) and not rules[-1].inverted


def _values(value: Any) -> Sequence[Any]:
    """Return one value, many values, or the values of ``{"$in": [...]}`` as a sequence."""
    if isinstance(value, Mapping):
        return _values(value.get("$in", ()))
    return value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
