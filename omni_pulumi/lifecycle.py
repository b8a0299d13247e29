"""What a resource is made of, without Pulumi: its arguments, its state, and the four operations on them.

A resource's author writes two models and four functions on typed values. Values that a preview does not know yet travel
through validation untouched, so a rule never sees one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import pydantic
from pulumi.output import Unknown
from pydantic.alias_generators import to_camel
from typing_extensions import Self

from omni_pulumi.api.transport import Client, Instance
from omni_pulumi.settings import Config, Service

T = TypeVar("T")


def _unless_unknown(value: Any, validate: pydantic.ValidatorFunctionWrapHandler) -> Any:
    return value if isinstance(value, Unknown) else validate(value)


Known = Annotated[T, pydantic.WrapValidator(_unless_unknown)]
"""A value whose rules wait until it is known: the outputs of other resources are not, in a preview."""

Secret = Annotated[
    pydantic.SecretStr,
    pydantic.PlainSerializer(lambda value: value if isinstance(value, Unknown) else value.get_secret_value()),
]
"""Text that shows itself only when it is sent or handed to Pulumi, never in an error or a log."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def _uuid(text: str) -> str:
    if not _UUID.fullmatch(text.lower()):
        raise ValueError("must be a UUID such as 550e8400-e29b-41d4-a716-446655440000")
    return text.lower()


def _uuid4(text: str) -> str:
    if not _UUID4.fullmatch(text.lower()):
        raise ValueError("must be a UUID of version 4 such as 550e8400-e29b-41d4-a716-446655440000")
    return text.lower()


Text = Annotated[str, pydantic.StringConstraints(min_length=1)]
Uuid = Annotated[str, pydantic.AfterValidator(_uuid)]
Uuid4 = Annotated[str, pydantic.AfterValidator(_uuid4)]
OptionalText = Annotated[str | None, pydantic.AfterValidator(lambda text: text or None)]
"""Text whose empty form means "none", as both services treat it."""


class Args(pydantic.BaseModel):
    """What a program declares. Every field carries its description, from which the README's tables are made."""

    model_config = pydantic.ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True, strict=True
    )

    adopt: Known[bool] = pydantic.Field(
        default=False,
        description="Take over what exists already instead of refusing to create. Changing it later is no change.",
    )
    profile: Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")] | None = pydantic.Field(
        default=None, description="Name of the instance's settings, for a stack that serves several instances."
    )

    @classmethod
    def property_names(cls) -> set[str]:
        """The names under which Pulumi keeps the arguments."""
        return {to_camel(name) for name in cls.model_fields}

    def to_properties(self) -> dict[str, Any]:
        """The inputs as Pulumi keeps them: camelCase, defaults filled in, nothing that is ``None``."""
        return self.model_dump(by_alias=True, exclude_none=True, warnings=False)


