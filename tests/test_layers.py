"""The layers of the package: a module imports only from the layers below its own."""

from __future__ import annotations

import ast
import graphlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import omni_pulumi

ROOT = Path(omni_pulumi.__file__).parent
MODULES = {
    ".".join(("omni_pulumi", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in ROOT.rglob("*.py")
}

ALLOWED = {
    "omni_pulumi": {"omni_pulumi.resources", "omni_pulumi.lightdash_connections", "omni_pulumi.lookups"},
    "omni_pulumi.lookups": {
        "omni_pulumi.invoke",
        "omni_pulumi.services",
        "omni_pulumi.adoption",
        "omni_pulumi.fields",
        "omni_pulumi.settings",
        "omni_pulumi.redact",
        "omni_pulumi.errors",
        "omni_pulumi.api",
    },
    "omni_pulumi.invoke": {
        "omni_pulumi.dynamic",
        "omni_pulumi.check",
        "omni_pulumi.fields",
        "omni_pulumi.settings",
        "omni_pulumi.process",
        "omni_pulumi.errors",
        "omni_pulumi.redact",
        "omni_pulumi.api.instance",
    },
    "omni_pulumi.resources": {
        "omni_pulumi.dynamic",
        "omni_pulumi.services",
        "omni_pulumi.lightdash_connections",
        "omni_pulumi.variables",
        "omni_pulumi.lifecycle",
        "omni_pulumi.adoption",
        "omni_pulumi.changes",
        "omni_pulumi.fields",
        "omni_pulumi.errors",
        "omni_pulumi.api",
    },
    "omni_pulumi.dynamic": {
        "omni_pulumi.dynamic",
        "omni_pulumi.lifecycle",
        "omni_pulumi.adoption",
        "omni_pulumi.changes",
        "omni_pulumi.check",
        "omni_pulumi.fields",
        "omni_pulumi.notes",
        "omni_pulumi.process",
        "omni_pulumi.settings",
        "omni_pulumi.errors",
        "omni_pulumi.redact",
        "omni_pulumi.api.environment",
        "omni_pulumi.api.retry",
    },
    "omni_pulumi.services": {"omni_pulumi.lifecycle", "omni_pulumi.settings", "omni_pulumi.api"},
    "omni_pulumi.lifecycle": {
        "omni_pulumi.adoption",
        "omni_pulumi.check",
        "omni_pulumi.fields",
        "omni_pulumi.settings",
        "omni_pulumi.errors",
        "omni_pulumi.api.instance",
    },
    "omni_pulumi.adoption": {"omni_pulumi.changes", "omni_pulumi.fields", "omni_pulumi.errors"},
    "omni_pulumi.changes": {"omni_pulumi.fields", "omni_pulumi.redact"},
    "omni_pulumi.lightdash_connections": {"omni_pulumi.fields", "omni_pulumi.api.lightdash.models"},
    "omni_pulumi.variables": {"omni_pulumi.api.omni.models"},
    "omni_pulumi.check": {"omni_pulumi.fields", "omni_pulumi.errors"},
    "omni_pulumi.fields": set(),
    "omni_pulumi.notes": set(),
    "omni_pulumi.selection": {"omni_pulumi.redact"},
    "omni_pulumi.stack_settings": {"omni_pulumi.errors"},
    "omni_pulumi.settings": {"omni_pulumi.errors", "omni_pulumi.api.instance"},
    "omni_pulumi.api": {"omni_pulumi.api", "omni_pulumi.process", "omni_pulumi.errors", "omni_pulumi.redact"},
    "omni_pulumi.api.omni.models": set(),
    "omni_pulumi.api.lightdash.models": set(),
    "omni_pulumi.process": {"omni_pulumi.notes", "omni_pulumi.errors", "omni_pulumi.redact"},
    "omni_pulumi.api.instance": {"omni_pulumi.api.known_failures", "omni_pulumi.api.read_cache"},
    "omni_pulumi.errors": {"omni_pulumi.redact"},
    "omni_pulumi.redact": {"omni_pulumi.secret_text"},
    "omni_pulumi.simulator": {"omni_pulumi.simulator"},
    "omni_pulumi.secret_text": set(),
    "omni_pulumi.policies": {"omni_pulumi.policies", "omni_pulumi.secret_text"},
    "omni_pulumi.export": {
        "omni_pulumi.export",
        "omni_pulumi.resources",
        "omni_pulumi.lifecycle",
        "omni_pulumi.lightdash_connections",
        "omni_pulumi.fields",
        "omni_pulumi.selection",
        "omni_pulumi.stack_settings",
        "omni_pulumi.settings",
        "omni_pulumi.text_files",
        "omni_pulumi.secret_text",
        "omni_pulumi.redact",
        "omni_pulumi.process",
        "omni_pulumi.errors",
        "omni_pulumi.api",
    },
    "omni_pulumi.doctor": {
        "omni_pulumi.doctor",
        "omni_pulumi.selection",
        "omni_pulumi.stack_settings",
        "omni_pulumi.settings",
        "omni_pulumi.process",
        "omni_pulumi.errors",
        "omni_pulumi.api",
    },
    "omni_pulumi.cli": {
        "omni_pulumi.cli",
        "omni_pulumi.doctor",
        "omni_pulumi.export",
        "omni_pulumi.policies",
        "omni_pulumi.selection",
        "omni_pulumi.notes",
        "omni_pulumi.redact",
        "omni_pulumi.secret_text",
        "omni_pulumi.text_files",
    },
    "omni_pulumi.text_files": set(),
}
"""What the modules of a layer may import of this package: modules, or packages with all their modules."""


def imports(path: Path) -> Iterator[str]:
    """Return the full names of the modules that a file imports, also within functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name} has a relative import, which this test cannot follow"
            assert node.module is not None
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES or name == "pulumi.dynamic" else node.module for name in names)


def is_in(module: str, layer: str) -> bool:
    return module == layer or module.startswith(f"{layer}.")


def layer_of(module: str) -> str:
    """Return the innermost layer of a module. The layer `omni_pulumi` has only the module `omni_pulumi`."""
    layers = [layer for layer in ALLOWED if layer != "omni_pulumi" and is_in(module, layer)]
    return max(layers, key=len, default=module)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    """A module imports only the layers below its own."""
    allowed = ALLOWED[layer_of(module)]
    internal = {name for name in imports(MODULES[module]) if is_in(name, "omni_pulumi")}
    assert {name for name in internal if not any(is_in(name, layer) for layer in allowed)} == set()


@pytest.mark.parametrize("layer", [layer for layer, allowed in ALLOWED.items() if allowed])
def test_allowed_imports_are_used(layer: str) -> None:
    """A layer imports each layer that it may import."""
    paths = [path for module, path in MODULES.items() if layer_of(module) == layer]
    used = {name for path in paths for name in imports(path)}
    unused = {each for each in ALLOWED[layer] - {layer} if not any(is_in(name, each) for name in used)}
    assert unused == set()


def test_no_layer_is_above_itself() -> None:
    """Two layers never import each other, also not through a third one."""
    below = {layer: {layer_of(name) for name in allowed} - {layer} for layer, allowed in ALLOWED.items()}
    assert tuple(graphlib.TopologicalSorter(below).static_order())


def test_one_package_imports_dynamic_providers() -> None:
    """Only the package ``dynamic`` imports ``pulumi.dynamic``, so that a native provider can use all other modules."""
    importers = {
        module for module, path in MODULES.items() if any(is_in(name, "pulumi.dynamic") for name in imports(path))
    }
    assert importers == {"omni_pulumi.dynamic.provider", "omni_pulumi.dynamic.resource"}


def test_api_simulator_and_commands_do_not_import_pulumi() -> None:
    """The clients, the simulator and the commands do not import Pulumi."""
    importers = {
        module
        for module, path in MODULES.items()
        if layer_of(module).startswith(("omni_pulumi.api", "omni_pulumi.simulator", "omni_pulumi.cli"))
        and any(is_in(name, "pulumi") for name in imports(path))
    }
    assert importers == set()


def test_a_program_and_a_check_load_no_client() -> None:
    """Programs that declare resources, and the settings that each check reads, load no HTTP client: it takes 50 ms."""
    source = """
import sys
import pulumi
before = {*sys.modules}
import omni_pulumi
for name in omni_pulumi.__all__:
    getattr(omni_pulumi, name)
from omni_pulumi.settings import OMNI
from omni_pulumi.api import environment
environment.check(OMNI.instance({"omni:baseUrl": "https://acme.omniapp.co", "omni:apiKey": "key"}.get, None).url)
print(*{name.partition(".")[0] for name in {*sys.modules} - before})
"""
    result = subprocess.run(
        [sys.executable, "-c", source],
        env={
            **os.environ,
            "HTTPS_PROXY": "http://user:password@proxy.example:8080",
            "NO_PROXY": ".acme.test,10.0.0.0/8",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {*result.stdout.split()}
    assert {"omni_pulumi", "pydantic"} <= loaded
    assert loaded.isdisjoint({"httpx", "opentelemetry", "pyrate_limiter", "rich", "starlette"})
