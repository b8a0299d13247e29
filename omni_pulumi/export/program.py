"""Write the files of the Pulumi project."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from omni_pulumi.export.names import StateKey, config_key, identifier, key_of, parent_names, resource_names
from omni_pulumi.export.objects import (
    CONFIGURATION,
    ENVIRONMENT,
    ConnectionId,
    ConstructorCall,
    Found,
    SecretText,
)
from omni_pulumi.export.omni import parent_argument
from omni_pulumi.export.python import LINE_LENGTH, Call, Code, expression, quote
from omni_pulumi.selection import Parent

_MOST_IN_ONE_FILE: Final = 3
"""Connections and projects. More of them get a module each."""

_REQUIREMENTS: Final = "omni-pulumi # until it is on PyPI: omni-pulumi @ git+<its repository>@<commit>\n"

_LABEL_LENGTH: Final = 60
"""Characters of the name of a connection or project, by which the program finds its ID."""

_IDS = {"omni": "CONNECTIONS", "lightdash": "PROJECTS"}
_WORDS = {"omni": "connection", "lightdash": "project"}
_SECRET = "config.require_secret({})"  # noqa: S105 - an expression of the program


@dataclass(frozen=True)
class Program:
    """The files of a project.

    Attributes:
        files: their content by path.
        names: names of the resources.
        places: paths of the files that declare the resources.
        secrets: keys of the secrets in the stack's configuration, by resource.
    """

    files: Mapping[str, str]
    names: Mapping[StateKey, str]
    places: Mapping[StateKey, str]
    secrets: Mapping[StateKey, Sequence[str]]


@dataclass
class _Module:
    """A file that declares resources."""

    path: str
    docstring: str
    statements: list[str] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)
    services: set[str] = field(default_factory=set)
    has_secrets: bool = False


class Writer:
    """Write a program that declares objects.

    Args:
        found: the objects, in the order of the program.
        name: name of the project.
        profile: profile of the instances.
        known: names of resources that an earlier export gave.
        taken: names of resources in use, by class.
    """

    def __init__(
        self,
        found: Sequence[Found],
        *,
        name: str,
        profile: str | None,
        known: Mapping[StateKey, str],
        taken: Mapping[str, set[str]],
    ) -> None:
        self._found, self._name, self._profile = found, name, profile
        self._parents = list(dict.fromkeys(each.parent for each in found))
        self._parent_names = {
            **parent_names([parent for parent in self._parents if parent.service == "omni"]),
            **parent_names([parent for parent in self._parents if parent.service == "lightdash"]),
        }
        self._names = resource_names(found, self._parent_names, known, taken)
        self._labels = _labels([*self._parents, *_other_connections(found)])
        self._configurations = {each.parent.id for each in found if each.kind == CONFIGURATION}
        self._places: dict[StateKey, str] = {}
        self._secrets: dict[StateKey, list[str]] = {}
        self._used_ids: dict[str, list[Parent]] = {"omni": [], "lightdash": []}

    def write(self) -> Program:
        """Return the project: one file if there are few connections and projects, otherwise one for each."""
        if len(self._parents) > _MOST_IN_ONE_FILE:
            code = self._many_files()
        else:
            module = _Module("__main__.py", "The dbt settings of Omni and Lightdash.")
            for parent in self._parents:
                self._declare(module, parent, identifier(self._parent_names[parent.id], _WORDS[parent.service]))
            code = {module.path: self._text(module, self._id_maps(self._used_ids))}
        project = f"name: {self._name}\ndescription: The dbt settings of Omni and Lightdash\nruntime: python\n"
        files = {"Pulumi.yaml": project, "requirements.txt": _REQUIREMENTS, **code}
        return Program(files, self._names, self._places, self._secrets)

    def _many_files(self) -> dict[str, str]:
        """Return a package for each service, with the IDs in its ``__init__`` and a module for each parent."""
        modules: dict[str, list[str]] = {}
        files: dict[str, str] = {}
        for parent in self._parents:
            name = identifier(self._parent_names[parent.id], _WORDS[parent.service])
            title = f"The dbt settings of a {_WORDS[parent.service]} in {parent.service.capitalize()}."
            module = _Module(f"{parent.service}/{name}.py", title)
            self._declare(module, parent, "dbt")
            id_imports = [f"from {each} import {_IDS[each]}" for each in sorted(module.services)]
            files[module.path] = self._text(module, local_imports=id_imports)
            modules.setdefault(parent.service, []).append(name)
        for service in modules:
            ids = "\n".join(self._id_maps({service: self._used_ids[service]}))
            files[f"{service}/__init__.py"] = f'"""IDs of the {_WORDS[service]}s."""\n\n{ids}'
        imports = "".join(_import_of_modules(service, modules[service]) for service in sorted(modules))
        return {"__main__.py": f'"""The dbt settings of Omni and Lightdash."""\n\n{imports}', **files}

    def _declare(self, module: _Module, parent: Parent, variable: str) -> None:
        for found in self._found:
            if found.parent == parent:
                module.statements.append(self._statement(module, found, variable))
                self._places[key_of(found)] = module.path

    def _statement(self, module: _Module, found: Found, variable: str) -> str:
        """Return the declaration of an object, with its ID as a comment if the program does not have it.

        Args:
            module: the file.
            found: the object.
            variable: the variable of the connection's dbt configuration.
        """
        module.classes.add(found.kind.resource)
        arguments: dict[str, Any] = {}
        if found.kind == ENVIRONMENT and found.parent.id in self._configurations:
            arguments[parent_argument(found.kind)] = Code(f"{variable}.connection_id")
        else:
            arguments[parent_argument(found.kind)] = self._id(module, found.parent)
        arguments.update({name: self._value(module, found, value) for name, value in found.arguments.items()})
        arguments["adopt"] = True if found.is_default else "existing"
        if self._profile is not None:
            arguments["profile"] = self._profile
        if found.protect:
            arguments["opts"] = Code("pulumi.ResourceOptions(protect=True)")
        call = expression(Call(found.kind.resource, [self._names[key_of(found)]], arguments))
        reason = ". Omni creates it with the dbt configuration; adopt=True may stay." if found.is_default else ""
        comment = "" if found.service_id is None else f"# {found.kind.title} {found.service_id}{reason}\n"
        return f"{comment}{f'{variable} = ' if found.kind == CONFIGURATION else ''}{call}\n"

    def _value(self, module: _Module, found: Found, value: Any) -> Any:
        if isinstance(value, SecretText):
            module.has_secrets = True
            return Code(_SECRET.format(quote(self._config_key(found, value.name))))
        if isinstance(value, ConnectionId):
            return self._id(module, value.connection)
        if isinstance(value, ConstructorCall):
            module.classes.add(value.name)
            return Call(
                value.name, [], {name: self._value(module, found, item) for name, item in value.arguments.items()}
            )
        if isinstance(value, Mapping):
            return {name: self._value(module, found, item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._value(module, found, item) for item in value]
        return value

    def _config_key(self, found: Found, name: str) -> str:
        keys = {key for known in self._secrets.values() for key in known}
        wanted = config_key(self._names[key_of(found)], name)
        candidates = (f"{wanted}{number}" for number in range(2, len(keys) + 3))
        key = wanted if wanted not in keys else next(each for each in candidates if each not in keys)
        self._secrets.setdefault(key_of(found), []).append(key)
        return key

    def _id(self, module: _Module, parent: Parent) -> Code:
        """Return the expression of an ID, which the program has once."""
        if parent not in self._used_ids[parent.service]:
            self._used_ids[parent.service].append(parent)
        module.services.add(parent.service)
        return Code(f"{_IDS[parent.service]}[{quote(self._labels[parent.id])}]")

    def _id_maps(self, used: Mapping[str, Sequence[Parent]]) -> list[str]:
        maps = []
        for service, parents in used.items():
            ids = {self._labels[each.id]: each.id for each in sorted(parents, key=lambda each: self._labels[each.id])}
            if ids:
                items = "".join(f"    {quote(label)}: {quote(each)},\n" for label, each in ids.items())
                maps.append(f"{_IDS[service]} = {{\n{items}}}\n")
        return maps

    def _text(self, module: _Module, preamble: Sequence[str] = (), *, local_imports: Sequence[str] = ()) -> str:
        """Return a file: docstring, imports, IDs, resources."""
        uses_pulumi = module.has_secrets or any("pulumi.ResourceOptions(" in each for each in module.statements)
        imports = ["import pulumi\n"] if uses_pulumi else []
        imports.append(_import("omni_pulumi", sorted(module.classes)))
        blocks = [f'"""{module.docstring}"""\n', "".join(imports)]
        blocks += ["".join(f"{line}\n" for line in local_imports)] if local_imports else []
        blocks += ["config = pulumi.Config()\n"] if module.has_secrets else []
        return "\n".join([*blocks, *preamble, *module.statements])


def _import(module: str, names: Sequence[str], comment: str = "") -> str:
    line = f"from {module} import {', '.join(names)}{comment}\n"
    if len(line) <= LINE_LENGTH + 1:
        return line
    return f"from {module} import ({comment}\n{''.join(f'    {name},{chr(10)}' for name in names)})\n"


def _natural(name: str) -> list[tuple[int, str]]:
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _import_of_modules(service: str, modules: Iterable[str]) -> str:
    """Return the import in the order of isort, which compares numbers as numbers."""
    in_order = sorted(modules, key=_natural)
    return _import(service, in_order, "  # noqa: F401 - each module declares its resources")


def _other_connections(found: Iterable[Found]) -> list[Parent]:
    """Return the connections that take the place of others."""
    values = (value for each in found for value in each.arguments.values())
    return [value.connection for value in values if isinstance(value, ConnectionId)]


def _labels(parents: Sequence[Parent]) -> dict[str, str]:
    """Return short names of connections and projects by ID. Equal ones get the ID."""
    distinct = {(parent.service, parent.id): parent for parent in parents}.values()
    short = {parent: _shorten(" ".join(parent.name.split())) for parent in distinct}
    count = Counter((parent.service, label) for parent, label in short.items())
    return {
        parent.id: label if label and count[parent.service, label] == 1 else f"{label} ({parent.id})".strip()
        for parent, label in short.items()
    }


def _shorten(name: str) -> str:
    return name if len(name) <= _LABEL_LENGTH else f"{name[:_LABEL_LENGTH]}..."
