"""Resource options: translates property paths, and refuses options that have no effect.

A program spells property paths in snake_case, and the engine knows the properties in camelCase. The engine ignores a
path that names no property. It passes only some options to dynamic providers.

Source: https://www.pulumi.com/docs/iac/concepts/resources/options/
"""

from __future__ import annotations

import difflib
import inspect
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

import pulumi
import pydantic
from pydantic.alias_generators import to_camel

_EXISTING = 'To bring an object that exists already under Pulumi, set adopt="existing".'
_ONE_PROCESS = "It would start a second provider process, with its own rate limit."

_REFUSED = {
    "import_": f"import_ does not work with dynamic providers. {_EXISTING}",
    "id": "id is not supported: a resource cannot be read by its ID. "
    f"{_EXISTING} To use the outputs of another stack, use pulumi.StackReference.",
    "replace_on_changes": "replace_on_changes has no effect: a dynamic provider does not report which properties "
    "changed. Set replacement_trigger to the values whose change must replace the resource, or run "
    "`pulumi up --replace <URN>`.",
    "version": f"version is not supported. {_ONE_PROCESS} Pin the version of omni-pulumi where you install it.",
    "plugin_download_url": f"plugin_download_url is not supported: there is no plugin to download. {_ONE_PROCESS}",
    "env_var_mappings": "env_var_mappings is only for provider resources. Set profile to use other settings.",
}
"""Options that do not work with dynamic providers, or that have no effect: why, and what to do."""

_DYNAMIC = "pulumi-python"
"""Pulumi's package of all dynamic providers in Python."""

_SEGMENT = re.compile(r'\.?(?:([^.\[]+)|\["((?:\\"|[^"\\]|\\(?!"))+)"\]|\[(\*|[0-9]+)\])')
"""One segment of a property path in the engine's syntax: a name, a quoted name, or an index."""

_ANY = "*"


class OptionError(pulumi.RunError):
    """A resource option that cannot have the effect that the program expects.

    Pulumi prints an error of this kind without a traceback.

    Attributes:
        resource: the resource's type and name, or the name of a function.
        option: the option's name.
    """

    def __init__(self, resource: str, option: str, reason: str) -> None:
        """Name the resource before the reason."""
        super().__init__(f"{resource}: {reason}")
        self.resource = resource
        self.option = option


def apply(
    opts: pulumi.ResourceOptions, *, resource: str, args: type[pydantic.BaseModel], state: type[pydantic.BaseModel]
) -> None:
    """Check resource options, and translate their property paths in place.

    Applying it again changes nothing.

    Args:
        opts: a copy of the program's options.
        resource: the resource's type and name, for errors.
        args: model of the arguments, which ``ignore_changes`` can name.
        state: model of the outputs, which ``additional_secret_outputs`` and ``hide_diffs`` can name.

    Raises:
        OptionError: an option does not work, or names no property.
    """
    for option, reason in _REFUSED.items():
        if getattr(opts, option, None) not in (None, "", [], {}):
            raise OptionError(resource, option, reason)
    for option in ("provider", "providers"):
        if any(provider.package == _DYNAMIC for provider in _providers(getattr(opts, option))):
            raise OptionError(
                resource,
                option,
                f"{option} has a provider of the package {_DYNAMIC}. {_ONE_PROCESS} Set profile to use other settings.",
            )
    for option, models in (
        ("ignore_changes", [args]),
        ("hide_diffs", [args, state]),
        ("additional_secret_outputs", [state]),
    ):
        paths = getattr(opts, option, None)
        if paths is None:
            continue
        try:
            setattr(opts, option, _translated(paths, models, whole=option == "additional_secret_outputs"))
        except ValueError as error:
            raise OptionError(resource, option, f"{option} {error}") from None


def check_invoke(opts: pulumi.InvokeOptions | None, *, function: str) -> None:
    """Check the options of a function.

    Raises:
        OptionError: an option has no effect.
        TypeError: the options are of another type.
    """
    if not (opts is None or isinstance(opts, pulumi.InvokeOptions)):
        raise TypeError("Expected invoke options to be an InvokeOptions instance")  # the words of Pulumi for resources
    for option in ("provider", "version", "plugin_download_url"):
        if getattr(opts, option, None):
            raise OptionError(
                function,
                option,
                f"{option} has no effect: the program sends the request, and not a provider. Set profile to use other "
                "settings.",
            )


