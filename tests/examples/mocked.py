"""Runs a program under Pulumi's mocks and prints what it registers: ``python -m tests.examples.mocked FOLDER CONFIG``.

In a process of its own, since mocks are global and stay. A resource has its inputs as outputs, and what its provider
computes as far as the examples use it.
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
    """Remembers all resources."""

    def __init__(self) -> None:
        """Begin without any."""
        self.resources: list[dict[str, Any]] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """A resource, and the inputs as they are sent, secrets marked."""
        inputs = {key: value for key, value in args.inputs.items() if key != "__provider"}
        self.resources.append({"type": args.typ, "name": args.name, "inputs": inputs})
        computed = {
            "fullyQualifiedName": f'"{inputs.get("name", "")}"',
            "publicKeyPem": "-----BEGIN PUBLIC KEY-----\nMIIB\nIjAN\n-----END PUBLIC KEY-----\n",
            "privateKeyPemPkcs8": "a private key",
        }
        return f"{args.name}-id", {**computed, **inputs}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """No example calls a function of a provider."""
        raise AssertionError(args.token)


def main(folder: Path, config: dict[str, str]) -> None:
    """Run the program and print a line of JSON."""
    mocked = Mocks()
    mocks.set_mocks(mocked, project=folder.name, stack="mocked")
    pulumi.runtime.set_all_config({f"{folder.name}:{key}": value for key, value in config.items()})

    @pulumi.runtime.test  # type: ignore[untyped-decorator] # Pulumi's own
    def run() -> None:
        runpy.run_path(str(folder / "__main__.py"))

    run()
    print(json.dumps(mocked.resources))  # noqa: T201 - what it is for


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
