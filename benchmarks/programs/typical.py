"""A dynamic provider as people usually write it: its class is in the program, and each request opens a connection.

The state has the pickled class in each entry.
"""

import json
import os
import pathlib
from typing import Any

import httpx
import pulumi
from pulumi import dynamic


def send(method: str, path: str, body: object = None) -> Any:
    """Send a request and return the JSON of the response."""
    response = httpx.request(
        method,
        os.environ["OMNI_BASE_URL"] + path,
        headers={"Authorization": f"Bearer {os.environ['OMNI_API_KEY']}"},
        json=body,
    )
    response.raise_for_status()
    return response.json()


def environments_path(props: dict[str, Any]) -> str:
    """Return the path of the environments of a connection."""
    return f"/api/v1/connections/{props['connectionId']}/dbt/environments"


def to_body(props: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a write."""
    variables = [{"name": name, "value": value, "isSecret": False} for name, value in props["variables"].items()]
    secrets = [{"name": name, "value": value, "isSecret": True} for name, value in props["secretVariables"].items()]
    return {"name": props["name"], "targetSchema": props["targetSchema"], "variables": variables + secrets}


class EnvironmentProvider(dynamic.ResourceProvider):
    """Creates, reads, updates and deletes dbt environments."""

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Create an environment."""
        answer = send("POST", environments_path(props), to_body(props))
        return dynamic.CreateResult(answer["id"], props)

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Find an environment in the list of its connection."""
        path = environments_path(props) + "?pageSize=100"
        page = send("GET", path)
        while all(environment["id"] != id_ for environment in page["records"]):
            page = send("GET", f"{path}&cursor={page['pageInfo']['nextCursor']}")
        environment = next(environment for environment in page["records"] if environment["id"] == id_)
        current = {**props, "targetSchema": environment["targetSchema"]}
        return dynamic.ReadResult(id_, current, current)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Write an environment."""
        send("PUT", f"{environments_path(_news)}/{_id}", to_body(_news))
        return dynamic.UpdateResult(_news)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete an environment."""
        send("DELETE", f"{environments_path(_props)}/{_id}")


class Environment(dynamic.Resource):
    """A dbt environment."""

    def __init__(self, name: str, props: dict[str, Any]) -> None:
        """Declare the resource."""
        super().__init__(EnvironmentProvider(), name, props)


for declared in json.loads(pathlib.Path("stack.json").read_text()):
    secrets = {key: pulumi.Output.secret(value) for key, value in declared["secretVariables"].items()}
    Environment(declared["name"], {**declared, "secretVariables": secrets})