def warnings(opts: pulumi.ResourceOptions) -> list[str]:
    """Return warnings about options that have no effect."""
    if opts.custom_timeouts is None:
        return []
    return [
        "custom_timeouts has no effect: Pulumi's dynamic providers do not receive it. "
        "Set omni:totalTimeout or lightdash:totalTimeout (seconds) in the stack's configuration."
    ]


def _providers(given: Any) -> Sequence[pulumi.ProviderResource]:
    if given is None:
        return []
    if isinstance(given, pulumi.ProviderResource):
        return [given]
    return list(given.values()) if isinstance(given, Mapping) else list(given)


def _translated(paths: Sequence[str], models: Sequence[type[pydantic.BaseModel]], *, whole: bool) -> list[str]:
    """Return the paths in camelCase, each once.

    Args:
        paths: property paths of a program.
        models: whose fields a path can begin with.
        whole: whether the engine takes whole properties only.

    Raises:
        ValueError: a path names no property.
    """
    if isinstance(paths, str):
        raise ValueError(f'must be a list, got text. Write ["{paths}"].')  # noqa: TRY004 - reported as any other wrong path
    if whole:
        for path in paths:
            _check_whole(path)
    return list(dict.fromkeys(_translate(path, models) for path in paths))


def _check_whole(path: str) -> None:
    """Refuse paths inside an output: the engine makes whole outputs secret, and ignores other paths."""
    first, *rest = _segments(path)
    if rest or first[1] == _ANY:
        raise ValueError(f'has "{path}", but takes names of whole outputs only. Name each output.')


def _translate(path: str, models: Sequence[type[pydantic.BaseModel]]) -> str:
    translated, here = "", list[Any](models)
    for text, key in _segments(path):
        if key == _ANY or Any in here:
            translated, here = translated + text, [Any]
            continue
        name, below = _step(path, here, key)
        translated += text if name is None else f".{name}" if translated else name
        here = below
    return translated


def _segments(path: str) -> Iterator[tuple[str, str | int]]:
    """Yield the segments of a path: the text of each, and its key or index."""
    position = 0
    if not path or path.startswith("."):
        raise ValueError(f'has "{path}", which is not a property path')
    while position < len(path):
        match = _SEGMENT.match(path, position)
        if match is None:
            raise ValueError(f'has "{path}", which is not a property path')
        name, quoted, index = match.groups()
        if index is not None and index != _ANY:
            yield match[0], int(index)
        else:
            yield match[0], index or name or quoted.replace('\\"', '"')
        position = match.end()


def _step(path: str, here: Sequence[Any], key: str | int) -> tuple[str | None, list[Any]]:
    """Return the property that a segment names, ``None`` for a key of a map or an index, and the types below it."""
    names: list[str] = []
    for kind in here:
        if inspect.isclass(kind) and issubclass(kind, pydantic.BaseModel):
            for name, field in kind.model_fields.items():
                if key in {name, to_camel(name)}:
                    return to_camel(name), list(_alternatives(field.annotation))
                names.append(name)
        elif (get_origin(kind), type(key)) in {(dict, str), (list, int)}:
            return None, list(_alternatives(get_args(kind)[-1]))
    if not names:
        raise ValueError(f'has "{path}", but there is no value at "{key}". Quote a key that has dots: ["a.b"].')
    nearest = difflib.get_close_matches(str(key), names, n=1)
    hint = f' Did you mean "{nearest[0]}"?' if nearest else ""
    raise ValueError(
        f'has "{path}", but "{key}" is not a property.{hint} Possible names: {", ".join(dict.fromkeys(names))}.'
    )


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Yield the types that a field can have, without their annotations."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif origin in {Union, types.UnionType}:
        for alternative in get_args(annotation):
            yield from _alternatives(alternative)
    else:
        yield annotation
