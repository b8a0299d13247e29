"""Shared by the rules: types of resources, reading properties that may be unknown, patterns.

A rule checks one resource, or all resources of the stack. It knows type tokens and property names only, so it works for
every version of these resources.

How the engine runs policies:

- A policy receives secrets in plain text and is not told which values are secret.
- A policy never sees the previous inputs.
- The CLI does not show "not applicable". It shows an ``UnknownValueError`` as an advisory line. So a policy that needs
  an unknown value raises one, and "not applicable" is only for resources of other types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, NamedTuple

from pulumi_policy import PolicyResource, ResourceValidationArgs
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

DBT_CONFIGURATION: Final = "pulumi-python:dynamic/omni:DbtConfiguration"
DBT_ENVIRONMENT: Final = "pulumi-python:dynamic/omni:DbtEnvironment"
CONNECTION_ENVIRONMENT: Final = "pulumi-python:dynamic/omni:ConnectionEnvironment"
CONNECTION_ENVIRONMENT_ATTRIBUTE: Final = "pulumi-python:dynamic/omni:ConnectionEnvironmentAttribute"
LIGHTDASH_DBT_SOURCE: Final = "pulumi-python:dynamic/lightdash:LightdashDbtSource"


class Unknown(Enum):
    """Type of :data:`UNKNOWN`."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
"""A value that is unknown in a preview: an output of a resource that does not exist yet."""

Text = str | None | Literal[Unknown.UNKNOWN]
Schema = dict[str, dict[str, Any]]
Config = Mapping[str, Any]
Report = Callable[[str], None]
ReportOn = Callable[["Resource", str], None]


class Connection(NamedTuple):
    """The ID of a connection in lower case, and the profile of its instance. An ID is unique within an instance."""

    profile: str
    id: str


class NotYetKnownError(UnknownValueError):
    """A policy needs an unknown value. The engine shows this as an advisory line, and the preview continues."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Create the error from the paths of the unknown properties."""
        super().__init__(UNKNOWN_STRING_VALUE, list(dict.fromkeys(paths)))
        are = "is" if len(self.props) == 1 else "are"
        self.message = (
            f"not applicable yet, because {', '.join(self.props)} {are} unknown until other resources exist. "
            "`pulumi up` checks the value"
        )


@dataclass(frozen=True)
class Resource:
    """A resource. ``unknown`` collects the paths of the unknown values that a policy reads."""

    type: str
    name: str
    urn: str
    protect: bool
    properties: Mapping[str, Any]
    unknown: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, args: ResourceValidationArgs | PolicyResource) -> Resource:
        """Return the resource that the engine passes to a policy."""
        return cls(args.resource_type, args.name, args.urn, args.opts.protect, args.props)

    @property
    def stack(self) -> str:
        """Name of the stack, without organization and project: ``urn:pulumi:<stack>::<project>::<type>::<name>``."""
        return self.urn.removeprefix("urn:pulumi:").partition("::")[0]

    def get(self, *path: str) -> Any:
        """Return the value at a path, ``None`` when it is absent, or :data:`UNKNOWN`."""
        here: Any = self.properties
        for depth, key in enumerate(path, 1):
            if not isinstance(here, Mapping):
                return None
            try:
                here = here[key]
            except KeyError:
                return None
            except UnknownValueError:
                self.unknown.append(argument(*path[:depth]))
                return UNKNOWN
        return here

    def text(self, *path: str) -> Text:
        """Return the text at a path like :meth:`get`. An empty text is ``None``."""
        value = self.get(*path)
        return value if value is UNKNOWN or (isinstance(value, str) and value) else None

    def connection(self, property_: str = "connectionId") -> Connection | Literal[Unknown.UNKNOWN] | None:
        """Return the connection whose ID is in a property, or ``None`` when the property is absent."""
        profile, connection = self.text("profile"), self.text(property_)
        if profile is UNKNOWN or connection is UNKNOWN:
            return UNKNOWN
        return None if connection is None else Connection(profile or "", connection.casefold())

    def names(self, *path: str) -> list[str]:
        """Return the names in a map. They are known even if values are not."""
        here = self.get(*path)
        return sorted(here) if isinstance(here, Mapping) else []

    def elements(self, *path: str) -> list[Any]:
        """Return the known elements of a list."""
        here = self.get(*path)
        elements = []
        for index in range(len(here)) if isinstance(here, Sequence) and not isinstance(here, str) else ():
            try:
                elements.append(here[index])
            except UnknownValueError:
                self.unknown.append(f"{argument(*path)}[{index}]")
        return elements


def argument(*path: str) -> str:
    """Return a path of properties as the program spells it, such as ``dbt_connection.host_domain``.

    Names of variables stay the same.
    """
    arguments = path[: 2 if path[0] == "dbtConnection" else 1]
    spelled = [re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() for name in arguments]
    return ".".join([*spelled, *path[len(arguments) :]])


def of_type(resources: Iterable[Resource], type_: str) -> list[Resource]:
    """Return the resources of a type, sorted. The engine's order varies."""
    return sorted((resource for resource in resources if resource.type == type_), key=lambda resource: resource.urn)


def matches(text: str, patterns: Iterable[str]) -> bool:
    """Return whether a text matches a shell pattern (``*``, ``?``, ``[...]``), without case."""
    return any(fnmatchcase(text.casefold(), pattern.casefold()) for pattern in patterns)


def for_stack(by_pattern: Mapping[str, Any], stack: str) -> Any:
    """Return the value of the most specific pattern that matches a stack, or ``None``.

    A pattern without wildcards is the most specific, then the one with the most literal characters. The order of the
    map is lost between the configuration file and the policy.
    """

    def letters(pattern: str) -> tuple[bool, int, str]:
        closed = pattern.rfind("]") + 1  # a later bracket opens no set
        plain = re.sub(r"[*?]|\[[^]]*\]", "", pattern[:closed]) + re.sub(r"[*?]", "", pattern[closed:])
        return plain == pattern, len(plain), pattern

    best = max((pattern for pattern in by_pattern if matches(stack, [pattern])), key=letters, default=None)
    return None if best is None else by_pattern[best]


def is_production(name: str, config: Config) -> bool:
    """Return whether the name of an environment matches the patterns in :data:`PRODUCTION`."""
    return matches(name, config["names"])


PYTHON_REGEX: Final = "python-regex"
"""Format of a setting that is a regular expression. The engine does not check it: its own ``regex`` is that of Go."""


def strings(description: str, default: Sequence[str] = (), *, example: Sequence[str] = ()) -> dict[str, Any]:
    """Return the JSON schema of a list of texts. Without an example, the default is the example."""
    schema = {"type": "array", "items": {"type": "string"}, "default": [*default], "description": description}
    return {**schema, "examples": [[*(example or default)]]}


def by_pattern(
    description: str, values: dict[str, Any], default: Mapping[str, Any], *, example: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the JSON schema of a map from patterns to values. Without an example, the default is the example."""
    schema = {"type": "object", "additionalProperties": values, "default": {**default}, "description": description}
    return {**schema, "examples": [{**(example or default)}]}


PRODUCTION: Schema = {
    "names": {
        **strings("Patterns of the names of production environments.", ["prod*", "prd*", "live*"]),
        "minItems": 1,
    }
}
"""Configuration: which environments are production environments."""

PRODUCTION_STACKS: Final = ("prod*", "prd*", "live*", "*-prod")
"""Default patterns of the names of production stacks."""
