"""Rules, from which the policies of a pack are created."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ReportViolation,
    ResourceRemediation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from omni_pulumi.policies import exemptions
from omni_pulumi.policies.common import Config, NotYetKnownError, Report, ReportOn, Resource, Schema
from omni_pulumi.policies.exemptions import Exemptions

Validate = Callable[[Resource, Config, Report], None]
ValidateStack = Callable[[Sequence[Resource], Config, ReportOn], None]
Remediation = Callable[[ResourceValidationArgs, Config], Mapping[str, Any] | None]


@dataclass(frozen=True, kw_only=True)
class Rule(ABC):
    """What a policy requires.

    Attributes:
        name: name of the policy in the engine's output and in the file of ``--policy-pack-config``.
        description: one sentence that the engine shows with each violation.
        level: the default enforcement level.
        severity: the severity of a violation.
        topics: what the rule is about, to select rules.
        steps: how to correct a violation. The CLI does not show them, so the text of a violation has them too.
        config: the settings as JSON schemas by name, each with a default. Each rule also has ``exempt``.
    """

    name: str
    description: str
    level: EnforcementLevel
    severity: Severity
    topics: tuple[str, ...]
    steps: str
    config: Schema = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        """The JSON schemas of all settings, by name."""
        return {**self.config, **exemptions.SCHEMA}

    @property
    def page(self) -> str:
        """The path of the rule's page in the repository of this package."""
        return f"docs/policies/{self.name}.md"

    def settings(self, config: Config) -> Config:
        """Return a configuration with defaults. The engine checks values, and ignores unknown names.

        Raises:
            ValueError: the rule has no setting of a name.
        """
        misspelt = ", ".join(sorted(config.keys() - self.schema.keys()))
        if misspelt:
            known = ", ".join(["enforcementLevel", *self.schema])
            raise ValueError(f"the configuration of {self.name} has unknown names: {misspelt}. Write one of: {known}")
        return {**{name: value["default"] for name, value in self.schema.items()}, **config}

    @abstractmethod
    def policy(self, exempted: Exemptions, level: EnforcementLevel | None = None) -> Policy:
        """Return a policy that enforces the rule.

        Args:
            exempted: records what the policy exempts.
            level: the enforcement level instead of that of the rule.
        """

    def _described(self, level: EnforcementLevel | None) -> dict[str, Any]:
        return {
            "name": self.name,
            "description": f"{self.description} See {self.page}.",
            "enforcement_level": level or self.level,
            "severity": self.severity,
            "tags": [*self.topics],
            "remediation_steps": self.steps,
            "config_schema": PolicyConfigSchema(self.schema),
        }


@dataclass(frozen=True, kw_only=True)
class ResourceRule(Rule):
    """A rule about one resource.

    Attributes:
        checks: the functions that check a resource, by its type.
        remediate: returns corrected inputs when the enforcement level is ``remediate``.
    """

    checks: Mapping[str, Validate]
    remediate: Remediation | None = None

    def policy(self, exempted: Exemptions, level: EnforcementLevel | None = None) -> ResourceValidationPolicy:
        """Return a policy that enforces the rule."""

        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            settings = self.settings(args.get_config())
            exempt = exempted.read(self.name, settings)
            check = self.checks.get(args.resource_type)
            if check is None:  # returning would be recorded as a pass
                args.not_applicable(f"{self.name} applies to other types of resources")
                return
            resource = Resource.of(args)
            report_on = exempted.reporter(exempt, lambda _resource, message: report(message, None))
            check(resource, settings, lambda message: report_on(resource, message))
            if resource.unknown:
                exempted.may_be_needed(exemption for exemption in exempt if exemption.covers(resource))
                raise NotYetKnownError(resource.unknown)

        def remediate(args: ResourceValidationArgs) -> Mapping[str, Any] | None:
            settings = self.settings(args.get_config())
            exempt = exempted.read(self.name, settings)
            resource = Resource.of(args)
            if self.remediate is None or any(e.covers(resource) and not e.has_ended for e in exempt):
                return None
            return self.remediate(args, settings)

        return ResourceValidationPolicy(
            **self._described(level),
            validate=validate,
            # pulumi-policy types it as asynchronous only
            remediate=cast("ResourceRemediation", remediate) if self.remediate else None,
        )


@dataclass(frozen=True, kw_only=True)
class StackRule(Rule):
    """A rule about all resources of a stack.

    The engine checks it at the end of a preview and at the end of an update. A value that only the update knows is
    checked after the update.

    Attributes:
        check: the function that checks the resources.
    """

    check: ValidateStack

    def policy(self, exempted: Exemptions, level: EnforcementLevel | None = None) -> StackValidationPolicy:
        """Return a policy that enforces the rule."""

        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            settings = self.settings(args.get_config())
            exempt = exempted.read(self.name, settings)
            resources = [Resource.of(resource) for resource in args.resources]
            report_on = exempted.reporter(exempt, lambda resource, message: report(message, resource.urn))
            self.check(resources, settings, report_on)
            unknown = [f"{resource.name}.{path}" for resource in resources for path in resource.unknown]
            if unknown:
                exempted.may_be_needed(exempt)
                raise NotYetKnownError(unknown)

        return StackValidationPolicy(**self._described(level), validate=validate)
