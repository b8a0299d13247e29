"""Conformance: what every resource must have. The tests find the resources by introspection, so they test a new one."""

from __future__ import annotations

import ast
import base64
import importlib
import inspect
import pickle
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pulumi.dynamic.dynamic import serialize_provider
from pydantic.alias_generators import to_camel, to_snake

import omni_pulumi
from omni_pulumi import resources
from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.dynamic.resource import Resource
from omni_pulumi.export.objects import KINDS as EXPORTED
from omni_pulumi.fields import Args, Identifies, ParentId, Replaces, marked
from omni_pulumi.lifecycle import Lifecycle
from tests.catalogue import SAMPLES
from tests.stateful.kinds import KINDS

TESTS = Path(__file__).parent
ROOT = TESTS.parent


@dataclass(frozen=True)
class ResourceModule:
    """A module of a resource.

    Attributes:
        name: the name of the module.
        python_module: the imported module.
    """

    name: str
    python_module: ModuleType

    @property
    def lifecycle(self) -> Lifecycle[Any, Any, Any]:
        return self.provider.lifecycle

    @property
    def provider(self) -> type[Provider[Any, Any, Any]]:
        return self._only(Provider)

    @property
    def resource(self) -> type[Resource]:
        return self._only(Resource)

    def _only(self, base: type[Any]) -> type[Any]:
        """Return the only subclass of a class that the module defines."""
        (found,) = [
            value
            for value in vars(self.python_module).values()
            if inspect.isclass(value) and issubclass(value, base) and value.__module__ == self.python_module.__name__
        ]
        return found


RESOURCES = [
    ResourceModule(info.name, importlib.import_module(f"{resources.__name__}.{info.name}"))
    for info in pkgutil.iter_modules(resources.__path__)
]

every_resource = pytest.mark.parametrize("module", RESOURCES, ids=lambda module: module.name)


@every_resource
def test_public_names(module: ResourceModule) -> None:
    """The type token is the one in users' states, and it determines the module path and name of the provider class."""
    token = SAMPLES[module.resource.__name__].type_token
    assert f"pulumi-python:{module.resource._resource_type_name}" == token  # noqa: SLF001 - Pulumi has no public property
    name = token.rpartition(":")[2]
    path = f"{module.provider.__module__}.{module.provider.__qualname__}"
    assert path == f"omni_pulumi.resources.{to_snake(name)}.{name}Provider"


@every_resource
def test_class_names(module: ResourceModule) -> None:
    """The names of the classes follow from the name of the module."""
    name = "".join(word.capitalize() for word in module.name.split("_"))
    assert [
        cls.__name__
        for cls in (
            module.lifecycle.args_model,
            module.lifecycle.state_model,
            type(module.lifecycle),
            module.provider,
            module.resource,
        )
    ] == [f"{name}Args", f"{name}State", f"{name}Lifecycle", f"{name}Provider", name]


@every_resource
def test_the_pickled_provider_is_a_reference(module: ResourceModule) -> None:
    """A provider has no attributes, so its pickled form in the state has only its module path and name."""
    provider = module.provider()
    assert vars(provider) == {}
    assert provider.serialize_as_secret_always is False
    pickled = base64.b64decode(serialize_provider(provider))
    assert len(pickled) < 200
    assert type(pickle.loads(pickled)) is module.provider  # noqa: S301 - our own bytes


@every_resource
def test_arguments(module: ResourceModule) -> None:
    """The resource has the arguments of its Args model, by keyword only, with the same ones required."""
    _self, name, *keywords = inspect.signature(module.resource.__init__).parameters.values()
    assert name.name == "resource_name"
    assert {parameter.kind for parameter in keywords} == {inspect.Parameter.KEYWORD_ONLY}
    fields = module.lifecycle.args_model.model_fields
    assert [parameter.name for parameter in keywords if parameter.name != "opts"] == [
        *(name for name in fields if name not in Args.model_fields),
        *Args.model_fields,
    ]
    required = {parameter.name for parameter in keywords if parameter.default is inspect.Parameter.empty}
    assert required == {name for name, field in fields.items() if field.is_required()}


@every_resource
def test_descriptions(module: ResourceModule) -> None:
    """Each argument has a description that is a sentence. The documentation is generated from the descriptions."""
    for name, field in module.lifecycle.args_model.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


@every_resource
def test_state(module: ResourceModule) -> None:
    """The state has a field with the name of each argument."""
    assert module.lifecycle.args_model.model_fields.keys() <= module.lifecycle.state_model.model_fields.keys()


@every_resource
def test_markers(module: ResourceModule) -> None:
    """Some arguments identify the object, among them its parent, and some replace it."""
    args = module.lifecycle.args_model
    assert marked(args, Identifies)
    assert marked(args, ParentId) <= marked(args, Identifies)
    assert marked(args, Replaces)


@every_resource
def test_outputs(module: ResourceModule) -> None:
    """Each field of the state except `adopt` and `profile` is an output with a type."""
    outputs = {name for name, value in vars(module.resource).items() if isinstance(value, property) and name[0] != "_"}
    assert outputs == module.lifecycle.state_model.model_fields.keys() - Args.model_fields.keys()
    annotations = inspect.get_annotations(module.resource)
    assert {name for name, value in annotations.items() if str(value).startswith("pulumi.Output[")} == outputs


