"""The program of the floor: dbt environments of an importable provider."""

import json
import pathlib

import pulumi

from benchmarks.floor import Environment

for environment in json.loads(pathlib.Path("stack.json").read_text()):
    secrets = {name: pulumi.Output.secret(value) for name, value in environment["secretVariables"].items()}
    Environment(environment["name"], {**environment, "secretVariables": secrets})
