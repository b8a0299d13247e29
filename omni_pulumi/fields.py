"""Fields of resources: their types, what they mean to Pulumi, and the models that they form.

An argument describes itself once, in the ``Args`` of its resource. The documentation, the resource class that programs
use, the diff and the check are made from it.
"""

from __future__ import annotations

import abc
import dataclasses
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import pydantic
from pulumi.output import Unknown
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from typing_extensions import Self

T = TypeVar("T")
M = TypeVar("M", bound=pydantic.BaseModel)


@dataclass(frozen=True)
class Replaces:
    """Marks an argument whose change replaces the resource."""


@dataclass(frozen=True)
class Identifies:
    """Marks an argument by which a create finds an object that exists.

    Attributes:
        is_optional: whether the service chooses the value when the program leaves the argument out.
    """

    is_optional: bool = False


@dataclass(frozen=True)
class ParentId:
    """Marks the ID of the connection or project that the object belongs to."""


@dataclass(frozen=True)
class Derived:
    """Marks a field that follows from other fields, so that the class for programs leaves it out."""


@dataclass(frozen=True)
class ConvertedBy:
    """Marks an argument whose value in a program is converted before it is handed to Pulumi.

    Attributes:
        convert: returns the value for Pulumi.
    """

    convert: Callable[[Any], Any]


class ArgumentGroup(abc.ABC):
    """Arguments that a program passes as one object, such as a connection."""

    @abc.abstractmethod
    def arguments(self) -> dict[str, Any]:
        """Return the arguments that are given, by name."""


class _NotKnownYet(Unknown):
    """A value that a preview does not know, which messages show by the name of its field."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"({self._name} not known yet)"


@dataclass(frozen=True)
class Kept:
    """Stands for a value that the inputs in the state have too. No :func:`rule` applies to it or to what it contains.

    Attributes:
        value: the value, ``None`` when the service has none.
    """

    value: Any = dataclasses.field(repr=False)


_WITHOUT_RULES = "without_rules"
"""The key of the validation's context that says whether a :class:`Kept` value is being validated."""


def _unless_unknown(value: Any, validate: pydantic.ValidatorFunctionWrapHandler, info: pydantic.ValidationInfo) -> Any:
    if isinstance(value, Unknown):
        return _NotKnownYet(info.field_name or "value")
    if not isinstance(value, Kept):
        return validate(value)
    if value.value is None:
        return None
    context: dict[str, Any] = info.context or {}
    outer = context.get(_WITHOUT_RULES)
    context[_WITHOUT_RULES] = True
    try:
        return validate(value.value)
    finally:
        context[_WITHOUT_RULES] = outer


MaybeUnknown = Annotated[T, pydantic.WrapValidator(_unless_unknown)]
"""A value that is validated once it is known. In a preview, the outputs of other resources may be unknown."""


def applies_rules(info: pydantic.ValidationInfo) -> bool:
    """Return whether rules apply to the value that is being validated."""
    return not (info.context or {}).get(_WITHOUT_RULES)


def rule(check: Callable[..., Any]) -> pydantic.AfterValidator:
    """Return the validator of a rule for what programs write. It does not apply to a :class:`Kept` value.

    Args:
        check: takes the value, or the value and the validation's info. It returns the value, or raises ``ValueError``.
    """
    takes_info = len(inspect.signature(check).parameters) == 2

    def apply(value: Any, info: pydantic.ValidationInfo) -> Any:
        if not applies_rules(info):
            return value
        return check(value, info) if takes_info else check(value)

    return pydantic.AfterValidator(apply)


class ContradictionError(ValueError):
    """A value contradicts other arguments.

    Attributes:
        others: the names of these arguments.
    """

    def __init__(self, reason: str, *others: str) -> None:
        super().__init__(reason)
        self.others = others


