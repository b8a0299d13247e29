"""What every resource has, found by introspection: a new one is tested here without being named."""

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
from pydantic.alias_generators import to_camel

import omni_pulumi
from omni_pulumi import resources
from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.dynamic.resource import Resource
from omni_pulumi.fields import Args, Identifies, Parent, Replaces, marked
from omni_pulumi.lifecycle import Lifecycle
from tests.catalogue import SAMPLES
from tests.stateful.programs import DECLARATIONS, sample_of

TESTS = Path(__file__).parent
ROOT = TESTS.parent

PUBLIC_FOR_EVER = {
    "ConnectionEnvironment": (
        "pulumi-python:dynamic/omni:ConnectionEnvironment",
        "omni_pulumi.resources.connection_environment.ConnectionEnvironmentProvider",
    ),
    "ConnectionEnvironmentAttribute": (
        "pulumi-python:dynamic/omni:ConnectionEnvironmentAttribute",
        "omni_pulumi.resources.connection_environment_attribute.ConnectionEnvironmentAttributeProvider",
    ),
    "DbtConfiguration": (
        "pulumi-python:dynamic/omni:DbtConfiguration",
        "omni_pulumi.resources.dbt_configuration.DbtConfigurationProvider",
    ),
    "DbtEnvironment": (
        "pulumi-python:dynamic/omni:DbtEnvironment",
        "omni_pulumi.resources.dbt_environment.DbtEnvironmentProvider",
    ),
    "LightdashDbtSource": (
        "pulumi-python:dynamic/lightdash:LightdashDbtSource",
        "omni_pulumi.resources.lightdash_dbt_source.LightdashDbtSourceProvider",
    ),
}
"""Type tokens and providers as users' states have them. A line may be added and never be changed."""


@dataclass(frozen=True)
class Subject:
    """A module of a resource."""

    name: str
    module: ModuleType

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
        """The one subclass that the module defines."""
        (found,) = [
            value
            for value in vars(self.module).values()
            if inspect.isclass(value) and issubclass(value, base) and value.__module__ == self.module.__name__
        ]
        return found


SUBJECTS = [
    Subject(info.name, importlib.import_module(f"{resources.__name__}.{info.name}"))
    for info in pkgutil.iter_modules(resources.__path__)
]

every = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)


def type_token(resource: type[Resource]) -> str:
    return f"pulumi-python:{resource._resource_type_name}"  # noqa: SLF001 - Pulumi has no public way to ask


def test_public_names() -> None:
    """The engine finds a resource and its provider in the state by these names."""
    assert {
        subject.resource.__name__: (
            type_token(subject.resource),
            f"{subject.provider.__module__}.{subject.provider.__qualname__}",
        )
        for subject in SUBJECTS
    } == PUBLIC_FOR_EVER


@every
def test_the_names_agree(subject: Subject) -> None:
    """Module, resource, provider and models are called alike."""
    name = "".join(word.capitalize() for word in subject.name.split("_"))
    assert [
        cls.__name__
        for cls in (
            subject.lifecycle.args,
            subject.lifecycle.state,
            type(subject.lifecycle),
            subject.provider,
            subject.resource,
        )
    ] == [f"{name}Args", f"{name}State", f"{name}Lifecycle", f"{name}Provider", name]


@every
def test_the_pickled_provider_is_a_reference(subject: Subject) -> None:
    """A provider has no attribute, so that the state holds only where it is found, and nothing secret."""
    provider = subject.provider()
    assert vars(provider) == {}
    assert provider.serialize_as_secret_always is False
    pickled = base64.b64decode(serialize_provider(provider))
    assert len(pickled) < 200
    assert type(pickle.loads(pickled)) is subject.provider  # noqa: S301 - our own bytes


@every
def test_arguments(subject: Subject) -> None:
    """The resource takes what its Args have, by keyword only, required where they require it."""
    _self, name, *keywords = inspect.signature(subject.resource.__init__).parameters.values()
    assert name.name == "resource_name"
    assert {parameter.kind for parameter in keywords} == {inspect.Parameter.KEYWORD_ONLY}
    fields = subject.lifecycle.args.model_fields
    assert [parameter.name for parameter in keywords if parameter.name != "opts"] == [
        *(name for name in fields if name not in Args.model_fields),
        *Args.model_fields,
    ]
    required = {parameter.name for parameter in keywords if parameter.default is inspect.Parameter.empty}
    assert required == {name for name, field in fields.items() if field.is_required()}


@every
def test_descriptions(subject: Subject) -> None:
    """Each argument has a description, which is a sentence: the README's tables are made of them."""
    for name, field in subject.lifecycle.args.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


