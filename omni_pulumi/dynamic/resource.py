"""The base class of the resources that programs declare. It imports no client, so that programs start fast."""

from __future__ import annotations

import copy
import functools
import weakref
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import dynamic
from pulumi.runtime import config
from pydantic.alias_generators import to_camel

from omni_pulumi.dynamic import options
from omni_pulumi.dynamic.inputs import ArgumentError, Examination
from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.fields import ConvertedBy
from omni_pulumi.settings import Service


class _OutputProperty(property):
    """A ``@pulumi.getter`` whose name and type are those of the annotated attribute.

    Outputs of a dynamic resource have the names that were registered, so they are read in camelCase.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        getter = self.fget
        assert getter is not None  # noqa: S101 - narrows the type: output() always passes one
        getter.__name__ = to_camel(name)
        getter.__annotations__ = {"return": owner.__annotations__[name]}
        pulumi.getter(name=to_camel(name))(getter)


def output() -> Any:
    """Declare an output: ``target_schema: pulumi.Output[str] = output()`` reads Pulumi's ``targetSchema``."""

    def getter(resource: Resource) -> Any:
        return pulumi.get(resource, getter.__name__)

    return _OutputProperty(getter)


class Resource(dynamic.Resource):
    """A resource as programs declare it: snake_case in Python, camelCase in Pulumi."""

    def _arguments(
        self,
        provider: Provider[Any, Any, Any],
        resource_name: str,
        variables: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None,
    ) -> tuple[Provider[Any, Any, Any], str, dict[str, Any], pulumi.ResourceOptions]:
        """Return the arguments for Pulumi's class.

        It is not an ``__init__``, because each one adds a position to the stack trace that Pulumi keeps in the state.

        Args:
            provider: the provider of the resource.
            resource_name: name of the resource in the program.
            variables: ``locals()`` of the resource's ``__init__``, which contain the arguments of the program.
            opts: resource options.
        """
        if not (opts is None or isinstance(opts, pulumi.ResourceOptions)):
            return provider, resource_name, {}, opts  # Pulumi refuses them
        lifecycle = provider.lifecycle
        resource = f'{type(self).__name__} "{resource_name}"'
        self._apply_options = functools.partial(
            options.apply,
            resource=resource,
            args=lifecycle.args_model,
            state=lifecycle.state_model,
        )
        opts = pulumi.ResourceOptions() if opts is None else copy.copy(opts)
        self._apply_options(opts)
        if opts.delete_before_replace is None and not opts.ignore_changes and not lifecycle.lost_by_deletion(variables):
            opts.delete_before_replace = True  # the object cannot exist twice
        profile = variables["profile"]
        if profile is None or isinstance(profile, str):
            warn_about_settings(lifecycle.service, profile)
        # An output is an attribute of the resource only if its name is registered.
        outputs = (str(field.alias) for field in lifecycle.state_model.model_fields.values())
        properties: dict[str, Any] = dict.fromkeys(outputs)
        fields = lifecycle.args_model.model_fields
        examination = Examination(lifecycle.args_model, functools.partial(ArgumentError, resource))
        for name, value in examination.examine({name: variables[name] for name in fields}).items():
            field = fields[name]
            for marker in field.metadata:
                if isinstance(marker, ConvertedBy):
                    value = marker.convert(value)
            properties[str(field.alias)] = value
        return provider, resource_name, properties, opts

    def _get_providers(self, *arguments: Any, **keywords: Any) -> Any:
        """Apply the options that transformations added, and warn.

        Pulumi calls this method with its own copy of the options, after the transformations. The method is not public.
        The program's own options are applied before, so they work even if a later Pulumi does not call it.
        """
        for argument in (*arguments, *keywords.values()):
            if isinstance(argument, pulumi.ResourceOptions):
                self._apply_options(argument)
                for warning in options.warnings(argument):
                    pulumi.log.warn(warning, self)
        return super()._get_providers(*arguments, **keywords)


_WARNED: weakref.WeakKeyDictionary[pulumi.Resource, set[str]] = weakref.WeakKeyDictionary()
"""The settings that a run has warned about. With the Automation API, one process runs several stacks."""


def warn_about_settings(service: Service, profile: str | None) -> None:
    """Warn once in a run about an API key that is not encrypted, and about settings that have no effect.

    A provider is not told which settings are secret, nor which ones there are, but a program is.
    """
    stack = pulumi.runtime.get_root_resource()
    warned = set() if stack is None else _WARNED.setdefault(stack, set())
    warnings = {
        setting: f"{setting} has no effect: it is no setting of {service.name}. {advice}"
        for setting, advice in service.ineffective(config.CONFIG.get(), profile).items()
    }
    key = service.key(profile, "apiKey")
    if pulumi.runtime.get_config(key) and not pulumi.runtime.is_config_secret(key):
        warnings[key] = (
            f"{key} is not encrypted in the stack's configuration. Run `pulumi config set --secret {key}` to encrypt "
            "it, and replace the key if the file was shared."
        )
    for setting, warning in warnings.items():
        if setting not in warned:
            warned.add(setting)
            pulumi.log.warn(warning)


def secret_values(
    values: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None,
) -> pulumi.Input[Mapping[str, pulumi.Input[str]]] | None:
    """Make each value of a map secret, so that the names stay readable. An output is made secret as a whole."""
    if isinstance(values, Mapping):
        return {name: pulumi.Output.secret(value) for name, value in values.items()}
    return None if values is None else pulumi.Output.secret(values)
