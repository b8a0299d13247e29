"""Generates the pages in ``docs/resources`` from the resource classes: ``python -m tools.resource_pages``.

A page has a generated part between two markers, and hand-written sections below it, which the generator keeps. The
generated part has the fields with their descriptions, and an example from ``examples``.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
import textwrap
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import pydantic

from omni_pulumi import lightdash_connections as connections
from omni_pulumi import resources
from omni_pulumi.dynamic.resource import Resource
from omni_pulumi.fields import Args, describe_field, own_fields
from omni_pulumi.lifecycle import Lifecycle

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "resources"
BEGIN, END = "<!-- generated: begin (make generate) -->", "<!-- generated: end -->"

_TYPES = {str: "str", bool: "bool", int: "int", dict: "mapping of str", list: "list of str"}


class Subject(NamedTuple):
    """A resource that has a page."""

    module: types.ModuleType
    resource: type[Resource]

    @property
    def name(self) -> str:
        """The class name of the resource."""
        return self.resource.__name__

    @property
    def page(self) -> Path:
        """The path of the page."""
        return FOLDER / f"{self.module.__name__.rpartition('.')[2]}.md"

    @property
    def lifecycle(self) -> Lifecycle[Any, Any, Any]:
        """The lifecycle, which has the models of the arguments and of the state."""
        lifecycle: Lifecycle[Any, Any, Any] = vars(self.module)[f"{self.name}Provider"].lifecycle
        return lifecycle


def subjects() -> list[Subject]:
    """Return the resources, by the names of their modules."""
    names = [info.name for info in pkgutil.iter_modules(resources.__path__)]
    modules = [importlib.import_module(f"{resources.__name__}.{name}") for name in names]
    return [
        Subject(module, value)
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Resource) and value.__module__ == module.__name__
    ]


def page(subject: Subject, current: str) -> str:
    """Return the text of a page.

    Args:
        subject: the resource.
        current: the present text, whose hand-written part is kept. Empty for a new page.
    """
    generated = "\n".join([BEGIN, *_generated(subject), END])
    return f"{generated}{current.partition(END)[2] or chr(10)}"


def example(name: str) -> tuple[Path, str]:
    """Return the first program in ``examples`` that declares a resource, and the statements that declare it.

    The quickstart comes first.

    Raises:
        LookupError: no program declares it.
    """
    programs = sorted(ROOT.glob("examples/*/__main__.py"), key=lambda path: (path.parent.name != "quickstart", path))
    for program in programs:
        source = program.read_text(encoding="utf-8")
        declarations = [node for node in ast.walk(ast.parse(source)) if _declares(node, name)]
        if declarations:
            lines = source.splitlines()
            statements = ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in declarations]
            return program, "\n\n".join(map(textwrap.dedent, statements))
    raise LookupError(f"No program in examples declares a {name}.")


def _declares(node: ast.AST, name: str) -> TypeGuard[ast.stmt]:
    value = node.value if isinstance(node, ast.Assign | ast.Expr) else None
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == name


def _generated(subject: Subject) -> Iterator[str]:
    program, statement = example(subject.name)
    yield f"# {subject.name}\n"
    yield f"{markdown(inspect.getdoc(subject.resource) or '')}\n"
    yield f"In the state and in policies its type is `{_type_token(subject.resource)}`."
    yield f"The vendor documents it at <{_vendor_page(subject.module)}>.\n"
    yield "## Example\n"
    yield f"From [{program.relative_to(ROOT).parent.as_posix()}]({_link(program)}):\n"
    yield f"```python\n{statement}\n```\n"
    yield "## Arguments\n"
    yield "Arguments are keyword-only. In the state, in previews and in policies their names are camelCase.\n"
    yield from _argument_table(subject)
    yield ""
    if any(_is_connection(field.annotation) for field in subject.lifecycle.args_model.model_fields.values()):
        yield "### Kinds of connection\n"
        yield from _connection_table()
        yield ""
    yield "## Outputs\n"
    yield from _outputs(subject)
    yield ""


def _type_token(resource: type[Resource]) -> str:
    """Return the type under which policies and the state know the resource."""
    return f"pulumi-python:{resource._resource_type_name}"  # noqa: SLF001 - Pulumi has no public name for it


def _vendor_page(module: types.ModuleType) -> str:
    (url,) = re.findall(r"^Source: (\S+?)[.,;]?(?:\s|$)", module.__doc__ or "", re.MULTILINE)
    return str(url)


def _link(path: Path) -> str:
    return f"../../{path.relative_to(ROOT).as_posix()}"


def markdown(docstring: str) -> str:
    """Return a docstring with Markdown's single backticks instead of reStructuredText's double ones."""
    return docstring.replace("``", "`")


def _argument_table(subject: Subject) -> Iterator[str]:
    yield "| argument | type | default | description |"
    yield "|---|---|---|---|"
    fields = subject.lifecycle.args_model.model_fields
    for name in sorted(fields, key=lambda name: name in Args.model_fields):
        field = fields[name]
        default = "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
        yield f"| `{name}` | {_type(field.annotation)} | {default} | {describe_field(field)} |"


def _outputs(subject: Subject) -> Iterator[str]:
    """List the outputs that are not arguments."""
    outputs = {
        name: field
        for name, field in own_fields(subject.lifecycle.state_model).items()
        if name not in subject.lifecycle.args_model.model_fields
    }
    yield "Each argument except `adopt` and `profile` is also an output of the same name."
    if outputs:
        yield "\n| output | type | description |"
        yield "|---|---|---|"
    for name, field in outputs.items():
        yield f"| `{name}` | {_type(field.annotation)} | {field.description} |"


def _connection_table() -> Iterator[str]:
    yield "| kind of connection | `type` | required | optional |"
    yield "|---|---|---|---|"
    for kind in typing.get_args(connections.DbtConnection):
        fields = inspect.signature(kind).parameters.values()
        required = [f"`{field.name}`" for field in fields if field.default is inspect.Parameter.empty]
        optional = [f"`{field.name}`" for field in fields if field.default is not inspect.Parameter.empty]
        yield f"| `{kind.__name__}` | `{kind.type}` | {', '.join(required)} | {', '.join(optional)} |"


def _default(value: Any) -> str:
    if value is None:
        return "none"
    if value in ({}, []):
        return "empty"
    return f"`{value!r}`".replace("'", '"')


def _type(annotation: Any) -> str:
    """Return a field's type without its validators, such as ``list of str``."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if _is_connection(annotation):
        return "connection"
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_type(argument) for argument in arguments if argument is not type(None))
    if origin is typing.Literal:
        return " or ".join(f'`"{argument}"`' for argument in arguments)
    return _TYPES[origin or annotation]


def _is_connection(annotation: Any) -> bool:
    """Return whether a type is a model, or a union of models. Only ``dbt_connection`` has such a type."""
    if inspect.isclass(annotation):
        return issubclass(annotation, pydantic.BaseModel)
    return any(_is_connection(argument) for argument in typing.get_args(annotation))


def main() -> int:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for subject in subjects():
        current = subject.page.read_text(encoding="utf-8") if subject.page.exists() else ""
        subject.page.write_text(page(subject, current), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