@every
def test_state(subject: Subject) -> None:
    """The state has each argument under its own name, so that the two can be compared."""
    assert subject.lifecycle.args.model_fields.keys() <= subject.lifecycle.state.model_fields.keys()


@every
def test_markers(subject: Subject) -> None:
    """A resource has arguments that identify it, and these include its parent. What replaces it is not computed."""
    args = subject.lifecycle.args
    assert marked(args, Identifies)
    assert marked(args, Parent) <= marked(args, Identifies)
    assert marked(args, Replaces)


@every
def test_outputs(subject: Subject) -> None:
    """Each field of the state is an output with a type, except those that only steer the provider."""
    outputs = {name for name, value in vars(subject.resource).items() if isinstance(value, property) and name[0] != "_"}
    assert outputs == subject.lifecycle.state.model_fields.keys() - Args.model_fields.keys()
    annotations = inspect.get_annotations(subject.resource)
    assert {name for name, value in annotations.items() if str(value).startswith("pulumi.Output[")} == outputs


@every
def test_the_exports(subject: Subject) -> None:
    """A program finds the resource in the package itself."""
    assert subject.resource.__name__ in omni_pulumi.__all__
    assert getattr(omni_pulumi, subject.resource.__name__) is subject.resource


@every
def test_is_documented(subject: Subject) -> None:
    """The module names the vendor's page, and module, resource and models have a docstring."""
    assert "Source: https://" in (subject.module.__doc__ or "")
    for cls in (subject.resource, subject.provider, subject.lifecycle.args, subject.lifecycle.state):
        assert cls.__doc__


@every
def test_the_order_of_a_module(subject: Subject) -> None:
    """Each module is written in the same order, so that a new resource can be reviewed next to an old one."""
    name = subject.resource.__name__
    methods = ["describe", "id_of", "create", "read", "update", "delete", "exists", "only_in_service", "diff_warning"]
    classes = {
        node.name: [item.name for item in node.body if isinstance(item, ast.FunctionDef)]
        for node in ast.parse(inspect.getsource(subject.module)).body
        if isinstance(node, ast.ClassDef)
    }
    assert list(classes) == [f"{name}Args", f"{name}State", f"{name}Lifecycle", f"{name}Provider", name]
    public = [method for method in classes[f"{name}Lifecycle"] if not method.startswith("_")]
    assert public == [method for method in methods if method in public]


@every
def test_has_tests(subject: Subject) -> None:
    """Each resource has a test module of its name."""
    assert (TESTS / "resources" / f"test_{subject.name}.py").is_file()


@every
def test_has_a_sample(subject: Subject) -> None:
    """The catalogue of the tests has a program with the required arguments and one with all arguments."""
    assert subject.resource.__name__ in SAMPLES, "add it to tests/catalogue.py"
    sample = SAMPLES[subject.resource.__name__]
    assert sample.provider is subject.provider
    own = {name: field for name, field in subject.lifecycle.args.model_fields.items() if name not in Args.model_fields}
    assert sample.minimal.keys() == {field.alias for field in own.values() if field.is_required()}
    assert sample.complete.keys() == {field.alias for field in own.values()}
    assert sample.id_key in {field.alias for field in subject.lifecycle.state.model_fields.values()}


@pytest.mark.parametrize("name", ["check", "deleted_objects", "lost_responses", "read_errors", "renamed_resources"])
def test_every_sample_is_used(name: str) -> None:
    """The tests of all resources take the resources from the catalogue, so they test a new one, too."""
    decorators = {
        decorator.id
        for function in functions(TESTS / "resources" / f"test_{name}.py")
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Name)
    }
    assert "every_sample" in decorators


@every
def test_is_in_the_stateful_test(subject: Subject) -> None:
    """The programs of the stateful test declare each resource."""
    assert subject.resource.__name__ in {sample_of(name).name for name in DECLARATIONS}


@every
def test_has_a_live_test(subject: Subject) -> None:
    """Each resource has a test of its name that runs against a real instance."""
    names = {function.name for function in functions(TESTS / "live" / "test_instances.py")}
    assert f"test_{subject.name}" in names


def functions(path: Path) -> list[ast.FunctionDef]:
    """The functions of a module."""
    return [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]


@every
def test_has_an_example(subject: Subject) -> None:
    """Each resource is used by a program among the examples."""
    used = {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for path in (ROOT / "examples").glob("*/__main__.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }
    assert subject.resource.__name__ in used


@every
def test_properties_are_camel_case(subject: Subject) -> None:
    """State, previews and policies have camelCase names."""
    for model in (subject.lifecycle.args, subject.lifecycle.state):
        assert {field.alias for field in model.model_fields.values()} == set(map(to_camel, model.model_fields))
