"""Runs a policy like pulumi-policy does, without the engine."""

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
"""The engine sends this for a value that is unknown in a preview."""

Properties = dict[str, Any]


class Declared(NamedTuple):
    """A resource of a program."""

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


class Evaluation(NamedTuple):
    """The outcome of a policy.

    Attributes:
        reports: violations, each with the name of its resource, or an empty name for one about the stack.
        unknown: paths of the unknown values that the policy needs.
        other: names of the resources to which the policy does not apply.
    """

    reports: list[tuple[str, str]]
    unknown: list[str]
    other: list[str]

    @property
    def text(self) -> str:
        return "\n".join(message for _, message in self.reports)


def evaluate(policy: Policy, declared: Sequence[Declared], config: Mapping[str, Any] | None = None) -> Evaluation:
    """Run a policy on resources."""
    reports: list[tuple[str, str]] = []
    unknown: list[str] = []
    other: list[str] = []
    names = {resource.urn: resource.name for resource in declared}

    def about(name: str | None) -> Any:
        def report(message: str, urn: str | None = None) -> None:
            reports.append((name or ("" if urn is None else names[urn]), message))

        return report

    if isinstance(policy, ResourceValidationPolicy):
        for resource in declared:
            try:
                policy.validate(resource_args(resource, config), about(resource.name))
            except UnknownValueError as error:
                unknown += not_applicable(error)
            except NotApplicableError:
                other.append(resource.name)
    elif isinstance(policy, StackValidationPolicy):
        resources = [
            PolicyResource(r.type, unknown_checking_proxy(r.properties), r.urn, r.name, r.options, None, None, [], {})
            for r in declared
        ]
        try:
            policy.validate(StackValidationArgs(resources, config), about(None))
        except UnknownValueError as error:
            unknown += not_applicable(error)
    return Evaluation(reports, unknown, other)


def not_applicable(error: UnknownValueError) -> list[str]:
    """Return the unknown properties that the engine names in its advisory line."""
    assert error.message.startswith(f"not applicable yet, because {', '.join(error.props)} ")
    return error.props


def resource_args(resource: Declared, config: Mapping[str, Any] | None = None) -> ResourceValidationArgs:
    """Return a resource as a policy receives it."""
    properties = unknown_checking_proxy(resource.properties)
    return ResourceValidationArgs(
        resource.type, properties, resource.urn, resource.name, resource.options, None, config
    )
