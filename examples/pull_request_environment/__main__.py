"""A schema and a dbt environment for an open pull request of the dbt repository.

The name of the stack is `pr-<number>`. The dbt configuration of the connection is in another stack.
"""

import re

import pulumi
from schema import Schema

from omni_pulumi import DbtEnvironment

stack = re.fullmatch(r"pr-(\d+)", pulumi.get_stack())
if stack is None:
    raise ValueError(f"Expected a stack with a name like pr-<number>, got '{pulumi.get_stack()}'.")
number = stack[1]

schema = Schema("schema", name=f"pr_{number}")

environment = DbtEnvironment(
    "environment",
    connection_id=pulumi.Config().require("connectionId"),
    name=f"PR_{number}",
    target_schema=schema.name,
    variables={"DBT_PULL_REQUEST": number},
)

pulumi.export("environmentId", environment.environment_id)