Secret = Annotated[
    pydantic.SecretStr,
    pydantic.PlainSerializer(lambda value: value if isinstance(value, Unknown) else value.get_secret_value()),
]
"""Text that only a request and Pulumi's properties contain, and never an error or a log."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def _uuid(pattern: re.Pattern[str], kind: str, lookup: str = "") -> pydantic.AfterValidator:
    """Return the validator of an ID.

    Args:
        pattern: the form of the ID in lower case.
        kind: the form in words.
        lookup: how a program finds the ID by a name, empty if no function does.
    """

    def validate(text: str) -> str:
        if not pattern.fullmatch(text.lower()):
            hint = f": {lookup} finds it by a name" if lookup else ""
            raise ValueError(f"must be {kind} such as 550e8400-e29b-41d4-a716-446655440000{hint}")
        return text.lower()

    return rule(validate)


Adopt = bool | Literal["existing"]


def _adopt(value: object) -> Adopt | None:
    """Return ``None`` for the default, which the state leaves out."""
    if value is None or value is False:
        return None
    if value is True:
        return True
    if value == "existing":
        return "existing"
    raise ValueError('must be True, False or "existing"')


def _user_attribute_value(text: str) -> str:
    """Refuse a comma, because one form of the request joins the values with commas."""
    if "," in text:
        raise ValueError("must not contain a comma")
    if text != text.strip():
        raise ValueError("must not begin or end with spaces")
    return text


def _unique_and_sorted(values: list[str]) -> list[str]:
    """Sort the values, because their order means nothing to Omni."""
    texts = [value for value in values if isinstance(value, str)]
    if len(set(texts)) < len(texts):
        raise ValueError("must not contain a value twice")
    return sorted(values) if len(texts) == len(values) else values


_PROFILE = re.compile(r"[a-z0-9][a-z0-9-]*")


def _profile(text: str) -> str:
    if not _PROFILE.fullmatch(text):
        raise ValueError('must be lower-case letters, digits and dashes, such as "eu"')
    return text


def not_empty(text: T) -> T:
    """Refuse an empty text."""
    if not text:
        raise ValueError("must not be empty")
    return text


def one_line(text: str | None) -> str | None:
    """Refuse line breaks, and blanks at either end. They come from a file or a command, and no service removes them."""
    if text and not _is_one_line(text):
        raise ValueError("must not begin or end with a blank, or contain a line break")
    return text


def key_on_one_line(name: str) -> str:
    """Refuse a key of a map that :func:`one_line` refuses as a value."""
    if not _is_one_line(name):
        raise ValueError("has a name that begins or ends with a blank, or contains a line break")
    return name


def _is_one_line(text: str) -> bool:
    return text == text.strip() and len(text.splitlines()) <= 1


def _key(name: str) -> str:
    if not name:
        raise ValueError("has an empty name")
    return key_on_one_line(name)


def matching(pattern: str, expected: str) -> pydantic.AfterValidator:
    """Return the rule that a text matches a pattern as a whole. The rule accepts ``None``.

    Args:
        pattern: the regular expression.
        expected: what the text must be, for the message.
    """
    compiled = re.compile(pattern)

    def check(text: str | None) -> str | None:
        if text and not compiled.fullmatch(text):
            raise ValueError(f"must be {expected}")
        return text

    return rule(check)


Text = Annotated[str, rule(not_empty)]
Line = Annotated[Text, rule(one_line)]
"""Text that can never have line breaks, or blanks at either end."""
Branch = Annotated[
    Line,
    matching(
        r"(?![-/])(?!.*(?:\.\.|//|@\{))[^\s~^:?*\[\\\x00-\x1f\x7f]+(?<![./])",
        'a branch that git accepts: no blanks, no "..", none of ~ ^ : ? * [ \\, and no "/" at either end',
    ),
]
"""The name of a git branch."""
Key = Annotated[str, rule(_key)]
"""The key of a map."""
Uuid = Annotated[str, _uuid(_UUID, "a UUID")]
ConnectionId = Annotated[str, _uuid(_UUID, "a UUID", "get_connection(name=...).connection_id")]
ProjectUuid = Annotated[str, _uuid(_UUID4, "a UUID of version 4", "get_lightdash_project(name=...).project_uuid")]
OptionalText = Annotated[str | None, pydantic.AfterValidator(lambda text: text or None)]
"""Text whose empty form means "none", as in both services."""
OptionalLine = Annotated[OptionalText, rule(one_line)]
"""A :data:`Line` whose empty form means "none"."""

UserAttributeValues = Annotated[
    list[MaybeUnknown[Annotated[Text, rule(_user_attribute_value)]]],
    rule(_unique_and_sorted),
]
"""Values of a user attribute in Omni."""


Profile = Annotated[str, pydantic.AfterValidator(_profile)]


class Inputs(pydantic.BaseModel):
    """What a program passes. Names are camelCase, as in Pulumi. Other names and other types are refused."""

    model_config = pydantic.ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True, strict=True
    )


class Args(Inputs):
    """The arguments of a resource. Each field has a description, from which the documentation is made."""

    adopt: MaybeUnknown[Annotated[Adopt | None, pydantic.PlainValidator(_adopt)]] = pydantic.Field(
        default=None,
        description="What to do if the object exists already. `False`, the default: fail. `True`: adopt it, or else "
        'create it. `"existing"`: adopt it, or fail if it does not exist. It has an effect only when Pulumi creates '
        'the resource. Remove `"existing"` afterwards, because it forbids a replacement.',
    )
    profile: Profile | None = pydantic.Field(
        default=None,
        description="Name of the instance's settings, for a stack that uses several instances of a service.",
    )

    @classmethod
    def property_names(cls) -> set[str]:
        """Return the names under which Pulumi keeps the arguments."""
        return {str(field.alias) for field in cls.model_fields.values()}

    def to_properties(self) -> dict[str, Any]:
        """Return Pulumi's inputs: camelCase names, with defaults, without ``None``."""
        return self.model_dump(by_alias=True, exclude_none=True, warnings=False)


