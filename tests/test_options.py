"""Resource options: translated property names, options that are refused, and the table in the documentation."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from omni_pulumi.dynamic import options
from omni_pulumi.dynamic.options import OptionError
from omni_pulumi.lifecycle import Lifecycle
from omni_pulumi.resources import dbt_environment, lightdash_dbt_source

ROOT = Path(__file__).parent.parent

ENVIRONMENT = dbt_environment.DbtEnvironmentProvider.lifecycle
SOURCE = lightdash_dbt_source.LightdashDbtSourceProvider.lifecycle


def applied(lifecycle: Lifecycle[Any, Any, Any], opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """Translate the options of a resource in place, and return them."""
    options.apply(opts, resource='X "x"', args=lifecycle.args_model, state=lifecycle.state_model)
    return opts


def ignored(lifecycle: Lifecycle[Any, Any, Any], *paths: str) -> list[str] | None:
    """Return the translated paths of ``ignore_changes``."""
    return applied(lifecycle, pulumi.ResourceOptions(ignore_changes=list(paths))).ignore_changes


@pytest.mark.parametrize(
    ("path", "translated"),
    [
        ("target_schema", "targetSchema"),
        ("targetSchema", "targetSchema"),
        ('["target_schema"]', "targetSchema"),
        ("adopt", "adopt"),
        ("secret_variables", "secretVariables"),
        ("secret_variables.target_schema", "secretVariables.target_schema"),
        ("variables.MY_TOKEN_x", "variables.MY_TOKEN_x"),
        ('variables["a.b"]', 'variables["a.b"]'),
        (r'variables["a\"b"]', r'variables["a\"b"]'),
        ("variables.*", "variables.*"),
        ("secret_variables[*]", "secretVariables[*]"),
        ("*", "*"),
    ],
)
def test_names_are_translated(path: str, translated: str) -> None:
    """Names of properties are accepted in snake_case and camelCase. Keys of maps are not translated."""
    assert ignored(ENVIRONMENT, path) == [translated]


@pytest.mark.parametrize(
    ("path", "translated"),
    [
        ("dbt_connection", "dbtConnection"),
        ("dbt_connection.personal_access_token", "dbtConnection.personalAccessToken"),
        ("dbtConnection.hideRefreshButton", "dbtConnection.hideRefreshButton"),
        ('dbt_connection["project_sub_path"]', "dbtConnection.projectSubPath"),
        ("dbt_connection.environment.my_name", "dbtConnection.environment.my_name"),
        ("dbt_connection.tags[0]", "dbtConnection.tags[0]"),
    ],
)
def test_names_below_a_property_are_translated(path: str, translated: str) -> None:
    """Properties of a connection are translated, keys of its environment are not."""
    assert ignored(SOURCE, path) == [translated]
    opts = applied(SOURCE, pulumi.ResourceOptions(hide_diffs=[path]))
    assert opts.hide_diffs == [translated]


def test_translating_removes_duplicates() -> None:
    """A name in both spellings becomes one path, and translating again changes nothing."""
    opts = applied(ENVIRONMENT, pulumi.ResourceOptions(ignore_changes=["target_schema", "targetSchema"]))
    assert opts.ignore_changes == ["targetSchema"]
    assert applied(ENVIRONMENT, opts).ignore_changes == ["targetSchema"]


def test_outputs_are_translated() -> None:
    """``additional_secret_outputs`` and ``hide_diffs`` accept computed outputs, in both spellings."""
    opts = pulumi.ResourceOptions(
        additional_secret_outputs=["environment_id", "variables"], hide_diffs=["retained_variables", "ownerId"]
    )
    applied(ENVIRONMENT, opts)
    assert opts.additional_secret_outputs == ["environmentId", "variables"]
    assert opts.hide_diffs == ["retainedVariables", "ownerId"]


@pytest.mark.parametrize(
    ("option", "path", "fact"),
    [
        ("ignore_changes", "target_shema", "target_schema"),
        ("ignore_changes", "environment_id", "owner_id"),
        ("ignore_changes", "variables.a.b", '["a.b"]'),
        ("ignore_changes", "variables[0]", "variables[0]"),
        ("ignore_changes", "target_schema.x", "target_schema.x"),
        ("ignore_changes", 'variables["a', 'variables["a'),
        ("ignore_changes", "variables.", "variables."),
        ("ignore_changes", ".name", ".name"),
        ("ignore_changes", "", '""'),
        ("hide_diffs", "target_shema", "environment_id"),
        ("additional_secret_outputs", "target_shema", "environment_id"),
        ("additional_secret_outputs", "variables.TOKEN", "variables.TOKEN"),
        ("additional_secret_outputs", "*", "*"),
        ("additional_secret_outputs", "id", "environment_id"),
    ],
)
def test_wrong_names_are_refused(option: str, path: str, fact: str) -> None:
    """An unknown name is an error that has the option, the resource and the possible names."""
    arguments: dict[str, Any] = {option: [path]}
    with pytest.raises(OptionError) as caught:
        applied(ENVIRONMENT, pulumi.ResourceOptions(**arguments))
    assert (caught.value.option, caught.value.resource) == (option, 'X "x"')
    assert fact in str(caught.value)


def test_wrong_names_below_a_property_are_refused() -> None:
    """The error lists the properties of the connection only."""
    with pytest.raises(OptionError) as caught:
        ignored(SOURCE, "dbt_connection.personal_acces_token")
    assert "personal_access_token" in str(caught.value)
    assert "project_uuid" not in str(caught.value)


def test_text_in_place_of_a_list_is_refused() -> None:
    """Pulumi would treat each letter of a text as a name."""
    with pytest.raises(OptionError) as caught:
        applied(ENVIRONMENT, pulumi.ResourceOptions(ignore_changes="target_schema"))  # type: ignore[arg-type]
    assert '["target_schema"]' in str(caught.value)


DYNAMIC_PROVIDER = pulumi.ProviderResource("pulumi-python", "dynamic", dependency=True)
OTHER_PROVIDER = pulumi.ProviderResource("snowflake", "other", dependency=True)


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        ({"import_": "an-id"}, 'adopt="existing"'),
        ({"id": "an-id"}, "StackReference"),
        ({"replace_on_changes": ["*"]}, "replacement_trigger"),
        ({"version": "1.2.3"}, "version"),
        ({"plugin_download_url": "https://example.com"}, "plugin"),
        ({"env_var_mappings": {"A": "B"}}, "profile"),
        ({"provider": DYNAMIC_PROVIDER}, "profile"),
        ({"providers": [DYNAMIC_PROVIDER]}, "profile"),
        ({"providers": {"pulumi-python": DYNAMIC_PROVIDER}}, "profile"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_options_without_effect_are_refused(arguments: Mapping[str, Any], fact: str) -> None:
    """An option that a dynamic provider does not support is an error that says what to do."""
    with pytest.raises(OptionError) as caught:
        applied(ENVIRONMENT, pulumi.ResourceOptions(**arguments))
    assert caught.value.option == next(iter(arguments))
    assert fact in str(caught.value)


def test_unset_options_are_not_refused() -> None:
    """Empty values are accepted, and so are providers of other packages, which are for children of the resource."""
    opts = pulumi.ResourceOptions(
        replace_on_changes=[], version="", provider=OTHER_PROVIDER, providers=[OTHER_PROVIDER]
    )
    assert options.warnings(applied(ENVIRONMENT, opts)) == []


def test_custom_timeouts_are_warned_about() -> None:
    """The warning names the setting that has an effect, ``totalTimeout``."""
    opts = applied(ENVIRONMENT, pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="5m")))
    (warning,) = options.warnings(opts)
    assert "totalTimeout" in warning


PROGRAM_WITH_MOCKS = """
import json

