"""Writes the README's tables of arguments and outputs from the field descriptions of the resources.

``python -m tools.readme_tables`` rewrites them between their markers; a test holds the README against them.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic

from omni_pulumi import connections, resources
from omni_pulumi.fields import Args, State
from omni_pulumi.lifecycle import Lifecycle

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- tables: begin (make readme) -->", "<!-- tables: end -->"

_TYPES = {str: "str", bool: "bool", int: "int", dict: "mapping of str", list: "list of str"}


def tables() -> str:
    """All tables, a section for each resource, and one for what they have in common."""
    parts = [part for module in _modules() for part in _section(module)]
    return "\n".join([*parts, "### Every resource\n", *_table(Args, list(Args.model_fields))])


def with_tables(readme: str) -> str:
    """The README with its tables as they have to be."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n{tables()}\n{END}", readme)


def _modules() -> list[types.ModuleType]:
    names = ["dbt_configuration", "dbt_environment", "connection_environment", "lightdash_dbt_source"]
    found = {info.name for info in pkgutil.iter_modules(resources.__path__)}
    return [importlib.import_module(f"omni_pulumi.resources.{name}") for name in sorted(found, key=_place(names))]


def _place(names: list[str]) -> Any:
    """The order in which the README tells of the resources; a new one comes last."""
    return lambda name: (names.index(name) if name in names else len(names), name)


def _section(module: types.ModuleType) -> Iterator[str]:
    lifecycle: Lifecycle[Any, Any, Any] = module.LIFECYCLE
    name = lifecycle.args.__name__.removesuffix("Args")
    yield f"### {name}\n"
    yield f"{(vars(module)[name].__doc__ or '').strip().splitlines()[0]}\n"
    own = [field for field in lifecycle.args.model_fields if field not in Args.model_fields]
    yield from _table(lifecycle.args, own)
    outputs = [f"`{field}`" for field in lifecycle.state.model_fields if field not in {*State.model_fields, *own}]
    if outputs:
        yield f"\nMore outputs: {', '.join(outputs)}."
    yield ""
    if "dbt_connection" in own:
        yield from _connections()
        yield ""


def _connections() -> Iterator[str]:
    """The kinds of connection, a row for each."""
    yield "| `dbt_connection` | `type` | required | optional |"
    yield "|---|---|---|---|"
    for kind in typing.get_args(connections.DbtConnection):
        (type_,) = typing.get_args(vars(connections)[f"{kind.__name__}Args"].model_fields["type"].annotation)
        names: dict[bool, list[str]] = {True: [], False: []}
        for field in dataclasses.fields(kind):
            names[field.default is dataclasses.MISSING].append(f"`{field.name}`")
        yield f"| `{kind.__name__}` | `{type_}` | {', '.join(names[True])} | {', '.join(names[False])} |"


def _table(args: type[Args], fields: list[str]) -> Iterator[str]:
    yield "| argument | type | default | |"
    yield "|---|---|---|---|"
    for field in fields:
        info = args.model_fields[field]
        default = "required" if info.is_required() else _default(info.get_default(call_default_factory=True))
        yield f"| `{field}` | {_type(info.annotation)} | {default} | {info.description} |"


def _default(value: Any) -> str:
    if value is None:
        return "none"
    if value in ({}, []):
        return "empty"
    return f"`{value!r}`".replace("'", '"')


def _type(annotation: Any) -> str:
    """The plain type behind the rules that a field carries."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin in {typing.Union, types.UnionType}:
        inner = [argument for argument in arguments if argument is not type(None)]
        if pydantic.BaseModel in {base for each in inner if isinstance(each, type) for base in each.__mro__}:
            return "connection"
        return " or ".join(map(_type, inner))
    if origin is typing.Literal:
        return " or ".join(f'`"{argument}"`' for argument in arguments)
    return _TYPES[origin or annotation]


def main() -> int:
    """Rewrite the README's tables."""
    README.write_text(with_tables(README.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