class State(pydantic.BaseModel):
    """What is known of the object: the arguments' fields under the same names, and what the service computes.

    Nothing is checked here beyond types: the service, or an earlier version of this package, may hold what the
    arguments' rules of today would refuse.
    """

    model_config = pydantic.ConfigDict(
        alias_generator=to_camel, validate_by_name=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    adopt: bool = False
    profile: str | None = None

    @classmethod
    def from_args(cls, args: Args) -> Self:
        """The state of an object that is exactly what the program says, before the service has had its say."""
        return cls(**{name: getattr(args, name) for name in type(args).model_fields})

    def to_properties(self) -> dict[str, Any]:
        """The outputs as Pulumi keeps them."""
        return self.model_dump(by_alias=True, exclude_none=True)


A = TypeVar("A", bound=Args)
S = TypeVar("S", bound=State)
C = TypeVar("C", bound=Client)


@dataclass(frozen=True)
class Failure:
    """A rule that a program breaks: the property, as ``dbtConnection.branch``, and what is wrong with it."""

    property: str
    reason: str


@dataclass(frozen=True)
class Lifecycle(Generic[C, A, S]):
    """A resource: where its service is found, its models, and its operations.

    Attributes:
        service: whose settings open the instance.
        connect: makes a client for an instance.
        args: what a program declares.
        state: what is known of the object.
        id_of: the Pulumi ID of a state.
        identity: fields by which a create with ``adopt`` finds what it takes over.
        create: makes the object.
        read: the state as the service has it now, ``None`` when the object is gone. An error never means gone.
        update: makes the object what the arguments say, and makes it anew where somebody deleted it meanwhile.
        delete: removes the object; one that is gone already is no error.
        replace_on: fields that cannot be changed in place.
        delete_before_replace: whether the old object must go before the new one can be made.
        caution: what to tell the user about a change before it is made, ``None`` when it is what it seems.
    """

    service: Service
    connect: Callable[[Instance], C]
    args: type[A]
    state: type[S]
    id_of: Callable[[S], str]
    identity: frozenset[str]
    create: Callable[[C, A], S]
    read: Callable[[C, S], S | None]
    update: Callable[[C, S, A], S]
    delete: Callable[[C, S], None]
    replace_on: frozenset[str]
    delete_before_replace: bool = False
    caution: Callable[[S, A], str | None] = lambda _state, _args: None

    def validate(self, properties: Mapping[str, Any]) -> A | list[Failure]:
        """The arguments, or all the rules that the properties break."""
        try:
            return self.args.model_validate(properties)
        except pydantic.ValidationError as error:
            return [
                Failure(_property(problem["loc"], properties), _reason(problem))
                for problem in error.errors(include_url=False, include_input=False)
            ]

    def changed(self, state: S, args: A) -> list[str]:
        """Names of the fields in which the program differs from the state. ``adopt`` only matters in a create."""
        changed = {path.partition(".")[0] for path in _changed_leaves(state, args)}
        own = (name for name in self.args.model_fields if name not in Args.model_fields)
        return [name for name in own if to_camel(name) in changed]

    def moves(self, config: Config, state: S, args: A) -> bool:
        """Whether the program's profile leads to another instance than the state's."""
        if args.profile == state.profile:
            return False
        return self.service.url(config, args.profile) != self.service.url(config, state.profile)


_VARIABLE = re.compile(r"(^|\.)(variables|environment)\.")


def describe_changes(state: State, args: Args) -> str:
    """What the program would change, with the values that the service has: ``branch (now "main")``.

    The program's own values are left out: any of them may be a secret, and a provider is not told which. So are those
    of variables, on either side.
    """
    changes = (
        path if _VARIABLE.search(path) else f"{path} (now {_shown(before)})"
        for path, (before, _after) in _changed_leaves(state, args).items()
    )
    return ", ".join(changes) or "nothing"


def changed_paths(state: State, args: Args) -> tuple[str, ...]:
    """Paths of the properties in which the program differs from the state, such as ``variables.DBT_TARGET``."""
    return tuple(_changed_leaves(state, args))


def new_secrets(state: State, args: Args) -> list[str]:
    """The leaves that are secret, and that stay there with another value."""
    secret = (pydantic.SecretStr, Unknown)
    return [
        path
        for path, (before, after) in _changed_leaves(state, args).items()
        if isinstance(before, pydantic.SecretStr) and isinstance(after, secret)
    ]


def _changed_leaves(state: State, args: Args) -> dict[str, tuple[Any, Any]]:
    before, after = _leaves("", state), _leaves("", args)
    arguments = args.property_names() - {"adopt"}
    return {
        path: (before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if path.partition(".")[0] in arguments and before.get(path) != after.get(path)
    }


def _leaves(path: str, value: Any) -> dict[str, Any]:
    """The values below a path, without those that are ``None``."""
    if isinstance(value, pydantic.BaseModel):
        items = {to_camel(name): getattr(value, name) for name in type(value).model_fields}
    elif isinstance(value, Mapping):
        items = dict(value)
    else:
        return {} if value is None else {path: value}
    leaves = {}
    for key, item in items.items():
        leaves.update(_leaves(f"{path}.{key}" if path else key, item))
    return leaves


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, pydantic.SecretStr):
        return "[secret]"
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else str(value)


_REASONS = {
    "missing": "is required",
    "union_tag_not_found": "needs a type",
    "too_short": "must not be empty",
    "extra_forbidden": "is not a property of this resource",
    "string_too_short": "must not be empty",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "dict_type": "must be a map",
    "list_type": "must be a list",
}


def _reason(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    if problem["type"] == "union_tag_invalid":
        return f"must have one of these as its type: {problem['ctx']['expected_tags']}"
    return _REASONS.get(problem["type"]) or f"{problem['msg'][0].lower()}{problem['msg'][1:]}"


def _property(location: tuple[int | str, ...], properties: Any) -> str:
    """The property's path. Pydantic adds the variant of a union and a marker of keys, which no program contains."""
    path, here = [], properties
    for index, part in enumerate(location):
        if isinstance(here, Mapping):
            if part == here.get("type") and index < len(location) - 1:
                continue
            if part in here:
                here = here[part]
            elif index == len(location) - 1:
                part = to_camel(str(part))
            else:
                continue
        elif isinstance(here, list) and isinstance(part, int):
            here = here[part]
        else:
            continue
        path.append(str(part))
    return ".".join(path)