@every_resource
def test_exports(module: ResourceModule) -> None:
    """A program can import the resource from `omni_pulumi`."""
    assert module.resource.__name__ in omni_pulumi.__all__
    assert getattr(omni_pulumi, module.resource.__name__) is module.resource


@every_resource
def test_docstrings(module: ResourceModule) -> None:
    """The docstring of the module has the URL of the vendor's page, and each class has a docstring."""
    assert "Source: https://" in (module.python_module.__doc__ or "")
    for cls in (
        module.resource,
        module.provider,
        module.lifecycle.args_model,
        module.lifecycle.state_model,
    ):
        assert cls.__doc__


@every_resource
def test_order_of_a_module(module: ResourceModule) -> None:
    """The classes and methods of each module have the same order, so that resources are easy to compare."""
    name = module.resource.__name__
    operations = ["describe", "id_of", "chosen", "create", "read", "update", "check_identity", "delete", "exists"]
    methods = [*operations, "only_in_service", "lost_by_deletion", "diff_warning", "warnings"]
    classes = {
        node.name: [item.name for item in node.body if isinstance(item, ast.FunctionDef)]
        for node in ast.parse(inspect.getsource(module.python_module)).body
        if isinstance(node, ast.ClassDef)
    }
    assert list(classes) == [f"{name}Args", f"{name}State", f"{name}Lifecycle", f"{name}Provider", name]
    public = [method for method in classes[f"{name}Lifecycle"] if not method.startswith("_")]
    assert public == [method for method in methods if method in public]


@every_resource
def test_has_tests(module: ResourceModule) -> None:
    """Each resource has a test module with its name."""
    assert (TESTS / "resources" / f"test_{module.name}.py").is_file()


@every_resource
def test_has_a_sample(module: ResourceModule) -> None:
    """`tests/catalogue.py` has a program with the required arguments and one with all arguments."""
    assert module.resource.__name__ in SAMPLES, "add it to tests/catalogue.py"
    sample = SAMPLES[module.resource.__name__]
    assert sample.provider is module.provider
    arguments = {
        name: field for name, field in module.lifecycle.args_model.model_fields.items() if name not in Args.model_fields
    }
    assert sample.minimal.keys() == {field.alias for field in arguments.values() if field.is_required()}
    assert sample.complete.keys() == {field.alias for field in arguments.values()}
    fixed = {to_camel(name) for name in marked(module.lifecycle.args_model, Replaces)}
    changed = {path.partition(".")[0] for path in sample.changes}
    assert changed == sample.complete.keys() - fixed - {*sample.local}, "add it to `changes` in tests/catalogue.py"
    assert sample.id_key in {field.alias for field in module.lifecycle.state_model.model_fields.values()}


@pytest.mark.parametrize("name", ["check", "deleted_objects", "lost_responses", "read_errors", "renamed_resources"])
def test_every_sample_is_used(name: str) -> None:
    """A test module for all resources runs with every sample of `tests/catalogue.py`."""
    decorators = {
        decorator.id
        for function in functions(TESTS / "resources" / f"test_{name}.py")
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Name)
    }
    assert "every_sample" in decorators


@every_resource
def test_is_in_the_stateful_test(module: ResourceModule) -> None:
    """The stateful test has a kind of object for each resource, in a module of the same name."""
    kinds = {kind.name: type(kind).__module__ for kind in KINDS}
    expected = f"tests.stateful.kinds.{module.name}"
    assert kinds.get(module.resource.__name__) == expected, "add it to KINDS in tests/stateful/kinds"


@every_resource
def test_has_a_live_test(module: ResourceModule) -> None:
    """Each resource has a live test with its name."""
    names = {function.name for function in functions(TESTS / "live" / "test_instances.py")}
    assert f"test_{module.name}" in names


@every_resource
def test_is_exported(module: ResourceModule) -> None:
    """The command `omni-pulumi export` knows each resource under its type token."""
    tokens = {kind.resource: kind.type_token for kind in EXPORTED.values()}
    expected = SAMPLES[module.resource.__name__].type_token
    assert tokens.get(module.resource.__name__) == expected, "add it to KINDS in omni_pulumi/export/objects.py"


@every_resource
def test_is_in_the_readme(module: ResourceModule) -> None:
    """The README has a row for each resource, with a link to its page."""
    assert f"](docs/resources/{module.name}.md)" in (ROOT / "README.md").read_text()


def functions(path: Path) -> list[ast.FunctionDef]:
    """Return the functions of a module."""
    return [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]


@every_resource
def test_has_an_example(module: ResourceModule) -> None:
    """A program among the examples declares the resource."""
    used = {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for path in (ROOT / "examples").glob("*/__main__.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }
    assert module.resource.__name__ in used


@every_resource
def test_properties_are_camel_case(module: ResourceModule) -> None:
    """Properties have camelCase names in the state, in previews and in policies."""
    for model in (module.lifecycle.args_model, module.lifecycle.state_model):
        assert {field.alias for field in model.model_fields.values()} == set(map(to_camel, model.model_fields))
