"""What a resource is made of, without Pulumi: its arguments, its state, and the four operations on them.

A resource's author writes two models and four functions on typed values. Values that a preview does not know yet travel
through validation untouched, so a rule never sees one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

import pydantic
from pulumi.output import Unknown
from pydantic.alias_generators import to_camel
from typing_extensions import Self

from omni_pulumi.api.redact import mask_urls
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


Adopt = bool | Literal["existing"]


def _adopt(value: object) -> Adopt:
    if value is True or value is False:
        return value
    if value == "existing":
        return "existing"
    raise ValueError('must be True, False or "existing"')


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

    adopt: Known[Annotated[Adopt, pydantic.PlainValidator(_adopt)]] = pydantic.Field(
        default=False,
        description='Adopt an object that exists. `True` creates it when there is none, `"existing"` fails then. By '
        "default, a create fails when the object exists. Changing it later is no change. `True` may stay; remove "
        '`"existing"` after the first update, because it forbids a replacement.',
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

    adopt: Adopt = False
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


Claim = Callable[[str], None]
"""Claims an object by its Pulumi ID. Raises ``AlreadyExistsError`` when another resource of the program manages it."""


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
        describe: names the object of arguments or a state, for messages.
        identity: fields by which a create finds an object that exists.
        parent: field with the ID of the connection or project whose endpoints are used, ``None`` if there is none.
        create: creates the object, or adopts the one that exists.
        read: the state as the service has it now, ``None`` when the object is gone. An error never means gone.
        update: makes the object what the arguments say, and creates it again when it was deleted outside Pulumi.
        delete: removes the object; one that is gone already is no error.
        replace_on: fields that cannot be changed in place.
        delete_before_replace: whether the old object must go before the new one can be made.
        diff_warning: what to tell the user about a change in a preview, ``None`` when there is nothing to tell.
    """

    service: Service
    connect: Callable[[Instance], C]
    args: type[A]
    state: type[S]
    id_of: Callable[[S], str]
    describe: Callable[[A | S], str]
    identity: frozenset[str]
    create: Callable[[C, A, Claim], S]
    read: Callable[[C, S], S | None]
    update: Callable[[C, S, A, Claim], S]
    delete: Callable[[C, S], None]
    replace_on: frozenset[str]
    parent: str | None = None
    delete_before_replace: bool = False
    diff_warning: Callable[[S, A], str | None] = lambda _state, _args: None

    def validate(self, properties: Mapping[str, Any], *, stored: bool = True) -> A | list[Failure]:
        """Return the arguments, or all the rules that the properties break.

        Args:
            properties: what the program declares.
            stored: whether the object may exist already. Rules find it in the context of the validation, because a
                create may need what an update can leave out.
        """
        try:
            return self.args.model_validate(properties, context={"stored": stored})
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


def describe_changes(state: State, args: Args, *, verb: str) -> list[str]:
    """Return what the program declares otherwise, with the values that the service has: ``branch (now "main")``.

    The program's own values are left out: any of them may be a secret, and a provider is not told which. So are those
    of variables, on either side.

    Args:
        state: what the service has.
        args: what the program declares.
        verb: ``now`` before the change, ``was`` after it.
    """
    secrets = written_secrets(state, args)
    changes = []
    for path, (before, after) in _changed_leaves(state, args).items():
        if after is None:
            continue
        if path in secrets:
            changes.append(f"{path} written")
        else:
            changes.append(path if _VARIABLE.search(path) else f"{path} ({verb} {_shown(before)})")
    return changes


def written_secrets(state: State, args: Args) -> list[str]:
    """Return the secrets that the program writes: no service returns one, so every declared secret is written."""
    return [
        path for path, (_before, after) in _changed_leaves(state, args).items() if isinstance(after, pydantic.SecretStr)
    ]


def undeclared_fields(current: State, args: Args, known: State | None = None) -> dict[str, Any]:
    """Return the optional fields that the service has and neither the program nor the state knows.

    A write of the whole object would remove them.

    Args:
        current: what the service has.
        args: what the program declares.
        known: what the state has, ``None`` when the object is not in the state.
    """
    return {
        name: getattr(current, name)
        for name in type(args).model_fields
        if name not in Args.model_fields
        and getattr(args, name) is None
        and (known is None or getattr(known, name) is None)
        and getattr(current, name) is not None
    }


def changed_paths(state: State, args: Args) -> tuple[str, ...]:
    """Paths of the properties in which the program differs from the state, such as ``variables.DBT_TARGET``."""
    return tuple(_changed_leaves(state, args))


def new_secrets(state: State, args: Args) -> list[str]:
    """Return the secrets that get another value. Whether one that is unknown in a preview changes is not known."""
    return [
        path
        for path, (before, after) in _changed_leaves(state, args).items()
        if isinstance(before, pydantic.SecretStr) and isinstance(after, pydantic.SecretStr)
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
        return f'"{mask_urls(value)}"'
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
