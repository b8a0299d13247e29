"""What the rules share: the resources' types, reading a property that may be unknown, patterns, and how a rule is made.

A rule is a function of one resource, or of all in the stack, that reports what is wrong. It knows type tokens and
property names only, so that it works for every program that uses these resources.

Surprising facts of the engine: a policy gets secrets in clear and is not told which they are; it never sees the values
of the last run; and "not applicable" is recorded but shown nowhere in the CLI, while an ``UnknownValueError`` becomes
an advisory line. So a rule that met an unknown value ends with one, and says "not applicable" only of other resources.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, NamedTuple, cast

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceRemediation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

DBT_CONFIGURATION: Final = "pulumi-python:dynamic/omni:DbtConfiguration"
DBT_ENVIRONMENT: Final = "pulumi-python:dynamic/omni:DbtEnvironment"
CONNECTION_ENVIRONMENT: Final = "pulumi-python:dynamic/omni:ConnectionEnvironment"
LIGHTDASH_DBT_SOURCE: Final = "pulumi-python:dynamic/lightdash:LightdashDbtSource"


class Unknown(Enum):
    """The type of :data:`UNKNOWN`."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
"""Stands for a value that this preview cannot know: an output of a resource that is not there yet."""

Text = str | None | Literal[Unknown.UNKNOWN]
Schema = dict[str, dict[str, Any]]
Config = Mapping[str, Any]
Report = Callable[[str], None]
ReportOn = Callable[["Resource", str], None]
Check = Callable[["Resource", Config, Report], None]
Remediation = Callable[[ResourceValidationArgs], Mapping[str, Any] | None]
StackCheck = Callable[[Sequence["Resource"], Config, ReportOn], None]


class Connection(NamedTuple):
    """A connection of an Omni instance, in lower case. IDs are those of an instance, which the profile names."""

    profile: str
    id: str


class NotYetKnownError(UnknownValueError):
    """A rule could not be applied to the end: the engine shows this as an advisory line, and the preview goes on."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Name the properties, each by its path."""
        super().__init__(UNKNOWN_STRING_VALUE, list(dict.fromkeys(paths)))
        are = "is" if len(self.props) == 1 else "are"
        self.message = (
            f"not applicable yet, because {', '.join(self.props)} {are} unknown until other resources are there; "
            "`pulumi up` applies the rule to the real value"
        )


@dataclass(frozen=True)
class Resource:
    """A resource as a rule reads it. Every unknown value that a rule asks for is noted."""

    type: str
    name: str
    urn: str
    protect: bool
    properties: Mapping[str, Any]
    unknown: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, args: ResourceValidationArgs | PolicyResource) -> Resource:
        """The resource that the engine hands to a policy."""
        return cls(args.resource_type, args.name, args.urn, args.opts.protect, args.props)

    @property
    def stack(self) -> str:
        """Name of the stack, without organization and project: ``urn:pulumi:<stack>::<project>::<type>::<name>``."""
        return self.urn.removeprefix("urn:pulumi:").partition("::")[0]

    def get(self, *path: str) -> Any:
        """The value at a path, ``None`` when there is none, :data:`UNKNOWN` when this preview cannot know it."""
        here: Any = self.properties
        for depth, key in enumerate(path, 1):
            if not isinstance(here, Mapping):
                return None
            try:
                here = here[key]
            except KeyError:
                return None
            except UnknownValueError:
                self.unknown.append(".".join(path[:depth]))
                return UNKNOWN
        return here

    def text(self, *path: str) -> Text:
        """Like :meth:`get`, for text that is not empty."""
        value = self.get(*path)
        return value if value is UNKNOWN or (isinstance(value, str) and value) else None

    def connection(self, property_: str = "connectionId") -> Connection | Literal[Unknown.UNKNOWN] | None:
        """The connection of which a property has the ID, ``None`` when it has none."""
        profile, connection = self.text("profile"), self.text(property_)
        if profile is UNKNOWN or connection is UNKNOWN:
            return UNKNOWN
        return None if connection is None else Connection(profile or "", connection.casefold())

    def names(self, *path: str) -> list[str]:
        """The names in a map, which are known even where its values are not."""
        here = self.get(*path)
        return sorted(here) if isinstance(here, Mapping) else []

    def elements(self, *path: str) -> list[Any]:
        """The known elements of a list."""
        here = self.get(*path)
        elements = []
        for index in range(len(here)) if isinstance(here, Sequence) and not isinstance(here, str) else ():
            try:
                elements.append(here[index])
            except UnknownValueError:
                self.unknown.append(f"{'.'.join(path)}[{index}]")
        return elements


