"""OpenTofu with the generic REST provider, built from their Go modules: the same job without any code of one's own.

`restapi` has no setting for a list of pages, so it finds an environment only among the first 100 of its connection.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.contenders import PARALLEL, Contender, Operation
from benchmarks.processes import Finished, run
from tools.get_engine import build_in_cache, cache_dir, find_go, go_build, go_environment, go_module

PEER = Path(__file__).resolve().parent / "peer"
OPENTOFU, RESTAPI = PEER / "opentofu", PEER / "restapi"
OPENTOFU_PACKAGE = "github.com/opentofu/opentofu/cmd/tofu"

_APPLY = ("apply", "-auto-approve")

_COMMANDS: Mapping[Operation, Sequence[str]] = {
    "create": _APPLY,
    "preview": ("plan",),
    "no changes": _APPLY,
    "update": _APPLY,
    "refresh": (*_APPLY, "-refresh-only"),
    "repair": _APPLY,
    "destroy": ("destroy", "-auto-approve"),
}


def build_peer() -> Path:
    """Return the directory of both binaries, in the versions that `peer` pins. Build them if the cache lacks them.

    Raises:
        EngineError: the build failed. The message is the reason.
    """
    versions = [go_module(module).version.removeprefix("v") for module in (OPENTOFU, RESTAPI)]
    return build_in_cache(
        cache_dir() / "benchmark" / "-".join(versions),
        _build,
        announcement=f"building OpenTofu {versions[0]} and restapi {versions[1]} from Go modules, minutes on 2 cores",
        failure="could not be built",
    )


def _build(work: Path) -> Path:
    go, env, new = find_go(work, OPENTOFU, RESTAPI), go_environment(work), work / "new"
    new.mkdir()
    go_build(go, env, RESTAPI, go_module(RESTAPI).path, new)
    go_build(go, env, OPENTOFU, OPENTOFU_PACKAGE, new)
    return new


class OpenTofu(Contender):
    """Runs OpenTofu."""

    name = "OpenTofu with restapi"

    def __init__(self, binaries: Path, env: Mapping[str, str], *, requests_per_second: float | None = None) -> None:
        """Use the binaries of a directory. The rate limit is the provider's own."""
        self._tofu = binaries / "tofu"
        self._binaries = binaries
        self._env = env
        self._requests_per_second = requests_per_second

    def prepare(self, folder: Path) -> None:
        """Let OpenTofu find the provider."""
        folder.mkdir(parents=True)
        overrides = f'dev_overrides {{ "Mastercard/restapi" = "{self._binaries}" }}'
        (folder / "tofu.rc").write_text(f"provider_installation {{ {overrides}\ndirect {{}} }}")

    def declare(self, folder: Path, resources: Sequence[Mapping[str, Any]]) -> None:
        """Write the configuration in OpenTofu's JSON syntax."""
        provider = {
            "uri": self._env["OMNI_BASE_URL"],
            "headers": {"Authorization": f"Bearer {self._env['OMNI_API_KEY']}"},
            "write_returns_object": True,
            **({"rate_limit": self._requests_per_second} if self._requests_per_second else {}),
        }
        configuration = {
            "terraform": {"required_providers": {"restapi": {"source": "Mastercard/restapi"}}},
            "provider": {"restapi": provider},
            "resource": {"restapi_object": {_identifier(each): _object(each) for each in resources}},
        }
        (folder / "main.tf.json").write_text(json.dumps(configuration))

    def run(self, folder: Path, operation: Operation) -> Finished:
        """Run an operation."""
        options = ("-input=false", "-no-color", f"-parallelism={PARALLEL}")
        env = {**self._env, "TF_CLI_CONFIG_FILE": str(folder / "tofu.rc"), "CHECKPOINT_DISABLE": "1"}
        command = [str(self._tofu), *_COMMANDS[operation], *options]
        return run(command, cwd=folder, env=env, provider="terraform-provider-restapi")


def _identifier(environment: Mapping[str, Any]) -> str:
    return str(environment["name"]).replace(" ", "_")


def _object(environment: Mapping[str, Any]) -> dict[str, Any]:
    path = f"/api/v1/connections/{environment['connectionId']}/dbt/environments"
    variables = [
        {"name": name, "value": value, "isSecret": key == "secretVariables"}
        for key in ("variables", "secretVariables")
        for name, value in environment[key].items()
    ]
    body = {"name": environment["name"], "targetSchema": environment["targetSchema"], "variables": variables}
    return {
        "path": path,
        "read_path": path,
        "read_search": {
            "search_key": "name",
            "search_value": environment["name"],
            "results_key": "records",
            "query_string": "pageSize=100",
        },
        "data": json.dumps(body),
    }