class State(pydantic.BaseModel):
    """What Pulumi's state contains: the arguments under the same names, and what the service computes.

    Only types are checked. The state may contain what today's rules of the arguments refuse, because it comes from the
    service or from an earlier version of this package.
    """

    model_config = pydantic.ConfigDict(
        alias_generator=to_camel, validate_by_name=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    adopt: Adopt | None = None
    profile: str | None = None

    @classmethod
    def from_args(cls, args: Args, **computed: Any) -> Self:
        """Return the state of an object that is exactly as the program declares it.

        Args:
            args: what the program declares.
            computed: the fields that the program does not declare.
        """
        return cls(**{name: getattr(args, name) for name in type(args).model_fields} | computed)

    def to_properties(self) -> dict[str, Any]:
        """Return Pulumi's outputs: camelCase names, without ``None``."""
        return self.model_dump(by_alias=True, exclude_none=True)


def own_fields(model: type[pydantic.BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a resource's model without those that all resources have."""
    return {name: field for name, field in model.model_fields.items() if name not in Args.model_fields}


def is_nullable(field: FieldInfo) -> bool:
    """Return whether ``None`` is a value of a field, and not only what a program leaves out."""
    return not field.is_required() and field.get_default(call_default_factory=True) is None


def marked(model: type[Args], marker: type) -> frozenset[str]:
    """Return the names of the arguments that have a marker, such as :class:`Replaces`."""
    return frozenset(
        name for name, field in model.model_fields.items() if any(isinstance(each, marker) for each in field.metadata)
    )


def describe_field(field: FieldInfo) -> str:
    """Return a field's description, and say when a change of it replaces the object."""
    replaces = any(isinstance(each, Replaces) for each in field.metadata)
    return f"{field.description or ''}{' Changing it replaces the resource.' if replaces else ''}"


def common_fields(source: pydantic.BaseModel, target: type[pydantic.BaseModel]) -> dict[str, Any]:
    """Return the values of the fields that a model has in common with another one."""
    return {name: getattr(source, name) for name in type(source).model_fields if name in target.model_fields}
