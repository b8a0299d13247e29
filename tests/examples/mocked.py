"""Runs a program with Pulumi's mocks and prints its resources: ``python -m tests.examples.mocked FOLDER CONFIG``.

It is a separate process, because mocks are global. The outputs of a resource are its inputs and the computed properties
that the examples use.
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import mocks


class Mocks(mocks.Mocks):
    """Collects all resources."""

    def __init__(self) -> None:
        """Starts without resources."""
        self.resources: list[dict[str, Any]] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Collects a resource with its inputs, in which secrets are marked."""
        inputs = {key: value for key, value in args.inputs.items() if key != "__provider"}
        self.resources.append({"type": args.typ, "name": args.name, "inputs": inputs})
        computed = {
            "fullyQualifiedName": f'"{inputs.get("name", "")}"',
            "publicKeyPem": "-----BEGIN PUBLIC KEY-----\nMIIB\nIjAN\n-----END PUBLIC KEY-----\n",
            "privateKeyPemPkcs8": "a private key",
        }
        return f"{args.name}-id", {**computed, **inputs}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Fails: no example calls a function of a provider."""
        raise AssertionError(args.token)


def main(folder: Path, config: dict[str, str]) -> None:
    """Runs the program and prints a line of JSON."""
    mocked = Mocks()
    mocks.set_mocks(mocked, project=folder.name, stack="mocked")
    pulumi.runtime.set_all_config({f"{folder.name}:{key}": value for key, value in config.items()})

    @pulumi.runtime.test  # type: ignore[untyped-decorator] # Pulumi's decorator
    def run() -> None:
        runpy.run_path(str(folder / "__main__.py"))

    run()
    print(json.dumps(mocked.resources))  # noqa: T201 - the output of this module


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