def resource_rule(
    *,
    name: str,
    description: str,
    level: EnforcementLevel,
    severity: Severity,
    steps: str,
    checks: Mapping[str, Check],
    config: Schema | None = None,
    remediate: Remediation | None = None,
) -> ResourceValidationPolicy:
    """A rule about one resource.

    Args:
        name: the rule in the output of the engine and in the file of ``--policy-pack-config``.
        description: the rule in one sentence, which the engine shows with each violation.
        level: what a violation does by default.
        severity: how bad a violation is.
        steps: how a violation is repaired. The CLI does not show them, so a violation's text says it too.
        checks: what is checked, by the resource's type.
        config: what can be configured, as JSON schemas by name, each with its default.
        remediate: makes the inputs right, where a user has set the rule's level to ``remediate``.
    """

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        check = checks.get(args.resource_type)
        if check is None:  # the engine would record a pass
            args.not_applicable(f"{name} is about other types of resources")
            return
        resource = Resource.of(args)
        check(resource, _configured(name, config, args.get_config()), lambda message: report(message, None))
        if resource.unknown:
            raise NotYetKnownError(resource.unknown)

    return ResourceValidationPolicy(
        name,
        description,
        validate,
        enforcement_level=level,
        severity=severity,
        remediation_steps=steps,
        config_schema=PolicyConfigSchema(config) if config else None,
        remediate=cast("ResourceRemediation | None", remediate),  # typed as if it were always asynchronous
    )


def stack_rule(
    *,
    name: str,
    description: str,
    level: EnforcementLevel,
    severity: Severity,
    steps: str,
    check: StackCheck,
    config: Schema | None = None,
) -> StackValidationPolicy:
    """A rule about all resources of a stack; the arguments are those of :func:`resource_rule`.

    The engine applies it at the end of a preview and at the end of an update: what only an update knows is found when
    it is done already.
    """

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = [Resource.of(resource) for resource in args.resources]
        settings = _configured(name, config, args.get_config())
        check(resources, settings, lambda resource, message: report(message, resource.urn))
        unknown = [f"{resource.name}.{path}" for resource in resources for path in resource.unknown]
        if unknown:
            raise NotYetKnownError(unknown)

    return StackValidationPolicy(
        name,
        description,
        validate,
        enforcement_level=level,
        severity=severity,
        remediation_steps=steps,
        config_schema=PolicyConfigSchema(config) if config else None,
    )


def of_type(resources: Iterable[Resource], type_: str) -> list[Resource]:
    """The resources of a type, in one order whatever the engine's was."""
    return sorted((resource for resource in resources if resource.type == type_), key=lambda resource: resource.urn)


def matches(text: str, patterns: Iterable[str]) -> bool:
    """Whether a text is like one of the patterns, in which ``*``, ``?`` and ``[...]`` are wild; case does not count."""
    return any(fnmatchcase(text.casefold(), pattern.casefold()) for pattern in patterns)


def for_stack(by_pattern: Mapping[str, Any], stack: str) -> Any:
    """What a map of patterns has for a stack, ``None`` for nothing.

    A name without anything wild wins, then the pattern with the most letters. The order of the map cannot count: it is
    lost on the way from the file to the rule.
    """

    def letters(pattern: str) -> tuple[bool, int, str]:
        closed = pattern.rfind("]") + 1  # no bracket opens a set behind it
        plain = re.sub(r"[*?]|\[[^]]*\]", "", pattern[:closed]) + re.sub(r"[*?]", "", pattern[closed:])
        return plain == pattern, len(plain), pattern

    best = max((pattern for pattern in by_pattern if matches(stack, [pattern])), key=letters, default=None)
    return None if best is None else by_pattern[best]


def is_production(name: str, config: Config) -> bool:
    """Whether an environment's name is one of those that :data:`PRODUCTION` configures."""
    return matches(name, config["names"])


def strings(description: str, default: Sequence[str] = ()) -> dict[str, Any]:
    """JSON schema of a list of texts."""
    return {"type": "array", "items": {"type": "string"}, "default": [*default], "description": description}


def by_pattern(description: str, values: dict[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """JSON schema of a map from patterns to values."""
    return {"type": "object", "additionalProperties": values, "default": {**default}, "description": description}


PRODUCTION: Schema = {
    "names": {
        **strings("Patterns of production environments' names.", ["prod*", "prd*", "live*"]),
        "minItems": 1,
    }
}
"""Configuration that tells which environments are production."""

PRODUCTION_STACKS: Final = ("prod*", "prd*", "live*", "*-prod")
"""Patterns of production stacks, where a rule is about these by default."""


def _configured(rule: str, schema: Schema | None, config: Config) -> Config:
    """The configuration with its defaults. The engine checks values and not names, and a misspelt one would do nothing.

    Raises:
        ValueError: a name is not the rule's.
    """
    defaults = {name: value["default"] for name, value in (schema or {}).items()}
    misspelt = ", ".join(sorted(config.keys() - defaults.keys()))
    if misspelt:
        known = ", ".join(["enforcementLevel", *defaults])
        raise ValueError(f"the configuration of {rule} has {misspelt}, and what it knows is {known}: correct the names")
    return {**defaults, **config}
