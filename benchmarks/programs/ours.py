"""The program with this package: dbt environments."""

import json
import pathlib

from omni_pulumi import DbtEnvironment

for environment in json.loads(pathlib.Path("stack.json").read_text()):
    DbtEnvironment(
        environment["name"],
        connection_id=environment["connectionId"],
        name=environment["name"],
        target_schema=environment["targetSchema"],
        variables=environment["variables"],
        secret_variables=environment["secretVariables"],
    )