import pulumi
from pulumi.runtime import mocks

import omni_pulumi
from omni_pulumi.dynamic.options import OptionError


class Mocks(mocks.Mocks):
    def new_resource(self, args):
        return f"{args.name}-id", args.inputs

    def call(self, args):
        return {}


mocks.set_mocks(Mocks())
found = {}


def environment(name, opts):
    return omni_pulumi.DbtEnvironment(name, connection_id="c", name=name, target_schema="staging", opts=opts)


@pulumi.runtime.test
def run():
    shared = pulumi.ResourceOptions(ignore_changes=["target_schema"], additional_secret_outputs=["environment_id"])
    first, second = environment("first", shared), environment("second", shared)
    found["shared"] = [shared.ignore_changes, shared.additional_secret_outputs]
    try:
        environment("third", pulumi.ResourceOptions(ignore_changes=["target_shema"]))
    except OptionError as error:
        found["refused"] = error.resource
    return pulumi.Output.all(first.target_schema, second.id).apply(lambda known: found.update(known=known))


run()
print(json.dumps(found))
"""


def test_mocks() -> None:
    """A program with Pulumi's mocks reads outputs and gets errors. Options that two resources share stay unchanged."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM_WITH_MOCKS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(result.stdout) == {
        "shared": [["target_schema"], ["environment_id"]],
        "refused": 'DbtEnvironment "third"',
        "known": ["staging", "second-id"],
    }


def test_the_documentation_has_a_row_for_each_option() -> None:
    """The table in `docs/resource-options.md` has each option of the installed Pulumi once."""
    text = (ROOT / "docs" / "resource-options.md").read_text()
    table = text.partition("\n## Options\n")[2].partition("\n## ")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    documented = [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(documented) == sorted(set(inspect.signature(pulumi.ResourceOptions.__init__).parameters) - {"self"})
