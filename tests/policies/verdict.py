"""Resources as pulumi-policy hands them to a rule, and what the rule says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pulumi_policy import (
    Policy,
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.policy import _NotApplicableError as NotApplicableError
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError, unknown_checking_proxy

UNKNOWN = UNKNOWN_STRING_VALUE
"""What the engine sends for a value that a preview cannot know."""

Properties = dict[str, Any]


class Given(NamedTuple):
    """A resource of a stack."""

    type: str
    name: str
    properties: Properties
    protect: bool = False
    stack: str = "test"

    @property
    def urn(self) -> str:
        return f"urn:pulumi:{self.stack}::project::{self.type}::{self.name}"

    @property
    def options(self) -> PolicyResourceOptions:
        return PolicyResourceOptions(self.protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])


class Verdict(NamedTuple):
    """What a rule reported, by the resource's name, what it could not know, and which resources it is not about."""

    reports: list[tuple[str, str]]
    unknown: list[str]
    other: list[str]

    @property
    def text(self) -> str:
        return "\n".join(message for _, message in self.reports)


def judge(policy: Policy, given: Sequence[Given], config: Mapping[str, Any] | None = None) -> Verdict:
    """Apply a rule as pulumi-policy does."""
    reports: list[tuple[str, str]] = []
    unknown: list[str] = []
    other: list[str] = []
    names = {resource.urn: resource.name for resource in given}

    def about(name: str | None) -> Any:
        def report(message: str, urn: str | None = None) -> None:
            reports.append((name or names[urn or ""], message))

        return report

    if isinstance(policy, ResourceValidationPolicy):
        for resource in given:
            try:
                policy.validate(resource_args(resource, config), about(resource.name))
            except UnknownValueError as error:
                unknown += not_applicable(error)
            except NotApplicableError:
                other.append(resource.name)
    elif isinstance(policy, StackValidationPolicy):
        resources = [
            PolicyResource(r.type, unknown_checking_proxy(r.properties), r.urn, r.name, r.options, None, None, [], {})
            for r in given
        ]
        try:
            policy.validate(StackValidationArgs(resources, config), about(None))
        except UnknownValueError as error:
            unknown += not_applicable(error)
    return Verdict(reports, unknown, other)


def not_applicable(error: UnknownValueError) -> list[str]:
    """The properties that were unknown, as the engine's advisory line names them."""
    assert error.message.startswith(f"not applicable yet, because {', '.join(error.props)} ")
    return error.props


def resource_args(resource: Given, config: Mapping[str, Any] | None = None) -> ResourceValidationArgs:
    """A resource as a resource rule gets it."""
    properties = unknown_checking_proxy(resource.properties)
    return ResourceValidationArgs(
        resource.type, properties, resource.urn, resource.name, resource.options, None, config
    )
